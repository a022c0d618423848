"""How far the run's cases are: a case has several tests, and is done with the last of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tasnet.suite.report import ProgressBar, ProgressLines

_WORST_FIRST = ("error", "failed", "xfailed", "xpassed", "skipped", "passed")
"""pytest's categories: a case ended as the worst of its tests did"""


@dataclass(eq=False)
class CaseProgress:
    """Counts cases, and draws a bar or writes lines to pytest's terminal."""

    config: pytest.Config
    total: int = 0
    _left: Counter[str] = field(default_factory=Counter)
    """tests of a case that are still to end"""
    _worst: dict[str, str] = field(default_factory=dict)
    _shown: ProgressBar | ProgressLines | None = None

    def expect(self, nodeids: Iterable[str], cases: Iterable[str]) -> None:
        """Takes the tests that will run and the ids of the cases that they may be of."""
        known = {f"[{case}]": case for case in cases}
        self._left = Counter(filter(None, (known.get(nodeid[nodeid.find("[") :]) for nodeid in nodeids)))
        self.total = len(self._left)

    @property
    def tests(self) -> int:
        """How many tests of cases are still to end."""
        return self._left.total()

    def step(self, category: str, case: str) -> None:
        """A test of the case ended, as pytest's category of it."""
        self._worst[case] = min(self._worst.get(case, "passed"), category, key=_WORST_FIRST.index)
        self._left[case] -= 1
        if self._left[case] == 0:
            self._show(self._worst[case], case)

    def _show(self, category: str, case: str) -> None:
        """Begins with the first case: before it, others still write to the terminal."""
        terminal = self.config.pluginmanager.get_plugin("terminalreporter")
        # Another plugin's, as pytest-sugar's, shows all tests in its own way.
        if type(terminal) is not pytest.TerminalReporter or self.config.get_verbosity() > 0:
            return
        if self._shown is None:
            terminal.showfspath = False
            # pytest's own writer: any other way to the terminal is captured
            writer = terminal._tw
            lines = ProgressLines(lambda text: _fresh_line(writer, text), self.total)
            self._shown = ProgressBar(writer._file, self.total) if terminal.isatty else lines
        self._shown.step(category, case)

    def stop(self) -> None:
        """Takes a bar away."""
        if self._shown:
            self._shown.stop()


def _fresh_line(writer: Any, text: str) -> None:
    """A line of its own, after the dots of other tests too."""
    if writer.width_of_current_line:
        writer.line()
    writer.line(text, flush=True)
