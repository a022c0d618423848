"""A case's mark in the page's map: its sign, the class that the style sheet paints, and what it means in words."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import assert_never

from tasnet.suite.cases import Verdict
from tasnet.suite.history import CaseRecord, StoredRun
from tasnet.suite.ledger import JudgementKind
from tasnet.suite.report.signs import SURPRISES, terminal_sign

SOURCE_WORDS = {"predicted": "predicted", "observed": "observed", "double": "by a test double"}
"""Whose word a verdict is -> the word that stands with it."""


PAINTS = {
    "clear": "clear",
    "maybe": "clear, extrapolated",
    "c1": "blocked as expected, 1 root cause",
    "c2": "blocked as expected, 2 root causes",
    "c3": "blocked as expected, 3 root causes",
    "c4": "blocked as expected, 4 or more root causes",
    "untold": "not compiled",
    "unknown": "unknown",
    "flaky": "flaky, as its entry says",
    "news": "not as the ledger says",
    "unclassified": "ended in words that nobody knows",
    "infra": "broke down",
}
"""How a case is painted -> what it means, in the order of the bars."""


@dataclass(frozen=True)
class PageSign:
    """`paint` is one of PAINTS, and a class of the style sheet."""

    sign: str
    paint: str
    meaning: str


def page_sign(record: CaseRecord) -> PageSign:
    """The mark of a record; how it is drawn as predicted or observed is another class, `said`."""
    drawn = terminal_sign(record)
    if record.kind is JudgementKind.EXPECTED_FAILURE:
        return PageSign(drawn.sign, f"c{min(max(len(record.entries), 1), 4)}", drawn.meaning)
    if record.kind in SURPRISES:
        return PageSign(drawn.sign, "flaky" if record.kind is JudgementKind.FLAKY else "news", drawn.meaning)
    return PageSign(drawn.sign, _paint(record.verdict), drawn.meaning)


def _paint(verdict: Verdict) -> str:
    match verdict:
        case Verdict.CLEAR_OBSERVED:
            return "clear"
        case Verdict.CLEAR_EXTRAPOLATED:
            return "maybe"
        case Verdict.NOT_COMPILED:
            return "untold"
        case Verdict.UNKNOWN:
            return "unknown"
        case Verdict.BLOCKED:
            return "news"
        case Verdict.UNCLASSIFIED:
            return "unclassified"
        case Verdict.BROKE_DOWN:
            return "infra"
        case _:
            assert_never(verdict)


def verdict_source(run: StoredRun, record: CaseRecord) -> str:
    """Whose word the verdict is: predicted, observed, or a test double's, which is neither."""
    if run.head.double:
        return "double"
    return "predicted" if record.predicted else "observed"


def run_source(run: StoredRun) -> str:
    """The same of a whole run: of its cases, else of what it ran on a device; an empty run is a prediction at best."""
    if run.records:
        return verdict_source(run, run.records[0])
    if run.ran and not run.head.double:
        return "double" if any(each.outcome.provenance.double for each in run.ran) else "observed"
    return "double" if run.head.double else "predicted"


def run_toolchain(run: StoredRun) -> str:
    """Who said what `run_said` means, with its version: HailoRT of a run that judged nothing and ran on a device."""
    if run.ran and not run.records:
        by = run.ran[0].outcome.provenance
        return f"{by.toolchain} {by.version}"
    return f"{run.head.toolchain} {run.head.version}"
