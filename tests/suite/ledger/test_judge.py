"""The truth table: what the ledger expects x what happened, for toolchains that list all blockers and others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from itertools import combinations

import pytest

from tasnet.common.words import short_layers
from tasnet.hailo.failures import Failure
from tasnet.suite.cases.case import Case
from tasnet.suite.cases.names import parse_case
from tasnet.suite.cases.outcome import Outcome, Stage, Status
from tasnet.suite.history.records import CaseRecord, case_record
from tasnet.suite.ledger import Entry, parse_ledger
from tasnet.suite.ledger.entry import Flaky
from tasnet.suite.ledger.flaky import FailureCount, RateError
from tasnet.suite.ledger.judgement import PASSING_KINDS, BlockedStage, JudgementKind, due_for_review, judge
from tests.doubles.ledgers import PATH, entry_text, ledger_text
from tests.doubles.outcomes import DFC, REFERENCE, SUPER_DECONV, failure, outcomes

TODAY = date(2026, 6, 1)
CASE = parse_case("concat-normal-grouped-all")
MEMORY = failure("memory_units", "Memory units capacity exceeded", "deconv1")
OPTIMIZE = failure("unsupported_dimensions", "unsupported dimensions", "prelu1")


def entry(
    name: str,
    fails: Failure,
    where: str = "{decoder: grouped}",
    review: str = "2027-02-17",
    arch: str = "hailo8",
    layers: str = "'*'",
    toolchain: str = "{reference: '*', dfc: '>=3.33,<3.35'}",
) -> Entry:
    """An entry that covers `fails`."""
    named = f"    layers: [{layers}]\n"
    text = entry_text(name, where, fails.family, fails.stage, fails.message, toolchain, review, f"[{arch}]", named)
    return parse_ledger(ledger_text(text), PATH).entries[0]


DECONV, UNITS, QUANT = entry("deconv", SUPER_DECONV), entry("units", MEMORY), entry("quant", OPTIMIZE)
AGAIN = entry("again", SUPER_DECONV)
OLD = entry("old", SUPER_DECONV, review="2026-05-31")
ELSEWHERE = entry("elsewhere", SUPER_DECONV, where="{decoder: polyphase}")
OTHER_ARCH = entry("other-arch", SUPER_DECONV, arch="hailo8l")
OTHER_TOOL = entry("other-tool", SUPER_DECONV, toolchain="{dfc: '>=4'}")
OTHER_LAYER = entry("other-layer", SUPER_DECONV, layers="'conv*'")

PASS = outcomes()
UNKNOWN = outcomes(status=Status.UNKNOWN, reason="a row in the untested range")
INFRA = outcomes(status=Status.INFRA, reason="no memory")
UNCLASSIFIED = outcomes(status=Status.UNCLASSIFIED, reason="NewError: of no known words")
SKIPPED = outcomes(status=Status.SKIPPED, reason="no chip")
UNREAD = {
    stage: outcome.model_copy(
        update={"status": Status.UNKNOWN, "blocked_by": None if stage is Stage.TRANSLATE else Stage.TRANSLATE}
    )
    if stage is not Stage.EXPORT
    else outcome
    for stage, outcome in PASS.items()
}
"""the translation can't be told, so that nothing behind it was asked"""
ONE, BOTH = outcomes(SUPER_DECONV), outcomes(SUPER_DECONV, MEMORY)
EARLY = outcomes(OPTIMIZE)
NAMELESS = {**PASS, Stage.COMPILE: Outcome(stage=Stage.COMPILE, status=Status.FAILED, provenance=REFERENCE)}

