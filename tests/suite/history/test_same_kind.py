"""Which run another is compared with where none is named, and what the table of runs says of unusual ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tasnet.cli import main
from tasnet.suite.cases.profiles import profile_cases
from tasnet.suite.history.lines import runs_json, runs_lines
from tasnet.suite.history.run import HEAD
from tests.doubles.outcomes import outcomes
from tests.doubles.stored_runs import ENTRIES, ended_record, parity_measure, store_run

RECORDS = [ended_record(case.id, outcomes(), ENTRIES) for case in profile_cases("notes")[:4]]


def stored(store: Path, number: int, records: int = 4, **head: Any) -> str:
    """A run of the first cases of four, the `number`-th in the store."""
    name = f"2026060{number}T120000Z"
    store_run(store / "runs" / name, RECORDS[:records], **{"cases": 4, **head})
    return name


def compared_with(store: Path, capsys: pytest.CaptureFixture[str], *names: str) -> str:
    """The two runs that `tasnet compare` took."""
    assert main(["compare", *names, "--store", str(store)]) < 2
    out: str = capsys.readouterr().out
    return out.partition(",")[0]


OTHER_KINDS: dict[str, dict[str, Any]] = {
    "another profile": {"profile": "probes"},
    "another chip": {"arch": "hailo8l"},
    "another toolchain": {"toolchain": "dfc", "version": "3.33.0"},
    "a test double": {"double": True},
    "a checkpoint": {"checkpoint": "tasnet:small"},
    "another ledger": {"ledger": "strict.yaml"},
}


@pytest.mark.parametrize("head", OTHER_KINDS.values(), ids=OTHER_KINDS)
def test_the_last_run_is_compared_with_the_last_one_of_its_kind(
    head: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored(tmp_path, 1)
    mine = stored(tmp_path, 2)
    stored(tmp_path, 3, **head)
    last = stored(tmp_path, 4)
    assert compared_with(tmp_path, capsys) == f"{mine} -> {last}"


def test_another_version_of_the_same_toolchain_is_of_its_kind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, last = stored(tmp_path, 1, version="0.0.9"), stored(tmp_path, 2)
    assert compared_with(tmp_path, capsys) == f"{before} -> {last}"


def test_a_whole_run_is_preferred_to_a_part_and_a_part_to_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    part = stored(tmp_path, 2, records=2)
    last = stored(tmp_path, 4)
    assert compared_with(tmp_path, capsys) == f"{part} -> {last}"
    whole = stored(tmp_path, 1)
    # The order is the one in which they began, and not the one of their names.
    end = stored(tmp_path, 5)
    stored(tmp_path, 6, records=2)
    assert compared_with(tmp_path, capsys) == f"{end} -> 20260606T120000Z"
    assert compared_with(tmp_path, capsys, whole, part) == f"{whole} -> {part}"
    assert compared_with(tmp_path, capsys, whole) == f"{whole} -> 20260606T120000Z"


def test_a_run_that_only_measured_is_compared_with_one_that_did(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = [parity_measure(RECORDS[0].case_id, 90.0)]
    store_run(tmp_path / "runs" / "20260601T120000Z", [], figures, cases=4)
    stored(tmp_path, 2)
    store_run(tmp_path / "runs" / "20260603T120000Z", [], figures, cases=4)
    assert compared_with(tmp_path, capsys) == "20260601T120000Z -> 20260603T120000Z"


def test_without_one_of_its_kind_the_two_must_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored(tmp_path, 1, checkpoint="best.pth")
    stored(tmp_path, 2)
    assert main(["compare", "--store", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "notes on hailo8 by reference, ledger expected_failures.yaml" in err
    assert err.endswith("tasnet compare BEFORE AFTER\n")


def test_a_damaged_run_that_may_be_the_one_is_not_passed_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored(tmp_path, 1)
    damaged = stored(tmp_path, 2)
    stored(tmp_path, 3)
    (tmp_path / "runs" / damaged / HEAD).write_text("{}")
    assert main(["compare", "--store", str(tmp_path)]) == 2
    assert f"{damaged}/{HEAD}: no schema" in capsys.readouterr().err


def test_the_table_says_what_was_run_in_part_with_a_checkpoint_or_by_another_ledger(tmp_path: Path) -> None:
    stored(tmp_path, 1)
    stored(tmp_path, 2, records=1)
    stored(tmp_path, 3, checkpoint="runs/best.pth", ledger="/elsewhere/strict.yaml")
    stored(tmp_path, 4, ledger="/the/checkout/expected_failures.yaml")
    whole, part, other, usual = [*runs_lines(tmp_path)][1:]
    assert "in part" not in whole
    assert " notes  " in whole
    assert "in part, 1 of 4 cases: " in part
    assert " notes with runs/best.pth by strict.yaml  " in other
    assert " notes  " in usual
    assert [each["partial"] for each in runs_json(tmp_path)] == [False, True, False, False]


def test_the_last_runs_alone_are_shown_and_the_others_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [stored(tmp_path, number) for number in range(1, 6)]
    assert main(["runs", "--last", "2", "--store", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:3]] == names[-2:]
    assert lines[3:] == ["3 earlier ones: --last N shows more of them"]
    assert main(["runs", "--last", "9", "--store", str(tmp_path)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 6
    assert main(["runs", "--last", "0", "--store", str(tmp_path)]) == 2
