"""A case's mark in the page's map: its sign, the class that the style sheet paints, and what it means in words."""

from __future__ import annotations

from dataclasses import dataclass

from tasnet.suite.history.run import Run
from tasnet.suite.judge import Kind
from tasnet.suite.report.glyphs import CLEAR, CLEAR_EXTRAPOLATED, glyph
from tasnet.suite.report.record import Record

SAID = {"predicted": "predicted", "observed": "observed", "double": "by a test double"}
"""Whose word a verdict is -> the word that stands with it."""


PAINTS = {
    "clear": "clear",
    "maybe": "clear, extrapolated",
    "c1": "blocked as expected, 1 root cause",
    "c2": "blocked as expected, 2 root causes",
    "c3": "blocked as expected, 3 root causes",
    "c4": "blocked as expected, 4 or more root causes",
    "unknown": "unknown",
    "flaky": "flaky, as its entry says",
    "news": "not as the ledger says",
    "unclassified": "ended in words that nobody knows",
    "infra": "tool broke down",
}
"""How a case is painted -> what it means, in the order of the bars."""


@dataclass(frozen=True)
class Mark:
    """`paint` is one of PAINTS, and a class of the style sheet."""

    sign: str
    paint: str
    meaning: str


def mark(record: Record) -> Mark:
    """The mark of a record; how it is drawn as predicted or observed is another class, `said`."""
    drawn = glyph(record)
    if record.kind is Kind.EXPECTED_FAILURE:
        return Mark(drawn.sign, f"c{min(max(len(record.entries), 1), 4)}", drawn.meaning)
    paint = {CLEAR: "clear", CLEAR_EXTRAPOLATED: "maybe"}.get(drawn)
    if paint is None:
        paint = record.kind.value if record.kind.value in PAINTS else "news"
    return Mark(drawn.sign, paint, drawn.meaning)


def said(run: Run, record: Record) -> str:
    """Whose word the verdict is: predicted, observed, or a test double's, which is neither."""
    if run.head.double:
        return "double"
    return "predicted" if record.predicted else "observed"


def run_said(run: Run) -> str:
    """The same of a whole run: one word from all of its cases is the run's; an empty run is a prediction at best."""
    return said(run, run.records[0]) if run.records else ("double" if run.head.double else "predicted")
