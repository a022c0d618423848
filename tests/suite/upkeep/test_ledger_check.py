"""What `tasnet ledger check` finds, by itself, against runs, and against what is committed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from tasnet.cli import main
from tasnet.suite.cases.case import Case
from tasnet.suite.cases.outcome import Outcome, Stage
from tasnet.suite.cases.profiles import profile_cases
from tasnet.suite.ledger import Ledger, parse_ledger
from tasnet.suite.upkeep.base_ledger import growth_since, ledger_at
from tasnet.suite.upkeep.checking import LedgerFinding, check_ledger
from tasnet.suite.upkeep.rejudging import flaky_history, same_setup_as
from tests.doubles.ledgers import PATH, entry_text, ledger, ledger_text
from tests.doubles.outcomes import DFC, SUPER_DECONV, failure, outcomes
from tests.doubles.repository import git
from tests.doubles.stored_runs import EndOf, parity_measure, run_head, store_profile, store_run

ROOT = Path(__file__).parents[3]
TODAY = date(2026, 6, 1)
MEMORY = failure("memory_units", "Memory units capacity exceeded", "deconv1")
SLOPE = failure("negative_slope", "a slope", "prelu1")


def tell(case: Case) -> Mapping[Stage, Outcome]:
    grouped = case.variant.decoder == "grouped" and case.variant.sources == "all"
    return outcomes(*([SUPER_DECONV] if grouped else []))


def found(tmp_path: Path, book: Ledger, *tells: EndOf) -> list[LedgerFinding]:
    """The findings against runs of the notes, the latest first."""
    count = len(tells)
    runs = [store_profile(tmp_path, each, run=f"2026060{count - n}T000000Z") for n, each in enumerate(tells)]
    return check_ledger(book, runs, {}, TODAY)


def kinds(findings: list[LedgerFinding]) -> list[tuple[str, tuple[str, ...]]]:
    return [(each.kind, each.entries) for each in findings]


GOOD = entry_text("good", "{decoder: grouped, sources: all}")
ALONE = {
    "nothing": ([GOOD], {}, []),
    "dead": ([entry_text("one", "{N: 17}")], {}, [("dead", ("one",))]),
    "expired": ([entry_text("one", review="2026-05-31")], {}, [("expired", ("one",))]),
    "on the day": ([entry_text("one", review="2026-06-01")], {}, [("expiring", ("one",))]),
    "a week before": ([entry_text("one", review="2026-06-08")], {}, [("expiring", ("one",))]),
    "more than a week before": ([entry_text("one", review="2026-06-09")], {}, []),
    "ownerless": ([GOOD], {"owner": ""}, [("ownerless", ("good",))]),
    "an owner of its own": ([entry_text("one", more="    owner: me\n")], {"owner": ""}, []),
    "slack in the budget": ([GOOD], {"budget": 3}, [("budget", ("budget",))]),
    "two of one cause": (
        [entry_text("one", "{decoder: grouped, blocks: 1}"), entry_text("two", "{decoder: grouped, blocks: 2}")],
        {},
        [("too narrow", ("one", "two"))],
    ),
    "two that differ in more": (
        [entry_text("one", "{decoder: grouped, blocks: 1}"), entry_text("two", "{mask: bypass, blocks: 2}")],
        {},
        [],
    ),
    "two of other words": (
        [entry_text("one", "{blocks: 1}"), entry_text("two", "{blocks: 2}", message="Reshape")],
        {},
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("entries", "how", "expected"), ALONE.values(), ids=ALONE)
def test_by_itself(entries: list[str], how: dict[str, object], expected: list[object]) -> None:
    assert kinds(check_ledger(ledger(*entries, **how), [], {}, TODAY)) == expected  # type: ignore[arg-type]


def test_what_is_too_narrow_comes_with_the_entry_that_takes_its_place() -> None:
    entries = (
        entry_text("one", "{decoder: grouped, blocks: 1}"),
        entry_text("two", "{decoder: grouped, blocks: [2, 4]}"),
    )
    (finding,) = check_ledger(ledger(*entries), [], {}, TODAY)
    assert finding.proposal == "make them one entry with where: {decoder: grouped, blocks: [1, 2, 4]}"


def test_stale_too_broad_shadowed_and_overlapping(tmp_path: Path) -> None:
    book = ledger(
        GOOD,
        entry_text("stale", "{decoder: conv1x1_head}"),
        entry_text("shadow", "{decoder: grouped, sources: all, blocks: 1}"),
        entry_text("broad", "{blocks: 2}", "memory_units", message="Memory"),
    )
    both = found(
        tmp_path, book, lambda case: outcomes(SUPER_DECONV, MEMORY) if case.variant.blocks == 2 else tell(case)
    )
    assert kinds(both) == [("stale", ("stale",)), ("shadowed", ("shadow",))]
    assert both[0].told == "claims 2 cases of run 20260601T000000Z, and none fails so"
    assert both[1].told == "is shadowed by good, which covers all 3 of its blockers"


def test_an_entry_that_claims_passing_cases_is_told_the_where_that_does_not(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, ledger(entry_text("one", "{decoder: grouped}")), tell)
    assert (finding.kind, finding.entries, finding.cases) == (
        "too broad",
        ("one",),
        ("concat-normal-first-grouped-all",),
    )
    assert finding.told == "claims 1 that pass, of 14 in run 20260601T000000Z"
    assert finding.proposal == "narrow it: where: {decoder: grouped, sources: all}"


def test_an_entry_that_claims_cases_that_fail_otherwise(tmp_path: Path) -> None:
    findings = found(
        tmp_path,
        ledger(
            entry_text("one", "{decoder: grouped, sources: all}"),
            entry_text("two", "{blocks: 4}", "memory_units", message="Mem"),
        ),
        lambda case: outcomes(MEMORY) if case.variant.blocks == 4 else tell(case),
    )
    assert kinds(findings) == [("too broad", ("one",))]
    assert findings[0].told == "claims 1 that don't fail so, of 13 in run 20260601T000000Z"
    assert findings[0].proposal == "narrow it: where: {decoder: grouped, sources: all, blocks: {not: 4}}"


def test_two_that_cover_one_blocker_and_each_others_too(tmp_path: Path) -> None:
    book = ledger(
        entry_text("one", "{decoder: grouped, sources: all, blocks: [all, 1, 2]}"),
        entry_text("two", "{decoder: grouped, sources: all, blocks: [2, 4, 8, 12, 16]}"),
    )  # fmt: skip
    (finding,) = [each for each in found(tmp_path, book, tell) if each.kind != "too narrow"]
    assert (finding.kind, finding.entries, finding.cases) == (
        "overlapping",
        ("one", "two"),
        ("concat-normal-grouped-k2",),
    )


def test_what_an_earlier_stage_hides_is_not_stale(tmp_path: Path) -> None:
    book = ledger(GOOD, entry_text("early", "{decoder: grouped, sources: all}", "negative_slope", "optimize", "slope"))
    hidden = found(tmp_path, book, lambda case: outcomes(*([SLOPE] if tell(case)[Stage.COMPILE].failures else [])))
    assert kinds(hidden) == []


def test_staleness_over_the_last_runs(tmp_path: Path) -> None:
    passing: EndOf = lambda case: outcomes()  # noqa: E731
    book = ledger(GOOD)
    assert ("stale", ("good",)) in kinds(found(tmp_path / "one", book, passing, passing))
    assert ("stale", ("good",)) not in kinds(found(tmp_path / "two", book, passing, tell))


def test_a_run_of_another_toolchain_says_nothing(tmp_path: Path) -> None:
    assert kinds(found(tmp_path, ledger(GOOD), lambda case: outcomes(by=DFC))) == []


# --- flaky -------------------------------------------------------------------------------------------------


def test_a_flaky_entry_at_another_rate(tmp_path: Path) -> None:
    book = ledger(entry_text("comes", "{decoder: grouped, sources: all}", more="    flaky: {rate: 0.2, over: 10}\n"))
    for number in range(10, 20):
        run = store_profile(tmp_path, tell, run=f"202606{number}T000000Z")
    past = flaky_history(tmp_path, book.entries, run.head, run.id)
    assert {seen.runs for seen in past.values()} == {9}
    others = run.head.model_copy(update={"checkpoint": "b" * 64})
    assert not flaky_history(tmp_path, book.entries, others, run.id), "of other weights no run is there"
    (finding,) = check_ledger(book, [run], past, TODAY)
    assert (finding.kind, finding.told) == ("off rate", "is not as flaky as it says in 13 cases")
    assert "9 of the last 9 runs failed, and the entry says 0.2 of them" in finding.proposal


# --- git ---------------------------------------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A git checkout with a committed ledger of one entry, and its path."""
    path = tmp_path / "expected_failures.yaml"
    path.write_text(ledger_text(GOOD))
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path)
    return path