K = JudgementKind
TABLE: dict[str, tuple[Mapping[Stage, Outcome], tuple[Entry, ...], JudgementKind, tuple[str, ...]]] = {
    # nothing expected
    "pass": (PASS, (), K.EXPECTED_PASS, ()),
    "failure": (ONE, (), K.UNEXPECTED_FAILURE, ()),
    "failure without a name": (NAMELESS, (), K.UNEXPECTED_FAILURE, ()),
    "unknown": (UNKNOWN, (), K.UNKNOWN, ()),
    "not read": (UNREAD, (), K.UNKNOWN, ()),
    "not read, expected to fail later": (UNREAD, (DECONV,), K.UNKNOWN, ()),
    "skipped": (SKIPPED, (), K.UNKNOWN, ()),
    "infra": (INFRA, (), K.INFRA, ()),
    "unclassified": (UNCLASSIFIED, (), K.UNCLASSIFIED, ()),
    # a failure expected
    "pass, expected to fail": (PASS, (DECONV,), K.UNEXPECTED_PASS, ("deconv",)),
    "as expected": (ONE, (DECONV,), K.EXPECTED_FAILURE, ("deconv",)),
    "another": (ONE, (UNITS,), K.WRONG_FAILURE, ("units",)),
    "no name": (NAMELESS, (DECONV,), K.WRONG_FAILURE, ("deconv",)),
    "at another layer": (ONE, (OTHER_LAYER,), K.WRONG_FAILURE, ("other-layer",)),
    "unknown, expected to fail": (UNKNOWN, (DECONV,), K.UNCONFIRMED, ("deconv",)),
    "skipped, expected to fail": (SKIPPED, (DECONV,), K.UNKNOWN, ()),
    "infra, expected to fail": (INFRA, (DECONV,), K.INFRA, ()),
    "unclassified, expected to fail": (UNCLASSIFIED, (DECONV,), K.UNCLASSIFIED, ()),
    "both, one expected": (BOTH, (DECONV,), K.UNEXPECTED_FAILURE, ("deconv",)),
    "both expected": (BOTH, (DECONV, UNITS), K.EXPECTED_FAILURE, ("deconv", "units")),
    "one, both expected": (ONE, (DECONV, UNITS), K.UNCONFIRMED, ("units",)),
    "two entries for one": (ONE, (DECONV, AGAIN), K.OVERLAP, ("deconv", "again")),
    "two entries for one beside a new one": (BOTH, (DECONV, AGAIN), K.UNEXPECTED_FAILURE, ("deconv", "again")),
    "past review": (ONE, (OLD,), K.EXPIRED, ("old",)),
    "past review and passing": (PASS, (OLD,), K.UNEXPECTED_PASS, ("old",)),
    "past review and failing otherwise": (outcomes(MEMORY), (OLD,), K.WRONG_FAILURE, ("old",)),
    # entries that have no say
    "of other cases": (ONE, (ELSEWHERE,), K.UNEXPECTED_FAILURE, ()),
    "of another architecture": (ONE, (OTHER_ARCH,), K.UNEXPECTED_FAILURE, ()),
    "of another toolchain": (ONE, (OTHER_TOOL,), K.UNEXPECTED_FAILURE, ()),
    "pass, of others": (PASS, (ELSEWHERE, OTHER_ARCH, OTHER_TOOL), K.EXPECTED_PASS, ()),
    # an earlier stage
    "early": (EARLY, (), K.UNEXPECTED_FAILURE, ()),
    "early as expected": (EARLY, (QUANT,), K.EXPECTED_FAILURE, ("quant",)),
    "early, a later stage's entry owes nothing": (EARLY, (QUANT, DECONV), K.EXPECTED_FAILURE, ("quant",)),
    "early, only later expected": (EARLY, (DECONV,), K.WRONG_FAILURE, ("deconv",)),
    "late, early expected too": (ONE, (QUANT, DECONV), K.UNCONFIRMED, ("quant",)),
}


@pytest.mark.parametrize(("ended", "entries", "kind", "about"), TABLE.values(), ids=TABLE)
def test_truth_table(
    ended: Mapping[Stage, Outcome], entries: tuple[Entry, ...], kind: JudgementKind, about: tuple[str, ...]
) -> None:
    found = judge(CASE.axes(), ended, entries, TODAY)
    assert (found.kind, found.entries) == (kind, about)
    assert found.expected
    assert found.happened
    assert bool(found.hint) or kind in (JudgementKind.EXPECTED_PASS, JudgementKind.EXPECTED_FAILURE)
    if kind is not JudgementKind.INFRA:
        assert "predicted" in found.happened


def observed(*blockers: Failure, status: Status = Status.PASSED) -> Mapping[Stage, Outcome]:
    return outcomes(*blockers, status=status, by=DFC)


