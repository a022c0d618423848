"""The judgement of a case: its outcomes compared with the entries of the ledger that claim it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from typing import NamedTuple

from typing_extensions import assert_never

from tasnet.common import short_layers
from tasnet.hailo import Failure
from tasnet.suite.cases import STAGES, Outcome, Stage, Status, Verdict, verdict_of
from tasnet.suite.ledger.entry import Entry, claims, covers, in_scope
from tasnet.suite.ledger.flaky import FailureCount, RateError, rate_error, rate_hint
from tasnet.suite.ledger.where import Axes


class JudgementKind(str, Enum):
    """How a case's outcomes compare with the ledger."""

    EXPECTED_PASS = "expected_pass"
    EXPECTED_FAILURE = "expected_failure"
    """fails as its entries say; the one kind that is always reported as xfail"""
    UNEXPECTED_FAILURE = "unexpected_failure"
    """fails, or has a blocker, that no entry covers"""
    WRONG_FAILURE = "wrong_failure"
    """entries claim it, and its failure matches none of them"""
    UNEXPECTED_PASS = "unexpected_pass"
    """entries claim it, and it passes"""
    OVERLAP = "overlap"
    """two entries cover one blocker"""
    EXPIRED = "expired"
    """fails as expected, and the review date of its entry is past"""
    UNCONFIRMED = "unconfirmed"
    """an entry claims it, and a toolchain that lists every blocker finds none of that entry's"""
    FLAKY = "flaky"
    """passes or fails as a flaky entry says, at its rate; fails no run, and is always listed"""
    OFF_RATE = "off_rate"
    """a flaky entry's case fails more often, or less, than the entry says"""
    NOT_COMPILED = "not_compiled"
    """no stage failed, and the compile was not asked for: neither a pass nor a failure"""
    UNKNOWN = "unknown"
    """the toolchain can't tell, or the stage was not run; skipped with the reason"""
    UNCLASSIFIED = "unclassified"
    """the compiler's message is unknown; an error of the run that says nothing of the network"""
    INFRA = "infra"
    """the tool broke down; an error of the run, not a failure of the network"""


PASSING_KINDS = frozenset(
    {
        JudgementKind.EXPECTED_PASS,
        JudgementKind.EXPECTED_FAILURE,
        JudgementKind.FLAKY,
        JudgementKind.NOT_COMPILED,
        JudgementKind.UNKNOWN,
    }
)
"""The kinds that don't fail a run."""

WARNING = timedelta(days=7)
"""How long before its day of review an entry is warned of."""


@dataclass(frozen=True)
class Blocker:
    """A failure of a case and the ids of the entries that claim the case and cover the failure."""

    failure: Failure
    entries: tuple[str, ...]


@dataclass(frozen=True)
class BlockedStage:
    """A stage that was not reached, the earlier stage that failed, and the entries that cover that failure."""

    stage: Stage
    by: Stage
    entries: tuple[str, ...]

    def __str__(self) -> str:
        cause = f" (entry {', '.join(self.entries)})" if self.entries else ""
        return f"{self.stage.value} blocked by {self.by.value}{cause}"


@dataclass(frozen=True)
class Judgement:
    """`entries` are those the kind is about; `expected`, `happened` and `hint` are one line each for a person."""

    kind: JudgementKind
    entries: tuple[str, ...]
    expected: str
    happened: str
    hint: str
    blockers: tuple[Blocker, ...] = ()
    upstream: tuple[BlockedStage, ...] = ()
    """of each stage that was blocked, the one cause"""
    rate_error: RateError | None = None
    """of OFF_RATE: on which side the entry's rate is refuted"""


def judge(
    axes: Axes,
    outcomes: Mapping[Stage, Outcome],
    entries: Iterable[Entry],
    today: date,
    seen: Mapping[str, FailureCount] | None = None,
) -> Judgement:
    """Judges a case with these axes by its outcomes, which are those of every stage up to the last one asked for.

    Entries of a later stage than that, of another toolchain or version, or that don't claim the case, don't
    count. The blockers of a case are the failures at all its stages. Where the toolchain is exhaustive each of them
    must be covered, and every entry that claims the case must cover one, unless a stage before the entry's failed.
    Where it isn't, it may name one blocker of several, and one covering entry is enough.

    The case of a flaky entry may pass, or fail as the entry says, as long as the earlier runs (`seen`, by the entry's
    id) don't refute its rate.
    """
    if not outcomes:
        raise ValueError("a case without outcomes can't be judged")
    ordered = [outcomes[stage] for stage in STAGES if stage in outcomes]
    last = ordered[-1]
    reached = STAGES[: STAGES.index(last.stage) + 1]
    by = last.provenance
    claiming = [
        entry
        for entry in entries
        if claims(entry, axes, by.toolchain) and entry.stage in reached and in_scope(entry, by.toolchain, by.version)
    ]
    blockers = tuple(
        Blocker(failure, tuple(entry.id for entry in claiming if covers(entry, failure)))
        for outcome in ordered
        for failure in outcome.failures
    )
    found = _conclude(ordered, blockers, claiming, today, seen or {})
    blocked = blocked_stages(outcomes, blockers)
    return Judgement(
        found.kind,
        tuple(dict.fromkeys(found.entries)),
        _expected(claiming),
        "; ".join([_happened(ordered, blockers), *map(str, blocked)]),
        found.hint,
        blockers,
        blocked,
        found.rate_error,
    )


