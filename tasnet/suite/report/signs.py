"""One sign per way a case can end, with its colour and meaning; the same in every map and legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from typing_extensions import assert_never

from tasnet.suite.cases import Verdict
from tasnet.suite.history import CaseRecord, StoredRun
from tasnet.suite.ledger import JudgementKind


@dataclass(frozen=True)
class TerminalSign:
    """A sign of one column, its stand-in where the terminal has ASCII only, its rich style, its meaning."""

    sign: str
    ascii: str
    style: str
    meaning: str


CLEAR = TerminalSign("●", "o", "green", "clear")
CLEAR_EXTRAPOLATED = TerminalSign("○", "c", "green", "clear (extrapolated)")
NOT_COMPILED = TerminalSign("-", "-", "dim", "not compiled")
UNKNOWN = TerminalSign("?", "?", "yellow", "unknown")
UNCLASSIFIED = TerminalSign("X", "X", "bold magenta", "ended in words that nobody knows")
BROKE_DOWN = TerminalSign("!", "!", "bold magenta", "broke down")
SURPRISES: dict[JudgementKind, TerminalSign] = {
    JudgementKind.UNEXPECTED_FAILURE: TerminalSign("F", "F", "bold white on red", "unexpected failure"),
    JudgementKind.WRONG_FAILURE: TerminalSign("W", "W", "bold white on red", "wrong failure"),
    JudgementKind.UNEXPECTED_PASS: TerminalSign("P", "P", "bold white on red", "unexpected pass"),
    JudgementKind.UNCONFIRMED: TerminalSign("U", "U", "bold white on red", "entry unconfirmed"),
    JudgementKind.OVERLAP: TerminalSign("O", "O", "bold white on red", "entries overlap"),
    JudgementKind.EXPIRED: TerminalSign("E", "E", "bold white on red", "entry past review"),
    JudgementKind.FLAKY: TerminalSign("~", "~", "bold yellow", "flaky, as its entry says"),
    JudgementKind.OFF_RATE: TerminalSign("R", "R", "bold white on red", "flaky, not at its entry's rate"),
}
"""the kinds whose sign is their own, whatever the verdict"""

HEAT = ("cyan", "yellow", "red", "magenta")
"""The colours of a case blocked as expected, by one root cause, two, three, and four or more."""


def terminal_sign(record: CaseRecord) -> TerminalSign:
    """The sign of a record. One that is blocked as expected shows how many root causes stand in its way."""
    if record.kind is JudgementKind.EXPECTED_FAILURE:
        return _blocked(min(len(record.entries), 9))
    return SURPRISES[record.kind] if record.kind in SURPRISES else _of_verdict(record.verdict)


def signs_in(records: Sequence[CaseRecord]) -> list[TerminalSign]:
    """The signs that occur in the records, in the order of the legend."""
    seen = {terminal_sign(record) for record in records}
    plain = (NOT_COMPILED, UNKNOWN, *SURPRISES.values(), UNCLASSIFIED, BROKE_DOWN)
    return [each for each in (CLEAR, CLEAR_EXTRAPOLATED, *map(_blocked, range(1, 10)), *plain) if each in seen]


def _of_verdict(verdict: Verdict) -> TerminalSign:
    """The sign of a case that is no surprise."""
    match verdict:
        case Verdict.CLEAR_OBSERVED:
            return CLEAR
        case Verdict.CLEAR_EXTRAPOLATED:
            return CLEAR_EXTRAPOLATED
        case Verdict.NOT_COMPILED:
            return NOT_COMPILED
        case Verdict.UNKNOWN:
            return UNKNOWN
        case Verdict.BLOCKED:
            # Blocked and no surprise has entries, and a number; a record of another hand may not.
            return SURPRISES[JudgementKind.UNEXPECTED_FAILURE]
        case Verdict.UNCLASSIFIED:
            return UNCLASSIFIED
        case Verdict.BROKE_DOWN:
            return BROKE_DOWN
        case _:
            assert_never(verdict)


def _blocked(causes: int) -> TerminalSign:
    meaning = "blocked as expected" + (f", {causes} root causes" if causes > 1 else ", one root cause")
    return TerminalSign(str(causes), str(causes), HEAT[min(causes, len(HEAT)) - 1], meaning)


# --- on the page --------------------------------------------------------------------------------------------


SOURCE_WORDS = {"predicted": "predicted", "observed": "observed", "double": "by a test double"}
"""The source of a verdict -> how it is printed."""


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
    """The mark of a record; whether it is predicted or observed is another class, by `verdict_source`."""
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
    """The source of the verdict: predicted, observed, or a test double's, which is neither."""
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
    """The toolchain behind `run_source`, with its version; HailoRT for a run that only ran on a device."""
    if run.ran and not run.records:
        by = run.ran[0].outcome.provenance
        return f"{by.toolchain} {by.version}"
    return f"{run.head.toolchain} {run.head.version}"
