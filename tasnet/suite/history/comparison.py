"""What changed from one run to another, grouped by what changed and not by case."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from tasnet.common import short_layers
from tasnet.hailo import Failure
from tasnet.suite.cases import STAGES, Outcome, Stage, Status, Verdict, severity, verdict_of
from tasnet.suite.history.plans import PlanRecord, plan_change
from tasnet.suite.history.records import CaseRecord
from tasnet.suite.history.run import ParityFigure, RunError, RunHead, StoredRun
from tasnet.suite.ledger import PASSING_KINDS

SIZE_NOISE, SIZE_SHARE = 1e-6, 0.05
"""a figure that moved by less than the first share hasn't; one that grew by more than the second got worse"""

EXACT_DB, NOISE_DB, LOSS_DB = 140.0, 0.5, 3.0
"""an SNR above the first is float32's own noise; one that moved by less than the second hasn't; a loss of the third is
worse: half the distance again"""

SLOWER_SHARE, SLOWER_SECONDS = 0.5, 1.0
"""a stage is slower when it took longer by this share and by this many seconds"""


class CaseChange(str, Enum):
    """What became of a case, in the order in which a person wants to read it."""

    NEWLY_FAILING = "newly failing"
    NEWLY_PASSING = "newly passing"
    FAILURE = "changed failure"
    KIND = "changed kind"
    PLAN = "changed plan"
    NUMBERS = "changed numbers"
    SLOWER = "slower"
    GONE = "only before"
    NEW = "only after"


@dataclass(frozen=True)
class ChangeGroup:
    """The cases to which the same happened. `detail` is that of the first of them, where they differ in it."""

    change: CaseChange
    what: str
    worse: bool
    cases: tuple[str, ...]
    detail: str = ""


@dataclass(frozen=True)
class RunComparison:
    """`differences` are those of the runs themselves: options, versions, machine. `same` cases had no change."""

    before: StoredRun
    after: StoredRun
    differences: tuple[str, ...]
    groups: tuple[ChangeGroup, ...]
    compared: int
    same: int

    @property
    def worse(self) -> bool:
        """Whether anything got worse."""
        return any(group.worse for group in self.groups)


@dataclass(frozen=True)
class _FoundChange:
    change: CaseChange
    what: str
    worse: bool
    detail: str = ""


def compare_runs(before: StoredRun, after: StoredRun) -> RunComparison:
    """What changed. Cases are compared at the stages that both runs took them to.

    Raises RunError where nothing can be compared: what one run predicts and the other observes, or no case in both.
    """
    if before.head.known != after.head.known:
        raise RunError(
            f"run {before.id} is {before.head.known} and run {after.id} {after.head.known}: a prediction that the "
            "compiler doesn't bear out is no change; pytest -m compile --tasnet-toolchain dfc sets the two side by side"
        )
    old = {record.case_id: record for record in before.records}
    new = {record.case_id: record for record in after.records}
    distances = _distances(before.measures, after.measures)
    both = list(dict.fromkeys([*(case for case in old if case in new), *distances]))
    if not both:
        raise RunError(
            f"runs {before.id} and {after.id} have no case in common: {before.head.profile} on {before.head.arch}, "
            f"and {after.head.profile} on {after.head.arch}; compare two of one profile and architecture"
        )
    one_machine = _machine(before.head) == _machine(after.head)
    found = {case: [*_case(old[case], new[case], one_machine)] for case in old if case in new}
    for case, measured in distances.items():
        found.setdefault(case, []).extend(measured)
    for case, change in _plans(before.plans, after.plans):
        found.setdefault(case, []).append(change)
    changed = sum(bool(found[case]) for case in both)
    for case in (*old, *(case for case in new if case not in old)):
        if case not in new:
            found.setdefault(case, []).append(_FoundChange(CaseChange.GONE, _judged(old[case])[0], False))
        elif case not in old:
            found.setdefault(case, []).append(_FoundChange(CaseChange.NEW, *_judged(new[case])))
    return RunComparison(
        before, after, tuple(differences(before.head, after.head)), _grouped(found), len(both), len(both) - changed
    )


def differences(before: RunHead, after: RunHead) -> Iterator[str]:
    """How the runs themselves differ, a line each: whoever reads the rest must know it."""
    for what, one, other in (
        ("profile", before.profile, after.profile),
        ("architecture", before.arch, after.arch),
        ("toolchain", before.told_by, after.told_by),
        ("options", " ".join(before.repeat), " ".join(after.repeat)),
        ("checkpoint", before.checkpoint, after.checkpoint),
        ("ledger", before.ledger_sha256[:12], after.ledger_sha256[:12]),
        ("commit", commit(before), commit(after)),
        *((name, *versions) for name, versions in _versions(before, after)),
        ("machine", _machine(before), _machine(after)),
    ):
        if one != other:
            yield f"{what}: {one or 'none'} -> {other or 'none'}"