ONE_BY_ONE: dict[str, tuple[Mapping[Stage, Outcome], tuple[Entry, ...], JudgementKind, tuple[str, ...]]] = {
    "pass": (observed(), (), K.EXPECTED_PASS, ()),
    "failure": (observed(SUPER_DECONV), (), K.UNEXPECTED_FAILURE, ()),
    "pass, expected to fail": (observed(), (DECONV, UNITS), K.UNEXPECTED_PASS, ("deconv", "units")),
    "the first of two": (observed(SUPER_DECONV), (DECONV, UNITS), K.EXPECTED_FAILURE, ("deconv",)),
    "the second of two": (observed(MEMORY), (DECONV, UNITS), K.EXPECTED_FAILURE, ("units",)),
    "another": (observed(OPTIMIZE), (DECONV, UNITS), K.WRONG_FAILURE, ("deconv", "units")),
    "two entries for one": (observed(SUPER_DECONV), (DECONV, AGAIN), K.OVERLAP, ("deconv", "again")),
    "past review": (observed(SUPER_DECONV), (OLD, UNITS), K.EXPIRED, ("old",)),
    "infra": (observed(status=Status.INFRA), (DECONV,), K.INFRA, ()),
    "unclassified": (observed(status=Status.UNCLASSIFIED), (DECONV,), K.UNCLASSIFIED, ()),
    "unknown": (observed(status=Status.UNKNOWN), (DECONV,), K.UNKNOWN, ()),
}


@pytest.mark.parametrize(("ended", "entries", "kind", "about"), ONE_BY_ONE.values(), ids=ONE_BY_ONE)
def test_truth_table_of_a_compiler_that_names_one_blocker(
    ended: Mapping[Stage, Outcome], entries: tuple[Entry, ...], kind: JudgementKind, about: tuple[str, ...]
) -> None:
    found = judge(CASE.axes(), ended, entries, TODAY)
    assert (found.kind, found.entries) == (kind, about)
    assert "predicted" not in found.happened


def test_the_day_of_review_is_not_past_it() -> None:
    assert judge(CASE.axes(), ONE, [OLD], date(2026, 5, 31)).kind is JudgementKind.EXPECTED_FAILURE


def test_a_translation_is_judged_by_entries_of_its_stages_alone() -> None:
    ended = {stage: PASS[stage] for stage in (Stage.EXPORT, Stage.TRANSLATE)}
    assert judge(CASE.axes(), ended, [DECONV, UNITS, QUANT], TODAY).kind is JudgementKind.NOT_COMPILED


def test_a_case_without_outcomes_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="without outcomes"):
        judge(CASE.axes(), {}, [], TODAY)


def test_the_order_of_entries_and_outcomes_changes_no_kind() -> None:
    everything = (DECONV, UNITS, QUANT, AGAIN, OLD, ELSEWHERE)
    for ended in (PASS, ONE, BOTH, EARLY, UNKNOWN, INFRA):
        for entries in (*combinations(everything, 2), *combinations(everything, 3)):
            there = judge(CASE.axes(), ended, entries, TODAY)
            back = judge(CASE.axes(), dict(reversed(ended.items())), entries[::-1], TODAY)
            assert there.kind is back.kind
            assert set(there.entries) == set(back.entries)


def test_only_passing_kinds_lack_a_blocker_without_entry() -> None:
    for ended in (ONE, BOTH, EARLY):
        for entries in combinations((DECONV, UNITS, QUANT), 2):
            found = judge(CASE.axes(), ended, entries, TODAY)
            if found.kind in PASSING_KINDS:
                assert all(len(blocker.entries) == 1 for blocker in found.blockers)


def test_what_happened_names_stage_family_layers_and_message() -> None:
    long = failure("reshape_insertion", "Reshape is needed\nfor layers", *(f"conv{i}" for i in range(2, 26)))
    told = judge(Case(CASE.variant).axes(), outcomes(long, MEMORY), [], TODAY).happened
    assert told == (
        "predicted failure at compile, reshape_insertion [conv2, conv3 … (24)]: "
        "Reshape is needed for layers; and 1 more"
    )


def flaky(rate: float = 0.2) -> Entry:
    return replace(DECONV, id="flaky", flaky=Flaky(rate, 20))