def commit(folder: Path) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "a")


MORE = entry_text("more", "{decoder: polyphase}")
GREW = {
    "nothing": (ledger_text(GOOD), ""),
    "fewer": (ledger_text(), ""),
    "an entry more": (ledger_text(GOOD, MORE), "grew since HEAD: budget 1 -> 2, entries 1 -> 2"),
    "another entry": (ledger_text(MORE), ""),
    "budget alone": (ledger_text(GOOD, budget=2), "grew since HEAD: budget 1 -> 2"),
    "with a reason": (ledger_text(GOOD, MORE).replace("owner:", "budget_reason: a new compiler\nowner:"), ""),
}


@pytest.mark.parametrize(("text", "told"), GREW.values(), ids=GREW)
def test_the_budget_only_shrinks(text: str, told: str, checkout: Path) -> None:
    checkout.write_text(text)
    assert growth_since(parse_ledger(text, checkout), ledger_at(checkout, "HEAD")) == told


def test_a_reason_that_stood_there_before_is_none(checkout: Path) -> None:
    checkout.write_text(ledger_text(GOOD).replace("owner:", "budget_reason: an old one\nowner:"))
    commit(checkout.parent)
    text = ledger_text(GOOD, MORE).replace("owner:", "budget_reason: an old one\nowner:")
    assert growth_since(parse_ledger(text, checkout), ledger_at(checkout, "HEAD"))
    assert not growth_since(parse_ledger(text, checkout), ledger_at(checkout, "HEAD~1"))