def blocked_stages(outcomes: Mapping[Stage, Outcome], blockers: Sequence[Blocker]) -> tuple[BlockedStage, ...]:
    """For each blocked stage the failed stage before it, and the entries that cover its failures."""
    found = []
    for stage in STAGES:
        by: Stage | None = stage
        # The stage in the way may itself have been blocked.
        while by and by in outcomes and outcomes[by].status is Status.BLOCKED:
            earlier = outcomes[by].blocked_by
            by = earlier if earlier and STAGES.index(earlier) < STAGES.index(by) else None
        if by and by is not stage:
            covering = (name for each in blockers if each.failure.stage == by.value for name in each.entries)
            found.append(BlockedStage(stage, by, tuple(dict.fromkeys(covering))))
    return tuple(found)


def due_for_review(entries: Iterable[Entry], today: date) -> tuple[Entry, ...]:
    """The entries whose day of review is at most a week away, and not past."""
    return tuple(entry for entry in entries if today <= entry.review <= today + WARNING)


class _Conclusion(NamedTuple):
    kind: JudgementKind
    entries: Sequence[str]
    hint: str
    rate_error: RateError | None = None


_NARROW = "narrow the entry's `where` so that it leaves this case out, or remove the entry"


def _conclude(
    ordered: Sequence[Outcome],
    blockers: Sequence[Blocker],
    claiming: Sequence[Entry],
    today: date,
    seen: Mapping[str, FailureCount],
) -> _Conclusion:
    steady = [entry.id for entry in claiming if not entry.flaky]
    verdict = verdict_of(ordered)
    learned = verdict not in (Verdict.BROKE_DOWN, Verdict.UNCLASSIFIED)
    if learned and any(outcome.status is Status.FAILED for outcome in ordered):
        return _conclude_failed(ordered, blockers, claiming, today, seen)
    match verdict:
        case Verdict.BROKE_DOWN:
            return _Conclusion(JudgementKind.INFRA, (), "mend the tool and run again; the network is not at fault")
        case Verdict.UNCLASSIFIED:
            hint = "read its log: mend the set-up, or report the message so that it becomes a known one"
            return _Conclusion(JudgementKind.UNCLASSIFIED, (), hint)
        case Verdict.BLOCKED:
            return _conclude_failed(ordered, blockers, claiming, today, seen)
        case Verdict.UNKNOWN:
            untold = next((each for each in ordered if each.status is Status.UNKNOWN), ordered[-1])
            # An entry of a stage that was not reached needs no confirmation.
            owing = [entry.id for entry in claiming if not entry.flaky and _owes_proof(entry, ordered)]
            if owing and untold.provenance.exhaustive:
                hint = "the toolchain can't tell; narrow the entry's `where`, or bring evidence"
                return _Conclusion(JudgementKind.UNCONFIRMED, owing, hint)
            return _Conclusion(JudgementKind.UNKNOWN, (), "only a compiler can tell")
        case Verdict.NOT_COMPILED if any(each.status is Status.SKIPPED for each in ordered):
            return _Conclusion(JudgementKind.UNKNOWN, (), "only a compiler can tell")
        case Verdict.NOT_COMPILED | Verdict.CLEAR_OBSERVED | Verdict.CLEAR_EXTRAPOLATED:
            if steady:
                return _Conclusion(JudgementKind.UNEXPECTED_PASS, steady, _NARROW)
            if claiming:
                return _conclude_flaky(claiming, [entry.id for entry in claiming], today, seen)
            if verdict is Verdict.NOT_COMPILED:
                return _Conclusion(JudgementKind.NOT_COMPILED, (), "pytest -m compile takes it as far as the compile")
            return _Conclusion(JudgementKind.EXPECTED_PASS, (), "")
        case _:
            assert_never(verdict)


