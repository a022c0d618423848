"""Updating: the ledger is brought in line with a run, only the lines that must change do, and nothing is lost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tasnet.suite.cases.case import Case
from tasnet.suite.cases.names import parse_case
from tasnet.suite.cases.outcome import Outcome, Stage, Status
from tasnet.suite.cases.profiles import PROFILES, profile_cases
from tasnet.suite.history.run import StoredRun
from tasnet.suite.ledger import claims, parse_ledger
from tests.doubles.ledgers import PATH, entry_text, ledger_text
from tests.doubles.outcomes import DFC, REFERENCE, SUPER_DECONV, failure, outcomes
from tests.doubles.stored_runs import of_other_cases, store_profile, unstored_run
from tests.suite.upkeep.grouped_ledger import MATRIX, NOTES, TODAY, done, grouped, surprises, tell

MEMORY = failure("memory_units", "Memory units capacity exceeded", "deconv1")
LONG_ROW = failure("agent_infeasible", "conv7: Agent infeasible", "conv7")
PRELU = failure("unsupported_dimensions", "unsupported dimensions", "prelu1")


def test_a_ledger_that_is_in_line_is_left_alone(base: StoredRun) -> None:
    text = ledger_text(entry_text("one", "{decoder: grouped, sources: all}"))
    found = done(text, base)
    assert (found.after, found.diff, found.changes, found.left) == (text, "", (), ())


def test_an_entry_that_claims_too_much_is_narrowed_on_its_line(base: StoredRun) -> None:
    text = ledger_text(entry_text("one", "{decoder: grouped}  # all of them"))
    found = done(text, base)
    assert [line for line in found.diff.splitlines() if line[:2] in ("+ ", "- ")] == [
        "-    where: {decoder: grouped}  # all of them",
        "+    where: {decoder: grouped, sources: all}  # all of them",
    ]
    assert not surprises(found.after, base)


def test_an_entry_that_holds_nowhere_goes_with_its_comment_and_its_place_in_the_budget(base: StoredRun) -> None:
    here = entry_text("one", "{decoder: grouped, sources: all}")
    gone = "  # why it was here\n" + entry_text("two", "{decoder: conv1x1_head, mask: bypass, blocks: 1, arch: hailo8}")
    text = ledger_text(here, gone, entry_text("three", "{blocks: 2}", "negative_slope", "optimize"))
    tight = of_other_cases(
        base,
        lambda case: (
            tell(case)
            if case.variant.blocks != 2
            else outcomes(
                failure("negative_slope", "Super deconv slope"),
            )
        ),
        [case for name in PROFILES for case in profile_cases(name)],
    )
    found = done(text, tight)
    assert [(each.entry, each.what) for each in found.changes] == [("two", "removed")]
    assert found.after == text.replace("\n" + gone, "").replace("budget: 3", "budget: 2")


def test_what_other_cases_say_of_an_entry_is_nothing_to_a_run_without_them(base: StoredRun) -> None:
    text = ledger_text(entry_text("one", "{decoder: grouped, sources: all}"), entry_text("two", "{norm: gln}"))
    assert done(text, base).after == text
    few = of_other_cases(base, tell, NOTES[:1])
    text = ledger_text(entry_text("one", "{decoder: grouped}"))
    assert done(text, few).after == text


def test_one_passing_case_takes_itself_out_and_no_other(base: StoredRun) -> None:
    text = ledger_text(entry_text("one", "{decoder: grouped}"))
    alone = of_other_cases(base, lambda case: outcomes(), [parse_case("concat-normal-grouped-k4")])
    (entry,) = parse_ledger(done(text, alone).after, PATH).entries
    for name in PROFILES:
        for case in profile_cases(name):
            assert claims(entry, case.axes()) == (
                case.variant.decoder == "grouped" and case.id != "concat-normal-grouped-k4"
            )


def test_values_are_taken_out_of_lists_in_the_words_that_stand_there(base: StoredRun) -> None:
    where = """
      # what we saw
      decoder: [grouped, conv1x1_head]   # two
      sources: all"""
    text = ledger_text(entry_text("one", where))
    run = of_other_cases(base, tell, MATRIX)
    found = done(text, run)
    assert [line for line in found.diff.splitlines() if line[:2] in ("+ ", "- ")] == [
        "-      decoder: [grouped, conv1x1_head]   # two",
        "+      decoder: grouped   # two",
    ]


def test_a_claim_of_a_list_goes_and_the_others_stay(base: StoredRun) -> None:
    where = """
      # one
      - {decoder: grouped, sources: all}
      # two
      - {decoder: conv1x1_head, T: 16000}
      - {decoder: polyphase}"""
    text = ledger_text(entry_text("one", where))
    found = done(text, of_other_cases(base, tell, profile_cases("matrix")))
    assert found.after == text.replace("      - {decoder: conv1x1_head, T: 16000}\n", "")


# --- predicted and observed --------------------------------------------------------------------------------

BOTH = '{reference: "*", dfc: ">=3.33,<3.35"}'


def test_a_prediction_touches_what_an_entry_says_of_the_embedded_toolchain_alone(base: StoredRun) -> None:
    text = ledger_text(entry_text("one", "{decoder: grouped}", toolchain=BOTH))
    found = done(text, base)
    assert [line for line in found.diff.splitlines() if line[:2] in ("+ ", "- ")] == [
        f"-    toolchain: {BOTH}",
        '+    toolchain: {reference: {version: "*", where: {sources: all}}, dfc: ">=3.33,<3.35"}',
    ]
    (entry,) = parse_ledger(found.after, PATH).entries
    first = parse_case("concat-normal-first-grouped-all").axes()
    assert claims(entry, first, "dfc")
    assert not claims(entry, first, "reference")
    assert done(found.after, base).after == found.after


def test_an_observed_entry_is_never_removed_by_a_prediction(base: StoredRun) -> None:
    text = ledger_text(entry_text("one", "{decoder: conv1x1_head, layout: horizontal}", toolchain=BOTH))
    every = of_other_cases(base, lambda case: outcomes(), [case for name in PROFILES for case in profile_cases(name)])
    found = done(text, every)
    assert 'toolchain: {dfc: ">=3.33,<3.35"}' in found.after
    assert found.after.count("- id:") == 1


def test_what_was_observed_touches_no_prediction(tmp_path: Path) -> None:
    observed = store_profile(tmp_path, lambda case: outcomes(*([SUPER_DECONV] if grouped(case) else []), by=DFC))
    text = ledger_text(entry_text("one", "{decoder: grouped}", toolchain=BOTH))
    found = done(text, observed)
    assert '{reference: "*", dfc: {version: ">=3.33,<3.35", where: {sources: all}}}' in found.after
    fresh = done(ledger_text(), observed, allow_new="seen twice").after
    assert 'toolchain: {dfc: "==3.33.1"}' in fresh
    assert "observed with dfc 3.33.1, run 20260601T000000Z: seen twice" in fresh


def test_another_toolchains_entry_is_left_alone(base: StoredRun) -> None:
    text = ledger_text(entry_text("one", "{decoder: conv1x1_head}", toolchain='{dfc: "*"}'))
    assert done(text, base).after == text


# --- new entries -------------------------------------------------------------------------------------------


def test_new_failures_are_told_and_left_to_a_person(base: StoredRun) -> None:
    found = done(ledger_text(), base)
    assert found.after == found.before
    assert [(each.entry, each.told.split(", such")[0]) for each in found.left] == [
        ("unsupported_kernel", "unexpected failure in 13 cases")
    ]


def test_with_a_reason_each_root_cause_gets_one_entry(base: StoredRun) -> None:
    run = of_other_cases(
        base,
        lambda case: outcomes(
            *([SUPER_DECONV] if grouped(case) else []),
            *(
                [MEMORY.model_copy(update={"message": f"Memory units capacity exceeded ({case.variant.blocks} of 7)"})]
                if case.variant.decoder == "ungrouped_blockdiag"
                else []
            ),
        ),
        profile_cases("matrix"),
    )
    found = done(ledger_text(), run, allow_new="new compiler rules")
    one, two = parse_ledger(found.after, PATH).entries
    assert (one.id, one.message.pattern, one.layers) == (
        "unsupported-kernel", "Super deconv is not supported with groups", ("deconv1",)
    )  # fmt: skip
    assert "    where: {sources: all, decoder: grouped}\n" in found.after
    assert (two.id, two.message.pattern) == ("memory-units", "Memory units capacity exceeded")
    assert "    where: {decoder: ungrouped_blockdiag}\n" in found.after
    assert (one.since, one.review, set(one.toolchain)) == (TODAY, date(2026, 11, 30), {"reference"})
    assert one.evidence == "predicted by reference 0.1.0, run 20260601T000000Z: new compiler rules"
    assert 'budget: 2\nbudget_reason: "new compiler rules"\n' in found.after
    assert not surprises(found.after, run)
    assert done(found.after, run, allow_new="again").after == found.after


def test_shrink_only_adds_nothing(base: StoredRun) -> None:
    assert done(ledger_text(), base, allow_new="why not", shrink_only=True).after == ledger_text()


def test_an_id_that_is_taken_is_not_given_again(base: StoredRun) -> None:
    text = ledger_text(entry_text("unsupported-kernel", "{norm: gln}"))
    assert "- id: unsupported-kernel-2\n" in done(text, base, allow_new="x").after


# --- rules -------------------------------------------------------------------------------------------------

POOL = (SUPER_DECONV, MEMORY, LONG_ROW, PRELU)
SOME = [case for name in ("notes", "probes") for case in profile_cases(name)][::8]
WHERES = (
    "{}", "{decoder: grouped}", "{decoder: [grouped, polyphase]}", "{sources: all, mask: normal}", '{T: ">=8000"}',
    "[{decoder: grouped}, {mask: bypass}]", "{blocks: [1, 2]}", "{decoder: {not: grouped}}",
    "{not: {decoder: grouped, blocks: 1}}", "\n      - {decoder: grouped}\n      - {blocks: 1, T: 16000}",
)  # fmt: skip
ends = st.lists(st.integers(0, 15), min_size=len(SOME), max_size=len(SOME))
"""for each case, which of the POOL it has, as bits"""
scopes = st.sampled_from(['{reference: "*"}', BOTH, '{dfc: "*"}'])
entries = st.lists(st.tuples(st.integers(0, len(POOL) - 1), st.sampled_from(WHERES), scopes), max_size=4)
QUICK = settings(phases=(Phase.explicit, Phase.reuse, Phase.generate))


def texts(listed: list[tuple[int, str, str]]) -> list[str]:
    """Entries of the pool's failures."""
    pooled = [(POOL[which], where, toolchain) for which, where, toolchain in listed]
    return [
        entry_text(f"entry-{n}", where, each.family, each.stage, each.message.split(":")[-1].strip(), toolchain)
        for n, (each, where, toolchain) in enumerate(pooled)
    ]


