"""The rows' bracket as answers move it."""

from __future__ import annotations

from tasnet.hailo.predict import Bracket
from tasnet.suite.ask.knowledge import Knowledge

ROW_FAMILIES = frozenset({"reshape_insertion", "agent_infeasible"})
"""what a compiler says of rows that it can't place"""


def moved_bracket(known: Knowledge, bracket: Bracket) -> Bracket:
    """The bracket after the answers.

    What compiled had no row that is too wide. What failed has one if the compiler says so of a graph whose widest row
    lies inside the bracket. A row that compiled past the end of the bracket leaves no end but a wider row that failed.
    """
    passes = max((each.demands.widest_row for each in known.sound if each.compiled), default=0)
    passes = max(passes, bracket.passes)
    failed = [each.demands.widest_row for each in known.sound if not each.compiled and each.family in ROW_FAMILIES]
    ends = [row for row in (*failed, bracket.fails) if row is not None and row > passes]
    return Bracket(passes, min(ends, default=None))
