"""How far a run is: a bar on a terminal, a plain line each tenth anywhere else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TextIO

TESTS = ("passed", "xfailed", "failed")
"""the categories that are told even when there are none"""


class ProgressBar:
    """A bar in the last line of a terminal, redrawn at each step and gone when stopped."""

    def __init__(self, file: TextIO, total: int, usual: Sequence[str] = TESTS) -> None:
        # Only now: lines, which most runs write, need none of it.
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.table import Column

        self._counts: Counter[str] = Counter(dict.fromkeys(usual, 0))
        self._progress = Progress(
            TextColumn("cases"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis")),
            console=Console(file=file, force_terminal=True, markup=False, highlight=False),
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task("", total=total)
        self._progress.start()

    def step(self, category: str, name: str) -> None:
        """One more test of a case ended, as pytest's category of it (`passed`, `xfailed`, ...)."""
        self._counts[category] += 1
        self._progress.update(self._task, advance=1, description=f"{counts_text(self._counts)}  {name}", refresh=True)

    def stop(self) -> None:
        """Takes the bar away."""
        self._progress.stop()


class ProgressLines:
    """A line through `write` each tenth of the way."""

    def __init__(self, write: Callable[[str], None], total: int, usual: Sequence[str] = TESTS) -> None:
        self._counts: Counter[str] = Counter(dict.fromkeys(usual, 0))
        self._write, self._total, self._tenths = write, max(total, 1), 0

    def step(self, category: str, name: str) -> None:
        """As `ProgressBar.step`."""
        self._counts[category] += 1
        done = self._counts.total()
        tenths = done * 10 // self._total
        if tenths > self._tenths:
            self._tenths = tenths
            self._write(f"cases {done}/{self._total}: {counts_text(self._counts)}  {name}")

    def stop(self) -> None:
        """Nothing to take away."""


def counts_text(counts: Counter[str]) -> str:
    """`12 passed 800 xfailed 0 failed`."""
    return " ".join(f"{count} {name}" for name, count in counts.items())
