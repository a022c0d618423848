"""Regression: what of a changed graph is worse than it was, and fails the gate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from tasnet.common import short_layers
from tasnet.suite.cases import Verdict, severity
from tasnet.suite.gate.difference import GROWN, Difference
from tasnet.suite.history import CaseRecord
from tasnet.suite.ledger import PASSING_KINDS, Blocker


class Reason(str, Enum):
    """Why the gate fails, in the order in which it says so."""

    EXPORT = "no graph"
    VERDICT = "verdict"
    BLOCKER = "new blocker"
    LEDGER = "not as the ledger says"
    SIZE = "size"
    PARITY = "parity"
    TOOL = "not judged"
    """the tool broke down, or ended in words that nobody knows: nothing was learned, and the gate fails closed"""


@dataclass(frozen=True)
class Regression:
    """Cases with the same words are one regression. `detail` is one case's own."""

    reason: Reason
    what: str
    detail: str = ""


def of_verdict(before: CaseRecord, after: CaseRecord) -> Iterator[Regression]:
    """A verdict that is worse; a family that wasn't there; a blocker that no entry covers, and was not there so."""
    old, new = severity(before.verdict), severity(after.verdict)
    if old is None or new is None:
        untold = after if new is None else before
        yield Regression(Reason.TOOL, _nothing_learned(untold.verdict), untold.happened)
        return
    if new > old:
        families = ", ".join(sorted({blocker.failure.family for blocker in after.blockers}))
        what = f"{before.verdict.word} -> {after.verdict.word}{f': {families}' if families else ''}"
        yield Regression(Reason.VERDICT, what, after.happened)
        return
    known = {(each.failure.stage, each.failure.family) for each in before.blockers}
    bare = {(each.failure.stage, each.failure.family) for each in before.blockers if not each.entries}
    for blocker in after.blockers:
        stage, family = blocker.failure.stage, blocker.failure.family
        detail = f"[{short_layers(blocker.failure.layers)}] {' '.join(blocker.failure.message.split())[:120]}"
        if (stage, family) not in known:
            yield Regression(Reason.BLOCKER, f"a new family: {family} at {stage} ({_entries(blocker)})", detail)
        elif not blocker.entries and (stage, family) not in bare:
            yield Regression(Reason.BLOCKER, f"{family} at {stage}, that no entry covers", detail)


def of_new_case(after: CaseRecord) -> Iterator[Regression]:
    """A case that the base doesn't have has no verdict to lose: it must be as the ledger says."""
    if severity(after.verdict) is None:
        yield Regression(Reason.TOOL, _nothing_learned(after.verdict), after.happened)
    elif after.kind not in PASSING_KINDS:
        yield Regression(Reason.LEDGER, f"a new case: {after.kind.value.replace('_', ' ')}", after.happened)


def _nothing_learned(verdict: Verdict) -> str:
    told = {
        Verdict.BROKE_DOWN: "the tool broke down",
        Verdict.UNCLASSIFIED: "the tool ended in words that nobody knows",
    }
    return told.get(verdict, verdict.word)


def of_size(found: Difference, share: float) -> Iterator[Regression]:
    """A graph that grew by more than the share."""
    for name, grown in found.grown.items():
        if grown > share:
            old, new = getattr(found.before, name), getattr(found.after, name)
            what = f"{GROWN[name]} grew by more than {share:.1%}".replace(".0%", "%")
            yield Regression(Reason.SIZE, what, f"{old:,} -> {new:,} ({grown:+.1%})")


def _entries(blocker: Blocker) -> str:
    return f"entry {', '.join(blocker.entries)}" if blocker.entries else "no entry covers it"
