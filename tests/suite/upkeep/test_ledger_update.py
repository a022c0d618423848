"""Updating: the ledger is brought in line with a run, only the lines that must change do, and nothing is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tasnet.cli import main
from tasnet.suite.cases.case import Case
from tasnet.suite.cases.names import parse_case
from tasnet.suite.cases.outcome import Outcome, Stage, Status
from tasnet.suite.cases.profiles import PROFILES, profile_cases
from tasnet.suite.history.run import StoredRun
from tasnet.suite.ledger import LedgerError, claims, parse_ledger
from tasnet.suite.ledger.judgement import PASSING_KINDS
from tasnet.suite.upkeep.rejudging import rejudge
from tasnet.suite.upkeep.updating import LedgerUpdate, plan_update, update_ledger
from tests.doubles.ledgers import PATH, cause, entry_text, ledger_text, one_each
from tests.doubles.outcomes import DFC, REFERENCE, SUPER_DECONV, failure, outcomes
from tests.doubles.stored_runs import of_other_cases, store_profile, unstored_run

ROOT = Path(__file__).parents[3]
TODAY = date(2026, 6, 1)
NOTES, MATRIX = profile_cases("notes"), profile_cases("matrix")
MEMORY = failure("memory_units", "Memory units capacity exceeded", "deconv1")
LONG_ROW = failure("agent_infeasible", "conv7: Agent infeasible", "conv7")
PRELU = failure("unsupported_dimensions", "unsupported dimensions", "prelu1")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> StoredRun:
    """A stored run of the notes in which every grouped case with all sources fails."""
    return store_profile(tmp_path_factory.mktemp("store"), tell)


def tell(case: Case) -> Mapping[Stage, Outcome]:
    return outcomes(*([SUPER_DECONV] if grouped(case) else []))


def grouped(case: Case) -> bool:
    return case.variant.decoder == "grouped" and case.variant.sources == "all"


def done(text: str, run: StoredRun, **how: str | bool) -> LedgerUpdate:
    return plan_update(text, PATH, run, {}, TODAY, **how)  # type: ignore[arg-type]


def surprises(text: str, run: StoredRun) -> list[str]:
    told = rejudge(run, parse_ledger(text, PATH).entries, TODAY, {})
    return [each.judgement.kind.value for each in told if each.judgement.kind not in PASSING_KINDS]


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


# --- text --------------------------------------------------------------------------------------------------

TEXTS = {
    "windows line ends": lambda text: text.replace("\n", "\r\n"),
    "a byte order mark": lambda text: "\ufeff" + text,
    "no line end at the end": lambda text: text.rstrip("\n"),
    "a comment at the end": lambda text: text + "# the end\n",
    "entries in the key's column": lambda text: text.replace("\n  - ", "\n- ").replace("\n    ", "\n  "),
    "quoted keys": lambda text: text.replace("where:", '"where":'),
    "a signed head": lambda text: "# of the team\n%YAML 1.2\n---\n" + text,
    "letters beyond a byte": lambda text: text.replace("a summary", "größer als 𝟏"),
}  # fmt: skip


@pytest.mark.parametrize("form", TEXTS.values(), ids=TEXTS)
def test_whatever_the_form_of_the_file_only_two_lines_change(form, base: StoredRun) -> None:  # type: ignore[no-untyped-def]
    text = form(ledger_text(entry_text("one", "{decoder: grouped}"), entry_text("two", "{norm: gln}"), budget=5))
    found = done(text, base, allow_new="")
    assert found.after == text.replace("{decoder: grouped}", "{decoder: grouped, sources: all}")
    added = done(form(ledger_text(entry_text("two", "{norm: gln}"), budget=5)), base, allow_new="x")
    lines = [line for line in added.diff.splitlines() if line.startswith("-") and not line.startswith("---")]
    assert lines == [] or form is TEXTS["no line end at the end"]
    assert len(parse_ledger(added.after, PATH).entries) == 2


ALIASED = {
    "an anchored where": (
        entry_text("one", "&all {decoder: grouped}")
        + "\n"
        + entry_text("two", "*all", "negative_slope", "optimize", "slope", '{dfc: "*"}')
    ),
    "a merged entry": (
        entry_text("one").replace("- id: one", "- &one\n    id: one")
        + "  - <<: *one\n    id: two\n    arch: [hailo8l]\n"
    ),
}


@pytest.mark.parametrize("entries", ALIASED.values(), ids=ALIASED)
def test_a_change_that_would_change_another_entry_too_is_refused(entries: str, base: StoredRun) -> None:
    with pytest.raises(LedgerError, match=r"entry (one|two): its YAML can't be changed in place; write out"):
        done(ledger_text(entries, budget=2), base)


def test_of_300_entries_only_the_lines_that_must_change_do(base: StoredRun) -> None:
    text = one_each(MATRIX[:300])
    numbers = {case.id: number for number, case in enumerate(MATRIX)}
    gone = {20, 21, 150, 299}

    def ends(case: Case) -> Mapping[Stage, Outcome]:
        number = numbers[case.id]
        return outcomes(*([cause(number)] if number < 300 and number not in gone else []))

    run = of_other_cases(base, ends, profile_cases("matrix"))
    found = done(text, run)
    assert {each.entry for each in found.changes} == {f"entry-{number}" for number in gone}
    removed = [line for line in found.diff.splitlines() if line.startswith("-") and not line.startswith("---")]
    added = [line for line in found.diff.splitlines() if line.startswith("+") and not line.startswith("+++")]
    assert added == ["+budget: 296"]
    # 11 keys an entry, the comments right above them, an empty line after each, and the budget
    assert sum(line[1:].strip().startswith("- id") for line in removed) == 4
    assert all(line.lstrip("- #").split(":")[0] for line in removed if line.strip() != "-")
    assert len(removed) <= 1 + 4 * (11 + 3)
    assert not surprises(found.after, run)
    assert done(found.after, run).after == found.after


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


@settings(QUICK, max_examples=40)
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


@settings(QUICK, max_examples=30)
@given(entries)
def test_shrinking_adds_no_entry(listed: list[tuple[int, str, str]]) -> None:
    found = done(ledger_text(*texts(listed)), unstored_run(tell, NOTES), shrink_only=True)
    before, after = parse_ledger(found.before, PATH), parse_ledger(found.after, PATH)
    assert {entry.id for entry in after.entries} <= {entry.id for entry in before.entries}
    assert after.budget <= before.budget


# --- the file ----------------------------------------------------------------------------------------------


def test_the_file_is_written_whole_with_its_mode_and_through_a_link(tmp_path: Path, base: StoredRun) -> None:
    real = tmp_path / "real.yaml"
    real.write_text(ledger_text(entry_text("one")))
    real.chmod(0o640)
    (tmp_path / "link.yaml").symlink_to(real)
    found = update_ledger(tmp_path / "link.yaml", base, {}, TODAY)
    assert real.read_text() == found.after != found.before
    assert (real.stat().st_mode & 0o777, (tmp_path / "link.yaml").is_symlink()) == (0o640, True)
    assert {path.name for path in tmp_path.iterdir()} <= {"real.yaml", "link.yaml", ".real.yaml.lock"}


def test_what_an_editor_saved_meanwhile_is_not_lost(
    tmp_path: Path, base: StoredRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.yaml"
    path.write_text(ledger_text(entry_text("one")))
    from tasnet.suite.upkeep import updating as module

    true = module.plan_update

    def saved_meanwhile(text: str, *rest: object, **more: object) -> LedgerUpdate:
        found = true(text, *rest, **more)  # type: ignore[arg-type]
        path.write_text(text + "# saved\n")
        return found

    monkeypatch.setattr(module, "plan_update", saved_meanwhile)
    with pytest.raises(LedgerError, match="changed while the update was made; run it again"):
        module.update_ledger(path, base, {}, TODAY)
    assert path.read_text().endswith("# saved\n")
    assert not list(tmp_path.glob("*.tmp"))


def test_the_command_shows_first_and_writes_when_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, store = tmp_path / "ledger.yaml", tmp_path / "store"
    text = ledger_text(entry_text("one"))
    path.write_text(text)
    store_profile(store, tell)
    store_profile(store, lambda case: outcomes(), run="20260602T000000Z", double=True)
    options = ["ledger", "update", "--ledger", str(path), "--store", str(store)]
    assert main(options) == 0
    printed = capsys.readouterr().out
    assert "+    where: {decoder: grouped, sources: all}\n" in printed
    assert "run 20260601T000000Z: 20 of 20 cases, predicted by reference 0.1.0 on hailo8\n" in printed
    assert printed.endswith(f"{path}: not written; add --write\n")
    assert path.read_text() == text
    assert main([*options, "--write"]) == 0
    assert "sources: all" in path.read_text()
    assert main([*options, "--write"]) == 0
    assert "the ledger is in line with it" in capsys.readouterr().out
    assert main([*options, "--run", "20260602T000000Z"]) == 2
    assert "made with a test double, so nothing of it holds" in capsys.readouterr().err


def test_the_command_says_what_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, store = tmp_path / "ledger.yaml", tmp_path / "store"
    path.write_text(ledger_text())
    store_profile(store, tell)
    options = ["ledger", "update", "--ledger", str(path), "--store", str(store)]
    assert main(options) == 1
    assert "tasnet ledger update --allow-new REASON proposes entries" in capsys.readouterr().out
    assert main([*options, "--shrink-only"]) == 0
    assert main([*options, "--shrink-only", "--allow-new", "x"]) == 2
    assert main([*options, "--allow-new", " "]) == 2
    capsys.readouterr()
    assert main([*options, "--allow-new", "we know", "--json", "--write"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["written"], [each["what"] for each in told["changes"]]) == (True, ["added"])
    assert len(parse_ledger(path.read_text(), path).entries) == 1


def test_two_updates_at_once_lose_nothing(tmp_path: Path) -> None:
    store_profile(tmp_path / "store", tell)
    path = tmp_path / "ledger.yaml"
    gone = entry_text("gone", "{decoder: conv1x1_head, T: 16000, N: 512, blocks: 1, mask: bypass}", arch="[hailo8]")
    path.write_text(ledger_text(entry_text("one", message="Super"), gone))
    command = [sys.executable, "-m", "tasnet", "ledger", "update", "--write", "--ledger", str(path)]
    command += ["--store", str(tmp_path / "store")]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    both = [
        subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    told = [each.communicate(timeout=120) for each in both]
    assert [each.returncode for each in both] == [0, 0, 0], told
    ledger = parse_ledger(path.read_text(), path)
    run = store_profile(tmp_path / "again", tell)
    assert not surprises(path.read_text(), run)
    assert "sources: all" in path.read_text()
    assert len(ledger.entries) >= 1