def commit(head: RunHead) -> str:
    """`1a2b3c4`, with `+` behind it where files differed from the commit; empty outside git."""
    return head.origin.commit[:7] + "+" * head.origin.dirty


def _versions(before: RunHead, after: RunHead) -> Iterator[tuple[str, tuple[str, str]]]:
    for name in sorted({*before.origin.versions, *after.origin.versions}):
        yield name, (before.origin.versions.get(name, ""), after.origin.versions.get(name, ""))


def _machine(head: RunHead) -> str:
    return f"{head.origin.processor}, {head.origin.cores} cores, {head.origin.system}"


# --- one case ----------------------------------------------------------------------------------------------


def _case(before: CaseRecord, after: CaseRecord, one_machine: bool) -> Iterator[_FoundChange]:
    common = [stage for stage in STAGES if stage in before.stages and stage in after.stages]
    old, new = (_Ended([record.by_stage[stage] for stage in common]) for record in (before, after))
    judged = before.stage is after.stage
    kinds = judged and before.kind is not after.kind
    now = f"; {_word(before.kind.value)} -> {_word(after.kind.value)}" if kinds else ""
    broken = kinds and before.kind in PASSING_KINDS and after.kind not in PASSING_KINDS
    ranks = old.rank, new.rank
    if None not in ranks and ranks[0] != ranks[1]:
        worse = (ranks[1] or 0) > (ranks[0] or 0)
        blocked = new if worse else old
        families = ", ".join(sorted({each.family for each in (*blocked.failures, *blocked.doubts)}))
        what = f"{old.word} -> {new.word}: {families or 'no blocker was named'}{now}"
        change = CaseChange.NEWLY_FAILING if worse else CaseChange.NEWLY_PASSING
        yield _FoundChange(change, what, worse or broken, after.happened if worse else before.happened)
    else:
        yield from _failures(old.failures, new.failures, after)
        if kinds:
            yield _FoundChange(CaseChange.KIND, now.removeprefix("; "), broken, after.happened)
        elif judged and old.verdict.is_clear and new.verdict.is_clear and old.verdict is not new.verdict:
            certainties = [each.verdict.value.partition(", ")[2] for each in (old, new)]
            worse = new.verdict is not Verdict.CLEAR_OBSERVED
            yield _FoundChange(CaseChange.KIND, f"clear: {certainties[0]} -> {certainties[1]}", worse)
        elif not judged and Verdict.NOT_COMPILED in (before.verdict, after.verdict):
            # What is compared is what both were taken to: that one of them goes further is said.
            yield _FoundChange(
                CaseChange.KIND, f"{before.verdict.value} -> {after.verdict.value}", False, after.happened
            )
    for stage in common:
        yield from _figures(before.by_stage[stage], after.by_stage[stage])
        yield from _times(before.by_stage[stage], after.by_stage[stage], one_machine)


