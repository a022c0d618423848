"""What `-m numerics` measured, at the end of the run: figures, and not only that they are within their limits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tasnet.suite.history import ParityFigure


def tell_measures(terminal: pytest.TerminalReporter, measures: Sequence[ParityFigure], root: Path) -> None:
    """A table of the worst of each form and stage, beside the limits at `root`, if there are some."""
    if not measures:
        return
    # Only now: a run of other tests measures nothing.
    from tasnet.suite.numerics import THRESHOLDS_FILE, StageFigure, read_thresholds, worst_lines

    path = root / THRESHOLDS_FILE
    figures = [
        StageFigure(each.stage, each.form, each.length, each.snr_db, each.of_peak, each.case_id) for each in measures
    ]
    terminal.section("parity with the float64 reference; 8 bits are simulated: predicted")
    for line in worst_lines(figures, read_thresholds(path) if path.is_file() else None):
        terminal.write_line(line)