@settings(QUICK, max_examples=20)
@given(ends, entries, st.booleans(), st.booleans())
def test_after_an_update_there_are_no_surprises_and_a_second_one_changes_nothing(
    ended: list[int], listed: list[tuple[int, str, str]], observed: bool, unknown: bool
) -> None:
    ends_of = dict(zip((case.id for case in SOME), ended, strict=True))
    by = DFC if observed else REFERENCE

    def tells(case: Case) -> Mapping[Stage, Outcome]:
        blockers = [each for bit, each in enumerate(POOL) if ends_of[case.id] >> bit & 1]
        other = Status.UNKNOWN if unknown and case.variant.blocks == 1 else Status.PASSED
        # A compiler names one blocker of maybe several.
        return outcomes(*(blockers[:1] if observed else blockers), status=other, by=by)

    run = unstored_run(tells, SOME, by)
    text = ledger_text(*texts(listed))
    found = done(text, run, allow_new="a reason")
    assert surprises(found.after, run) == []
    assert done(found.after, run, allow_new="a reason").after == found.after
    # Nothing old claims more, and what is said of the toolchain that was not run is as it was.
    before = {entry.id: entry for entry in parse_ledger(text, PATH).entries}
    after = {entry.id: entry for entry in parse_ledger(found.after, PATH).entries}
    for name in before.keys() & after.keys():
        assert all(claims(before[name], case.axes()) or not claims(after[name], case.axes()) for case in SOME)
    other = "reference" if observed else "dfc"
    for name, entry in before.items():
        if other in entry.toolchain:
            assert all(claims(after[name], case.axes(), other) == claims(entry, case.axes(), other) for case in SOME)


@settings(QUICK, max_examples=15)
@given(entries)
def test_shrinking_adds_no_entry(listed: list[tuple[int, str, str]]) -> None:
    found = done(ledger_text(*texts(listed)), unstored_run(tell, NOTES), shrink_only=True)
    before, after = parse_ledger(found.before, PATH), parse_ledger(found.after, PATH)
    assert {entry.id for entry in after.entries} <= {entry.id for entry in before.entries}
    assert after.budget <= before.budget
