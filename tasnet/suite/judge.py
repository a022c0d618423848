"""The one judgement of a case: what happened to it against the ledger's entries that claim it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum

from tasnet.hailo.failures import Failure
from tasnet.suite.ledger import Entry, claims, covers, in_scope
from tasnet.suite.stage import ORDER, Outcome, Stage, Status
from tasnet.suite.where import Axes


class Kind(str, Enum):
    """What a case's outcomes are against what the ledger says of it."""

    EXPECTED_PASS = "expected_pass"
    EXPECTED_FAILURE = "expected_failure"
    """fails as its entries say; the only failure that is reported as xfail"""
    UNEXPECTED_FAILURE = "unexpected_failure"
    """fails, or has a blocker, that no entry covers"""
    WRONG_FAILURE = "wrong_failure"
    """entries claim it, and it fails as none of them says"""
    UNEXPECTED_PASS = "unexpected_pass"
    """entries claim it, and it passes"""
    OVERLAP = "overlap"
    """two entries cover one blocker"""
    EXPIRED = "expired"
    """fails as expected, by an entry whose day to look again is past"""
    UNCONFIRMED = "unconfirmed"
    """an entry claims it, and a toolchain that lists every blocker finds none of that entry's"""
    UNKNOWN = "unknown"
    """the toolchain can't tell, or the stage was not run; skipped with the reason"""
    INFRA = "infra"
    """the tool broke down; an error of the run, not a failure of the network"""


PASSING = frozenset({Kind.EXPECTED_PASS, Kind.EXPECTED_FAILURE, Kind.UNKNOWN})
"""The kinds that don't fail a run."""


@dataclass(frozen=True)
class Blocked:
    """A failure of a case and the ids of the entries that claim the case and cover the failure."""

    failure: Failure
    entries: tuple[str, ...]


@dataclass(frozen=True)
class Judgement:
    """`entries` are those the kind is about; `expected`, `happened` and `hint` are one line each for a person."""

    kind: Kind
    entries: tuple[str, ...]
    expected: str
    happened: str
    hint: str
    blockers: tuple[Blocked, ...] = ()


def judge(axes: Axes, outcomes: Mapping[Stage, Outcome], entries: Iterable[Entry], today: date) -> Judgement:
    """Judges a case with these axes by its outcomes, which are those of every stage up to the last one asked for.

    Entries of a later stage than that, of another toolchain or version, or that don't claim the case, have no
    say. The blockers of a case are the failures at all its stages. Where the toolchain is exhaustive each of them
    must be covered, and every entry that claims the case must cover one, unless a stage before the entry's failed.
    Where it isn't, it names one blocker of maybe several, and one covering entry is enough.
    """
    if not outcomes:
        raise ValueError("a case without outcomes can't be judged")
    ordered = [outcomes[stage] for stage in ORDER if stage in outcomes]
    last = ordered[-1]
    claiming = [
        entry
        for entry in entries
        if ORDER.index(entry.stage) <= ORDER.index(last.stage)
        and in_scope(entry, last.provenance.toolchain, last.provenance.version)
        and claims(entry, axes)
    ]
    blockers = tuple(
        Blocked(failure, tuple(entry.id for entry in claiming if covers(entry, failure)))
        for outcome in ordered
        for failure in outcome.failures
    )
    kind, about, hint = _find(ordered, blockers, claiming, today)
    return Judgement(
        kind, tuple(dict.fromkeys(about)), _expected(claiming), _happened(ordered, blockers), hint, blockers
    )


def short_layers(layers: Sequence[str], shown: int = 2) -> str:
    """`conv2, conv3 … (24)`: the first few layers and how many there are."""
    head = ", ".join(layers[:shown])
    return head if len(layers) <= shown else f"{head} … ({len(layers)})"


_Finding = tuple[Kind, Sequence[str], str]
"""kind, the entries it is about, hint"""

_NARROW = "narrow the entry's `where` so that it leaves this case out, or remove the entry"