FLAKY: dict[str, tuple[Mapping[Stage, Outcome], FailureCount, tuple[Entry, ...], JudgementKind, tuple[str, ...]]] = {
    "passes": (PASS, FailureCount(), (), K.FLAKY, ("flaky",)),
    "fails": (ONE, FailureCount(), (), K.FLAKY, ("flaky",)),
    "at its rate": (ONE, FailureCount(4, 20), (), K.FLAKY, ("flaky",)),
    "always": (ONE, FailureCount(20, 20), (), K.OFF_RATE, ("flaky",)),
    "always, and now it passes": (PASS, FailureCount(20, 20), (), K.OFF_RATE, ("flaky",)),
    "never in 20 runs": (PASS, FailureCount(0, 20), (), K.FLAKY, ("flaky",)),
    "never in 40": (PASS, FailureCount(0, 40), (), K.OFF_RATE, ("flaky",)),
    "fails otherwise": (outcomes(MEMORY), FailureCount(), (), K.WRONG_FAILURE, ("flaky",)),
    "passes beside a steady failure": (outcomes(MEMORY), FailureCount(), (UNITS,), K.FLAKY, ("units", "flaky")),
    "fails beside a steady failure": (BOTH, FailureCount(), (UNITS,), K.FLAKY, ("flaky", "units")),
    "passes where a steady entry fails too": (PASS, FailureCount(), (UNITS,), K.UNEXPECTED_PASS, ("units",)),
    "hidden by an earlier stage": (EARLY, FailureCount(20, 20), (QUANT,), K.EXPECTED_FAILURE, ("quant",)),
    "unknown": (UNKNOWN, FailureCount(), (), K.UNKNOWN, ()),
}


@pytest.mark.parametrize(("ended", "seen", "beside", "kind", "about"), FLAKY.values(), ids=FLAKY)
def test_a_flaky_entry(
    ended: Mapping[Stage, Outcome],
    seen: FailureCount,
    beside: tuple[Entry, ...],
    kind: JudgementKind,
    about: tuple[str, ...],
) -> None:
    found = judge(CASE.axes(), ended, [flaky(), *beside], TODAY, {"flaky": seen})
    assert (found.kind, found.entries) == (kind, about)
    assert found.rate_error is (
        None if kind is not K.OFF_RATE else RateError.TOO_LOW if seen.failed else RateError.TOO_HIGH
    )
    if kind is K.OFF_RATE:
        assert f"{seen.failed} of the last {seen.runs} runs failed, and the entry says 0.2 of them" in found.hint


def test_a_flaky_entry_past_its_review_is_expired_even_if_it_passes() -> None:
    old = replace(flaky(), review=date(2026, 5, 31))
    assert judge(CASE.axes(), PASS, [old], TODAY).kind is K.EXPIRED


def test_what_is_blocked_names_the_stage_and_the_entry_in_its_way() -> None:
    found = judge(CASE.axes(), EARLY, [QUANT, DECONV], TODAY)
    assert found.upstream == (BlockedStage(Stage.COMPILE, Stage.OPTIMIZE, ("quant",)),)
    assert found.happened.endswith("; compile blocked by optimize (entry quant)")
    assert judge(CASE.axes(), EARLY, [], TODAY).upstream == (BlockedStage(Stage.COMPILE, Stage.OPTIMIZE, ()),)


def test_a_record_names_what_blocked_it_too() -> None:
    found = judge(CASE.axes(), EARLY, [QUANT, DECONV], TODAY)
    told = case_record(CASE.id, CASE, "notes", Stage.COMPILE, EARLY, found)
    assert CaseRecord.model_validate_json(told.model_dump_json()).upstream == found.upstream


def test_a_chain_of_blocked_stages_has_one_cause() -> None:
    infer = Outcome(stage=Stage.INFER, status=Status.BLOCKED, blocked_by=Stage.COMPILE, provenance=REFERENCE)
    found = judge(CASE.axes(), {**EARLY, Stage.INFER: infer}, [QUANT], TODAY).upstream
    assert {(each.stage, each.by, each.entries) for each in found} == {
        (Stage.COMPILE, Stage.OPTIMIZE, ("quant",)),
        (Stage.INFER, Stage.OPTIMIZE, ("quant",)),
    }


def test_a_week_before_its_review_an_entry_is_due() -> None:
    entries = [replace(DECONV, id=day, review=date.fromisoformat(day)) for day in DAYS]
    assert [entry.id for entry in due_for_review(entries, TODAY)] == ["2026-06-01", "2026-06-08"]


DAYS = ("2026-05-31", "2026-06-01", "2026-06-08", "2026-06-09")


def test_short_layers() -> None:
    assert short_layers(()) == ""
    assert short_layers(("a", "b")) == "a, b"
    assert short_layers(("a", "b", "c")) == "a, b … (3)"