@dataclass(frozen=True)
class _Ended:
    """A case at some of its stages."""

    outcomes: Sequence[Outcome]

    @property
    def verdict(self) -> Verdict:
        """Of these stages alone."""
        return verdict_of(self.outcomes)

    @property
    def word(self) -> str:
        """The verdict, `passed` for stages before the compile that all did."""
        return "passed" if self._before_the_compile else self.verdict.word

    @property
    def rank(self) -> int | None:
        """How bad it is; None where nothing was learned. Both runs were taken to these stages, so passing them is 0."""
        return 0 if self._before_the_compile else severity(self.verdict)

    @property
    def _before_the_compile(self) -> bool:
        reached = all(outcome.stage in (Stage.EXPORT, Stage.TRANSLATE, Stage.OPTIMIZE) for outcome in self.outcomes)
        return reached and all(outcome.status is Status.PASSED for outcome in self.outcomes)

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Of all stages."""
        return tuple(failure for outcome in self.outcomes for failure in outcome.failures)

    @property
    def doubts(self) -> tuple[Failure, ...]:
        """Of all stages."""
        return tuple(doubt for outcome in self.outcomes for doubt in outcome.doubts)


def _failures(before: Sequence[Failure], after: Sequence[Failure], record: CaseRecord) -> Iterator[_FoundChange]:
    """Families that came and went, and families whose words or layers are others."""
    old, new = _by_family(before), _by_family(after)
    covered = {blocker.failure.family: blocker.entries for blocker in record.blockers}
    for key in sorted({*old, *new}):
        stage, family = key
        if key not in old:
            by = ", ".join(covered.get(family, ())) or "no entry"
            detail = "; ".join(f"[{short_layers(each.layers)}]" for each in new[key] if each.layers)
            yield _FoundChange(CaseChange.FAILURE, f"gained {family} at {stage} ({by})", True, detail)
        elif key not in new:
            yield _FoundChange(CaseChange.FAILURE, f"lost {family} at {stage}", False)
        else:
            layers = [sorted({layer for each in those for layer in each.layers}) for those in (old[key], new[key])]
            words = [sorted(" ".join(each.message.split()) for each in those) for those in (old[key], new[key])]
            parts = ["layers"] * (layers[0] != layers[1]) + ["message"] * (words[0] != words[1])
            if parts:
                detail = f"[{short_layers(layers[0])}] -> [{short_layers(layers[1])}]" if "layers" in parts else ""
                yield _FoundChange(
                    CaseChange.FAILURE, f"{family} at {stage}: other {' and '.join(parts)}", False, detail
                )


def _by_family(failures: Iterable[Failure]) -> dict[tuple[str, str], list[Failure]]:
    found: dict[tuple[str, str], list[Failure]] = {}
    for failure in failures:
        found.setdefault((failure.stage, failure.family), []).append(failure)
    return found


def _plans(before: Sequence[PlanRecord], after: Sequence[PlanRecord]) -> Iterator[tuple[str, _FoundChange]]:
    """What became of the plans that both runs have."""
    known = {plan.network: plan for plan in before}
    for plan in after:
        change = plan_change(known[plan.network], plan) if plan.network in known else None
        if change:
            yield change.network, _FoundChange(CaseChange.PLAN, f"{change.name}: {change.what}", change.worse)


def _figures(before: Outcome, after: Outcome) -> Iterator[_FoundChange]:
    """Counts and sizes that moved. Text among the figures is the name of a file: another one each time."""
    for name, old in before.figures.items():
        new = after.figures.get(name)
        if isinstance(old, str) or not isinstance(new, int | float) or math.isclose(old, new, rel_tol=SIZE_NOISE):
            continue
        grown = new > old * (1 + SIZE_SHARE)
        way = f"more than {SIZE_SHARE:.0%} up" if grown else "up" if new > old else "down"
        yield _FoundChange(CaseChange.NUMBERS, f"{name} at {before.stage.value}: {way}", grown, f"{old:,} -> {new:,}")


def _times(before: Outcome, after: Outcome, one_machine: bool) -> Iterator[_FoundChange]:
    """A stage that took longer. One read from the store has the time of when it was run: the same, to the digit."""
    slower = after.seconds - before.seconds
    if slower > SLOWER_SECONDS and slower > SLOWER_SHARE * before.seconds:
        elsewhere = "" if one_machine else ", on another machine"
        detail = f"{before.seconds:.1f} s -> {after.seconds:.1f} s"
        yield _FoundChange(CaseChange.SLOWER, f"{before.stage.value}{elsewhere}", one_machine, detail)


def _distances(before: Iterable[ParityFigure], after: Iterable[ParityFigure]) -> dict[str, list[_FoundChange]]:
    """The cases that both runs measured, and what moved there."""
    old = {(each.case_id, each.stage): each for each in before}
    found: dict[str, list[_FoundChange]] = {}
    for new in after:
        known = old.get((new.case_id, new.stage))
        if known is None or known.length != new.length:
            continue
        findings = found.setdefault(new.case_id, [])
        gain = min(new.snr_db, EXACT_DB) - min(known.snr_db, EXACT_DB)
        if abs(gain) <= NOISE_DB or (math.isnan(new.snr_db) and math.isnan(known.snr_db)):
            continue
        # NaN is no number of decibels, and the worst
        worse = not gain > -LOSS_DB
        way = f"{LOSS_DB:g} dB or more lost" if worse else "up" if gain > 0 else "down"
        detail = f"{known.snr_db:.1f} dB -> {new.snr_db:.1f} dB"
        findings.append(_FoundChange(CaseChange.NUMBERS, f"parity of {new.stage}: {way}", worse, detail))
    return found


def _judged(record: CaseRecord) -> tuple[str, bool, str]:
    """What a case is that only one run has."""
    return f"{record.verdict.word}, {_word(record.kind.value)}", record.kind not in PASSING_KINDS, record.happened


def _word(value: str) -> str:
    return value.replace("_", " ")


def _grouped(found: Mapping[str, Iterable[_FoundChange]]) -> tuple[ChangeGroup, ...]:
    """What got worse before all else, then by kind of change, then the most cases first."""
    groups: dict[tuple[CaseChange, str, bool], list[str]] = {}
    details: dict[tuple[CaseChange, str, bool], str] = {}
    for case, findings in found.items():
        for each in findings:
            key = each.change, each.what, each.worse
            groups.setdefault(key, []).append(case)
            details.setdefault(key, each.detail)
    order = list(CaseChange)
    keys = sorted(groups, key=lambda key: (not key[2], order.index(key[0]), -len(groups[key]), key[1]))
    return tuple(ChangeGroup(*key, tuple(dict.fromkeys(groups[key])), details[key]) for key in keys)