def _find(ordered: Sequence[Outcome], blockers: Sequence[Blocked], claiming: Sequence[Entry], today: date) -> _Finding:
    ids = [entry.id for entry in claiming]
    broken = [outcome for outcome in ordered if outcome.status is Status.INFRA]
    if broken:
        return Kind.INFRA, (), "mend the tool and run again; the network is not at fault"
    if any(outcome.status in (Status.FAILED, Status.BLOCKED) for outcome in ordered):
        return _find_failed(ordered, blockers, claiming, today)
    untold = [outcome for outcome in ordered if outcome.status in (Status.UNKNOWN, Status.SKIPPED)]
    if untold and ids and untold[0].status is Status.UNKNOWN and untold[0].provenance.exhaustive:
        return (
            Kind.UNCONFIRMED,
            ids,
            "the toolchain can't tell; narrow the entry's `where`, or bring evidence",
        )
    if untold:
        return Kind.UNKNOWN, (), "a compiler's word on this size would settle it"
    if ids:
        return Kind.UNEXPECTED_PASS, ids, _NARROW
    return Kind.EXPECTED_PASS, (), ""


def _find_failed(
    ordered: Sequence[Outcome], blockers: Sequence[Blocked], claiming: Sequence[Entry], today: date
) -> _Finding:
    ids = [entry.id for entry in claiming]
    covering = [name for blocker in blockers for name in blocker.entries]
    if not covering:
        if not claiming:
            return Kind.UNEXPECTED_FAILURE, (), "a new failure: mend it, or give its root cause an entry"
        return (
            Kind.WRONG_FAILURE,
            ids,
            "another root cause than the entry's: mend it, or give it an entry of its own",
        )
    bare = [blocker for blocker in blockers if not blocker.entries]
    if bare:
        return (
            Kind.UNEXPECTED_FAILURE,
            covering,
            "a blocker beside the known ones: mend it, or give it an entry",
        )
    doubled = [blocker for blocker in blockers if len(blocker.entries) > 1]
    if doubled:
        return Kind.OVERLAP, doubled[0].entries, "two entries cover one blocker: narrow or remove one of them"
    idle = [entry.id for entry in claiming if entry.id not in covering and _owes_proof(entry, ordered)]
    if idle:
        return Kind.UNCONFIRMED, idle, _NARROW
    past = [entry.id for entry in claiming if entry.id in covering and entry.review < today]
    if past:
        return (
            Kind.EXPIRED,
            past,
            "look again whether the entry still holds, then set its `review` to a later day",
        )
    return Kind.EXPECTED_FAILURE, covering, ""


def _owes_proof(entry: Entry, ordered: Sequence[Outcome]) -> bool:
    """True when the entry's stage was reached by a toolchain that lists every blocker it knows."""
    reached = [outcome for outcome in ordered if outcome.stage is entry.stage]
    return any(
        outcome.provenance.exhaustive and outcome.status in (Status.PASSED, Status.FAILED, Status.UNKNOWN)
        for outcome in reached
    )


def _expected(claiming: Sequence[Entry]) -> str:
    if not claiming:
        return "pass"
    return "; ".join(f"failure at {entry.stage.value}, {entry.family} (entry {entry.id})" for entry in claiming)


def _happened(ordered: Sequence[Outcome], blockers: Sequence[Blocked]) -> str:
    """The way the case ended, in a line; `predicted` where nobody observed it."""
    ends = (Status.INFRA, Status.FAILED, Status.UNKNOWN, Status.SKIPPED, Status.BLOCKED)
    end = next((outcome for status in ends for outcome in ordered if outcome.status is status), ordered[-1])
    known = "predicted " if end.provenance.predicted else ""
    if end.status is Status.PASSED:
        return f"{known}pass at {end.stage.value}"
    if end.status is not Status.FAILED:
        doubts = "; ".join(f"{doubt.family}: {doubt.message}" for doubt in end.doubts[:2])
        by = f" by {end.blocked_by.value}" if end.blocked_by else ""
        return f"{known}{end.status.value}{by} at {end.stage.value}: {end.reason or doubts or 'no reason was given'}"
    told = [blocker.failure for blocker in blockers if not blocker.entries] or [b.failure for b in blockers]
    if not told:
        return f"{known}failure at {end.stage.value}: {end.reason or 'no blocker was named'}"
    first = told[0]
    layers = f" [{short_layers(first.layers)}]" if first.layers else ""
    more = f"; and {len(told) - 1} more" if len(told) > 1 else ""
    return f"{known}failure at {first.stage}, {first.family}{layers}: {_one_line(first.message)}{more}"


def _one_line(text: str, width: int = 160) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= width else flat[: width - 1] + "…"
