"""Stored runs: read back as they were, cut anywhere by a kill, of another schema, found by name; the table of all."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasnet.suite.cases.profiles import profile_cases
from tasnet.suite.history.lines import runs_json, runs_lines
from tasnet.suite.history.run import END, HEAD, MEASURES, RECORDS, RunError, find_run, read_run, run_folders
from tests.doubles.outcomes import SUPER_DECONV, failure, outcomes
from tests.doubles.stored_runs import ended_record, parity_measure, store_run

CASES = [case.id for case in profile_cases("notes")]
RECORD = [ended_record(case, outcomes(*([SUPER_DECONV] if "-grouped" in case else []))) for case in CASES]
MEASURE = [parity_measure(case, snr) for case, snr in zip(CASES, (120.5, 98.0, math.inf, 40.0), strict=False)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that ended."""
    return store_run(tmp_path_factory.mktemp("store") / "runs" / "20260601T120000Z", RECORD, MEASURE).folder


def test_a_run_is_read_as_it_was_written(whole: Path) -> None:
    run = read_run(whole)
    assert list(run.records) == RECORD
    assert list(run.measures) == MEASURE, "an exact stage, at infinity, among them"
    assert run.whole
    assert run.head.told_by == "reference 0.1.0, predicted"


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where each example begins anew."""
    return tmp_path_factory.mktemp("scratch")


def copied(whole: Path, scratch: Path) -> Path:
    folder = scratch / "runs" / whole.name
    shutil.rmtree(folder, ignore_errors=True)
    return Path(shutil.copytree(whole, folder))


@settings(max_examples=80)
@given(name=st.sampled_from([RECORDS, MEASURES]), share=st.floats(0, 1))
def test_a_killed_run_cut_anywhere_loses_no_whole_line(whole: Path, scratch: Path, name: str, share: float) -> None:
    folder = copied(whole, scratch)
    (folder / END).unlink()
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[: round(share * len(data))])
    run = read_run(folder)
    lines = {file: (folder / file).read_bytes().count(b"\n") for file in (RECORDS, MEASURES)}
    assert list(run.records) == RECORD[: lines[RECORDS]]
    assert list(run.measures) == MEASURE[: lines[MEASURES]]
    assert run.end is None
    assert not run.whole


DAMAGE = {
    "flip": lambda data, at: data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :],
    "cut": lambda data, at: data[:at],
    "doubled": lambda data, at: data[:at] + data[at : at + 1] + data[at:],
    "empty": lambda data, at: b"",
    "gone": lambda data, at: None,
}


@settings(max_examples=150)
@given(
    name=st.sampled_from([RECORDS, MEASURES, END, HEAD]),
    how=st.sampled_from(sorted(DAMAGE)),
    share=st.floats(0, 0.9999),
)
def test_a_run_that_ended_and_is_not_as_it_was_left_is_named_with_its_file(
    whole: Path, scratch: Path, name: str, how: str, share: float
) -> None:
    folder = copied(whole, scratch)
    data = (folder / name).read_bytes()
    damaged = DAMAGE[how](data, int(share * len(data)))
    if damaged is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(damaged)
    if (name, how) == (END, "gone"):
        assert not read_run(folder).whole, "a run without an end is one that was killed, and never whole"
        return
    with pytest.raises(RunError) as caught:
        read_run(folder)
    # A head that was changed and can still be read is another run's: its end doesn't go with it.
    assert any(str(folder / each) in str(caught.value) for each in ((name, END) if name == HEAD else (name,)))
    (line,) = (each for each in runs_lines(scratch) if each.startswith(whole.name))
    assert ": unreadable: " in line
    assert len(run_folders(scratch)) == 1


@pytest.mark.parametrize("killed", [False, True])
def test_another_runs_records_are_not_taken_for_its_own(whole: Path, tmp_path: Path, killed: bool) -> None:
    """A test double's run is no real one because its records lie in the other's folder."""
    other = store_run(tmp_path / "runs" / "20260602T120000Z", RECORD, MEASURE, double=True, ended=not killed).folder
    (other / RECORDS).write_bytes((whole / RECORDS).read_bytes())
    with pytest.raises(RunError, match=RECORDS):
        read_run(other)
    told = json.loads((other / HEAD).read_text())
    (other / HEAD).write_text(json.dumps({**told, "double": False}))
    with pytest.raises(RunError, match=f"of another {HEAD}"):
        read_run(other)


def test_a_line_damaged_in_the_middle_is_named(whole: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(whole, tmp_path / "run"))
    lines = (folder / RECORDS).read_bytes().splitlines(keepends=True)
    (folder / RECORDS).write_bytes(b"".join([*lines[:3], b"{}\n", *lines[3:]]))
    (folder / END).unlink()
    with pytest.raises(RunError, match=rf"{RECORDS}:4: .*; damaged: mend it, or delete the run's folder"):
        read_run(folder)


HEADS = {
    "another schema": ('{"schema": 1}', "schema 1, and this version reads 2; read it with the tasnet that wrote it"),
    "no schema": ("{}", "no schema; damaged: "),
    "a true schema": ('{"schema": true}', "no schema; damaged: "),
    "no object": ("[]", "no schema; damaged: "),
    "no JSON": ("{", "not JSON; damaged: "),
    "no text": ("\x00", "not JSON; damaged: "),
    "too deep": ("[" * 100_000, "not JSON; damaged: "),
    "a key too much": ('{"schema": 2, "mood": "good"}', "damaged: "),
}


@pytest.mark.parametrize(("text", "says"), HEADS.values(), ids=HEADS)
def test_a_head_that_cannot_be_read_is_named_beside_the_others(
    whole: Path, tmp_path: Path, text: str, says: str
) -> None:
    shutil.copytree(whole, tmp_path / "runs" / whole.name)
    other = tmp_path / "runs" / "20260602T120000Z"
    other.mkdir()
    (other / HEAD).write_text(text)
    lines = [*runs_lines(tmp_path)]
    assert lines[1].startswith(whole.name)
    assert lines[2].startswith(f"{other.name}: unreadable: {other / HEAD}: ")
    assert says in lines[2]
    assert [("unreadable" in each) for each in runs_json(tmp_path)] == [False, True]


def test_a_run_that_lost_its_head_and_folders_from_before_are_told(whole: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(whole, tmp_path / "runs" / whole.name))
    (folder / HEAD).unlink()
    old = tmp_path / "runs" / "20260101T000000Z"
    old.mkdir()
    (old / "summary.tsv").write_text("")
    lines = [*runs_lines(tmp_path)]
    assert lines == [
        f"{folder.name}: unreadable: {folder / HEAD}: No such file or directory; the run can't be read",
        "older than the history, tables and pictures alone: 1",
    ]


def test_the_table_tells_finished_from_unfinished(tmp_path: Path) -> None:
    failed = ended_record(CASES[0], outcomes(failure("memory_units")))
    origin = {"commit": "1a2b3c4d" * 5, "dirty": True}
    store_run(tmp_path / "runs" / "20260601T120000Z", [failed, *RECORD[1:3]], origin=origin)
    store_run(tmp_path / "runs" / "20260601T120000Z-2", RECORD[:3], ended=False, cases=20)
    dfc = {"toolchain": "dfc", "version": "3.33.1"}
    store_run(tmp_path / "runs" / "20260601T120000Z-10", RECORD[:1], **dfc, double=True)
    store_run(tmp_path / "runs" / "20260602T120000Z", RECORD[:1], **dfc)
    rows = [*runs_lines(tmp_path)][1:]
    assert [row.split()[0] for row in rows] == [folder.name for folder in run_folders(tmp_path)]
    assert [row.split()[0] for row in rows][1:3] == ["20260601T120000Z-2", "20260601T120000Z-10"]
    assert "reference 0.1.0, predicted" in rows[0]
    assert "1a2b3c4+" in rows[0]
    assert rows[0].endswith("3 unexpected failure")
    assert "killed, 3 of 20 cases: " in rows[1]
    assert "dfc 3.33.1, a test double, predicted" in rows[2]
    assert "dfc 3.33.1, observed" in rows[3]
    told_json = runs_json(tmp_path)
    assert [each["finished"] for each in told_json] == [True, False, True, True]
    assert [each["known"] for each in told_json] == ["predicted", "predicted", "predicted", "observed"]


NAMES = {
    "20260601T120000Z": 0,
    "20260601T120000Z-2": 1,
    "20260601T120000Z-1": 2,
    "20260602": 3,
    "last": 3,
    "last~0": 3,
    "last~3": 0,
}


@pytest.fixture
def four(tmp_path: Path) -> Path:
    for name in ("20260601T120000Z", "20260601T120000Z-2", "20260601T120000Z-10", "20260602T120000Z"):
        store_run(tmp_path / "runs" / name, RECORD[:1])
    return tmp_path


@pytest.mark.parametrize(("name", "index"), NAMES.items())
def test_a_run_is_found_by_its_name(four: Path, name: str, index: int) -> None:
    assert find_run(four, name).id == run_folders(four)[index].name


WRONG = {
    "20260601": "3 runs begin so; see tasnet runs",
    "2027": "no run begins so; see tasnet runs",
    "": "no run begins so",
    "last~4": "4 runs are stored; see tasnet runs",
    "last~x": "no run begins so",
    "../runs/20260602T120000Z": "no run begins so",
}


@pytest.mark.parametrize(("name", "says"), WRONG.items())
def test_a_name_that_means_no_one_run_is_an_error(four: Path, name: str, says: str) -> None:
    with pytest.raises(RunError, match=says):
        find_run(four, name)


def test_an_empty_store_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no run is stored there; run tasnet matrix first"):
        find_run(tmp_path, "last")
    (line,) = runs_lines(tmp_path)
    assert line.endswith("no run is stored there; run tasnet matrix first, or name another --store")
