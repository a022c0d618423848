"""How far a report is with the graphs that no report had before: shown only where it takes a while."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tasnet.common import print_line

QUIET = 2.0
"""seconds before anything is shown"""


@contextmanager
def reading_progress() -> Iterator[Callable[[int, int], None]]:
    """A function that is told how many graphs are read, of how many: a bar, or a line each tenth, on stderr."""
    from tasnet.suite.report import ProgressBar, ProgressLines

    began = time.monotonic()
    shown: ProgressBar | ProgressLines | None = None

    def tell(done: int, total: int) -> None:
        nonlocal shown
        if shown is None and time.monotonic() - began > QUIET:
            left, usual = total - done + 1, ("graphs read",)
            lines = ProgressLines(lambda text: print_line(text, error=True), left, usual)
            shown = ProgressBar(sys.stderr, left, usual) if sys.stderr.isatty() else lines
        if shown:
            shown.step("graphs read", f"{done} of {total}")

    try:
        yield tell
    finally:
        if shown:
            shown.stop()