def _conclude_failed(
    ordered: Sequence[Outcome],
    blockers: Sequence[Blocker],
    claiming: Sequence[Entry],
    today: date,
    seen: Mapping[str, FailureCount],
) -> _Conclusion:
    ids = [entry.id for entry in claiming]
    covering = [name for blocker in blockers for name in blocker.entries]
    if not covering:
        if not claiming:
            return _Conclusion(
                JudgementKind.UNEXPECTED_FAILURE, (), "a new failure: mend it, or give its root cause an entry"
            )
        return _Conclusion(
            JudgementKind.WRONG_FAILURE,
            ids,
            "another root cause than the entry's: mend it, or give it an entry of its own",
        )
    bare = [blocker for blocker in blockers if not blocker.entries]
    if bare:
        return _Conclusion(
            JudgementKind.UNEXPECTED_FAILURE,
            covering,
            "a blocker beside the known ones: mend it, or give it an entry",
        )
    doubled = [blocker for blocker in blockers if len(blocker.entries) > 1]
    if doubled:
        return _Conclusion(
            JudgementKind.OVERLAP, doubled[0].entries, "two entries cover one blocker: narrow or remove one of them"
        )
    owing = [entry for entry in claiming if _owes_proof(entry, ordered)]
    idle = [entry.id for entry in owing if entry.id not in covering and not entry.flaky]
    if idle:
        return _Conclusion(JudgementKind.UNCONFIRMED, idle, _NARROW)
    shown = [entry for entry in claiming if entry.id in covering or (entry.flaky and entry in owing)]
    if any(entry.flaky for entry in shown):
        return _conclude_flaky(shown, [*covering, *(entry.id for entry in shown)], today, seen)
    past = _past_review(shown, today)
    return past or _Conclusion(JudgementKind.EXPECTED_FAILURE, covering, "")


def _conclude_flaky(
    shown: Sequence[Entry], about: Sequence[str], today: date, seen: Mapping[str, FailureCount]
) -> _Conclusion:
    """For a case that passes, or fails as its entries say, where one of them is flaky."""
    past = _past_review(shown, today)
    if past:
        return past
    for entry in shown:
        count = seen.get(entry.id, FailureCount())
        if entry.flaky and (error := rate_error(entry.flaky, count)):
            return _Conclusion(JudgementKind.OFF_RATE, [entry.id], rate_hint(error, entry.flaky, count), error)
    return _Conclusion(JudgementKind.FLAKY, about, "")


def _past_review(shown: Sequence[Entry], today: date) -> _Conclusion | None:
    past = [entry.id for entry in shown if entry.review < today]
    if not past:
        return None
    return _Conclusion(
        JudgementKind.EXPIRED, past, "look again whether the entry still holds, then set its `review` to a later day"
    )


def _owes_proof(entry: Entry, ordered: Sequence[Outcome]) -> bool:
    """True when a toolchain that lists every blocker judged the entry's stage, so that one must be the entry's."""
    return any(outcome.stage is entry.stage and outcome.judged and outcome.provenance.exhaustive for outcome in ordered)


def _expected(claiming: Sequence[Entry]) -> str:
    if not claiming:
        return "pass"
    return "; ".join(
        f"failure at {entry.stage.value}, {entry.family} (entry {entry.id}"
        + (f", flaky: {entry.flaky.rate:g} of the runs)" if entry.flaky else ")")
        for entry in claiming
    )


def _happened(ordered: Sequence[Outcome], blockers: Sequence[Blocker]) -> str:
    """How the case ended, in a line; with `predicted` where it was not observed."""
    ends = (Status.INFRA, Status.UNCLASSIFIED, Status.FAILED, Status.UNKNOWN, Status.SKIPPED, Status.BLOCKED)
    end = next((outcome for status in ends for outcome in ordered if outcome.status is status), ordered[-1])
    known = "predicted " if end.provenance.predicted else ""
    if end.status is Status.PASSED:
        warned = f", {_one_line(end.reason)}" if end.figures.get("warnings") else ""
        return f"{known}pass at {end.stage.value}{warned}"
    if end.status is not Status.FAILED:
        doubts = "; ".join(f"{doubt.family}: {doubt.message}" for doubt in end.doubts[:2])
        by = f" by {end.blocked_by.value}" if end.blocked_by else ""
        return f"{known}{end.status.value}{by} at {end.stage.value}: {end.reason or doubts or 'no reason was given'}"
    failures = [blocker.failure for blocker in blockers if not blocker.entries] or [b.failure for b in blockers]
    if not failures:
        return f"{known}failure at {end.stage.value}: {end.reason or 'no blocker was named'}"
    first = failures[0]
    layers = f" [{short_layers(first.layers)}]" if first.layers else ""
    more = f"; and {len(failures) - 1} more" if len(failures) > 1 else ""
    return f"{known}failure at {first.stage}, {first.family}{layers}: {_one_line(first.message)}{more}"


def _one_line(text: str, width: int = 160) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= width else flat[: width - 1] + "…"