def test_a_base_without_a_ledger_or_with_a_broken_one_holds_nothing(checkout: Path, tmp_path: Path) -> None:
    git(checkout.parent, "rm", "-q", "--cached", checkout.name)
    (tmp_path / "else").write_text("")
    git(checkout.parent, "add", "else")
    git(checkout.parent, "-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-q", "-m", "without")
    assert ledger_at(checkout, "HEAD").why == "there is no ledger at HEAD"
    checkout.write_text("schema: 7\n")
    commit(checkout.parent)
    assert ledger_at(checkout, "HEAD").why.startswith(
        "it can't be read at HEAD: HEAD:expected_failures.yaml:1:1: schema 7"
    )
    assert ledger_at(Path("/expected_failures.yaml"), "HEAD").why == "the ledger isn't in a git checkout"


# --- the command -------------------------------------------------------------------------------------------


def test_the_command(checkout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "store"
    options = ["--ledger", str(checkout), "--store", str(store)]
    assert main(["ledger", "check", *options]) == 0
    assert "no run is stored there; the ledger is checked by itself" in capsys.readouterr().out
    store_profile(store, tell)
    store_profile(store, lambda case: outcomes(), run="20260602T000000Z", double=True)
    store_run(store / "runs" / "20260603T000000Z", [], [parity_measure("baseline", 120)], cases=20)
    assert main(["ledger", "check", *options]) == 0
    assert "1 entry, held against run 20260601T000000Z: nothing wrong" in capsys.readouterr().out
    checkout.write_text(ledger_text(entry_text("good"), MORE))
    assert main(["ledger", "check", *options, "--over", "3"]) == 1
    printed = capsys.readouterr().out
    assert f"{checkout}:5:5: too broad: good claims 1 that pass, of 14 in run 20260601T000000Z" in printed
    assert "note: 1 whole runs of notes are stored, not 3" in printed
    assert "grown: ledger grew since HEAD: budget 1 -> 2, entries 1 -> 2" in printed
    assert main(["ledger", "check", *options, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert {each["kind"] for each in told["findings"]} == {"grown", "too broad", "too narrow"}
    assert told["runs"] == ["20260601T000000Z"]


def test_runs_of_another_version_are_a_note_and_no_fault(
    checkout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever takes a newer tasnet has nothing but such runs: the first commands must not end in an error."""
    store = tmp_path / "store"
    old = store / "runs" / "20260601T000000Z"
    old.mkdir(parents=True)
    (old / "run.json").write_text('{"schema": 1, "toolchain": {"name": "reference"}}')
    options = ["--ledger", str(checkout), "--store", str(store)]
    assert main(["ledger", "check", *options]) == 0
    assert "note: 1 of the stored runs are another version's, and say nothing: " in capsys.readouterr().out
    (old / "run.json").write_text("{")
    assert main(["ledger", "check", *options]) == 2


WRONG = {
    "no ledger": (["--ledger", "none.yaml"], "none.yaml: no such file"),
    "no revision": (["--base", "no-such"], "--base no-such: git knows no such revision; fetch it, or name another"),
    "an option for git": (["--base=--all"], "--base --all: git knows no such revision"),
    "no run": (["--run", "2020"], "no run is stored there; run tasnet matrix first"),
    "no runs at all": (["--over", "0"], "'--over': Input should be greater than or equal to 1"),
}


@pytest.mark.parametrize(("options", "told"), WRONG.values(), ids=WRONG)
def test_wrong_usage(
    options: list[str], told: str, checkout: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(checkout.parent)
    assert main(["ledger", "check", *options]) == 2
    printed = capsys.readouterr().err
    assert told in printed
    assert printed.count("\n") == 1


def test_the_shipped_ledger_has_nothing_wrong_by_itself() -> None:
    text = (ROOT / "expected_failures.yaml").read_text()
    assert check_ledger(parse_ledger(text, PATH), [], {}, TODAY) == []


def test_profiles_are_what_a_dead_entry_is_held_against() -> None:
    assert kinds(check_ledger(ledger(entry_text("one", "{norm: cln}")), [], {}, TODAY)) == [("dead", ("one",))]
    assert len(profile_cases("notes")) == 20


def test_a_run_of_other_weights_is_another_networks() -> None:
    alike = same_setup_as(run_head([], checkpoint="a" * 64))
    assert alike(run_head([], checkpoint="a" * 64))
    assert not alike(run_head([], checkpoint="b" * 64))
    assert not alike(run_head([]))
