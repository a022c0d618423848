"""One sign per way a case can end, with its colour and meaning; the same in every map and legend."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from typing_extensions import assert_never

from tasnet.hailo import UNKNOWN_MESSAGE
from tasnet.network import SameFunction
from tasnet.suite.cases import Verdict
from tasnet.suite.history import CaseRecord, EvidenceWord, StoredRun
from tasnet.suite.ledger import PASSING_KINDS, JudgementKind


@dataclass(frozen=True)
class Sign:
    """How a case is drawn in the terminal's map, and in the page's."""

    sign: str
    """one column"""
    ascii: str
    """in its place where the terminal has ASCII only"""
    style: str
    """rich's"""
    meaning: str
    paint: str
    """one of PAINTS: the class of the page's style sheet"""
    word: str = ""
    """in the sign's place in the terminal's map, where letters are root causes"""


def _surprise(letter: str, word: str, meaning: str) -> Sign:
    return Sign(letter, letter, "bold white on red", meaning, "news", word)


CLEAR = Sign("●", "o", "green", "clear", "clear")
CLEAR_EXTRAPOLATED = Sign("○", "c", "green", "clear (extrapolated)", "maybe")
NOT_COMPILED = Sign("-", "-", "dim", "not compiled", "untold")
UNKNOWN = Sign("?", "?", "yellow", "unknown", "unknown")
UNCLASSIFIED = Sign("X", "X", "bold magenta", f"ended with {UNKNOWN_MESSAGE}", "unclassified")
BROKE_DOWN = Sign("!", "!", "bold magenta", "broke down", "infra")
SURPRISES: dict[JudgementKind, Sign] = {
    JudgementKind.UNEXPECTED_FAILURE: _surprise("F", "fails", "unexpected failure"),
    JudgementKind.WRONG_FAILURE: _surprise("W", "wrong", "wrong failure"),
    JudgementKind.UNEXPECTED_PASS: _surprise("P", "passes", "unexpected pass"),
    JudgementKind.UNCONFIRMED: _surprise("U", "unmet", "entry unconfirmed"),
    JudgementKind.OVERLAP: _surprise("O", "overlap", "entries overlap"),
    JudgementKind.EXPIRED: _surprise("E", "overdue", "entry past review"),
    JudgementKind.FLAKY: Sign("~", "~", "bold yellow", "flaky, as its entry says", "flaky"),
    JudgementKind.OFF_RATE: _surprise("R", "rate", "flaky, not at its entry's rate"),
}
"""the kinds whose sign is their own, whatever the verdict"""

HEAT = ("cyan", "yellow", "red", "magenta")
"""The colours of a case blocked as expected, by one root cause, two, three, and four or more."""


def entry_letters(names: Iterable[str]) -> dict[str, str]:
    """Each entry's letter, by its place: A to Z, then A2 to Z2, …: the same in the terminal's map and in SUPPORT.md."""
    return {
        name: chr(ord("A") + index % 26) + (str(index // 26 + 1) if index >= 26 else "")
        for index, name in enumerate(dict.fromkeys(names))
    }


def entries_of_case(record: CaseRecord) -> Iterator[str]:
    """The entries that a case speaks of: those that it was judged by, and those that cover a blocker of it."""
    yield from dict.fromkeys((*record.entries, *(name for blocker in record.blockers for name in blocker.entries)))


BY_EVIDENCE: dict[tuple[EvidenceWord, bool], Sign] = {
    (EvidenceWord.OBSERVED, True): Sign("✓", "*", "bold green", "compiled: observed, by the evidence", "seen-clear"),
    (EvidenceWord.OBSERVED, False): Sign("✗", "#", "bold red", "failed: observed, by the evidence", "seen-blocked"),
    (EvidenceWord.INFERRED, True): Sign("◇", "y", "blue", "clear: inferred from observations", "inferred-clear"),
    (EvidenceWord.INFERRED, False): Sign("◆", "n", "blue", "blocked: inferred from observations", "inferred-blocked"),
    (EvidenceWord.DISPUTED, False): Sign("¿", "%", "bold magenta", "observed both ways", "disputed"),
}
"""of a predicted case of which the store's evidence says more"""


def sign_of(record: CaseRecord) -> Sign:
    """The sign of a record. One that is blocked as expected shows how many root causes stand in its way.

    What the evidence says of a prediction goes before it; what isn't as the ledger says goes before all.
    """
    if record.by_evidence and record.kind in PASSING_KINDS:
        return BY_EVIDENCE[(record.by_evidence.word, record.by_evidence.clear)]
    if record.kind is JudgementKind.EXPECTED_FAILURE:
        return _blocked(min(len(record.entries), 9))
    return SURPRISES[record.kind] if record.kind in SURPRISES else _of_verdict(record.verdict)


def signs_in(records: Sequence[CaseRecord]) -> list[Sign]:
    """The signs that occur in the records, in the order of the legend."""
    seen = {sign_of(record) for record in records}
    plain = (NOT_COMPILED, UNKNOWN, *SURPRISES.values(), UNCLASSIFIED, BROKE_DOWN)
    usual = (CLEAR, CLEAR_EXTRAPOLATED, *map(_blocked, range(1, 10)), *plain)
    return [each for each in (*usual, *BY_EVIDENCE.values()) if each in seen]


def _of_verdict(verdict: Verdict) -> Sign:
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


def _blocked(causes: int) -> Sign:
    meaning = "blocked as expected" + (f", {causes} root causes" if causes > 1 else ", one root cause")
    paint = f"c{min(max(causes, 1), 4)}"
    return Sign(str(causes), str(causes), HEAT[min(causes, len(HEAT)) - 1], meaning, paint)


FUNCTION_SIGNS: Mapping[SameFunction, Sign] = {
    SameFunction.EXACT: Sign("=", "=", "green", "exact: the trained network's own function", "exact"),
    SameFunction.ANOTHER: Sign("≠", "!=", "yellow", "another function than the trained network's", "another"),
    SameFunction.UNKNOWN: Sign("?", "?", "yellow", "unknown: which function it is isn't known", "untold"),
}
"""beside a row of the map: what all of its cases are"""


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
    "unclassified": UNCLASSIFIED.meaning,
    "infra": "broke down",
}
"""How a case is painted -> what it means, in the order of the bars."""


def paints_in(runs: Iterable[StoredRun]) -> dict[str, str]:
    """PAINTS, and of those by evidence what is painted so in these runs."""
    seen = {sign_of(record).paint for run in runs for record in run.records if record.by_evidence}
    return PAINTS | {each.paint: each.meaning for each in BY_EVIDENCE.values() if each.paint in seen}


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
