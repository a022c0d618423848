"""A run of real processes, killed in the middle: what it got to is read, and the next one is whole."""

from __future__ import annotations

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path

from tasnet.suite.cases.profiles import profile_cases
from tasnet.suite.history.lines import runs_json, runs_lines
from tasnet.suite.history.run import END, HEAD, RECORDS, RunHead, find_run, read_run, run_folders
from tasnet.suite.history.writer import begin_run
from tests.doubles.processes import until
from tests.doubles.repository import environment, run_pytest
from tests.doubles.stored_runs import copy_store
from tests.forked import start_module

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
TOLD = {"profile": "notes", "arch": "hailo8", "toolchain": "reference", "version": "1"}


def test_a_killed_run_is_read_as_far_as_it_went(tmp_path: Path, notes_store: Path) -> None:
    words = ["-m", "compile", "tests/compile", "-q", "-p", "no:cacheprovider"]
    words += ["--tasnet-profile", "notes", "--tasnet-store", str(tmp_path)]

    def written() -> list[Path]:
        return [path for path in tmp_path.glob(f"runs/*/{RECORDS}") if path.read_bytes().count(b"\n") >= 2]

    with (tmp_path / "said").open("wb") as said:
        running = start_module("pytest", words, ROOT, environment(), (said.fileno(), said.fileno()))
    assert until(lambda: written() or os.waitpid(running, os.WNOHANG)[0])
    assert any("still running, " in line for line in runs_lines(tmp_path))
    os.kill(running, signal.SIGKILL)
    _, ended = os.waitpid(running, 0)
    (folder,) = run_folders(tmp_path)
    assert os.waitstatus_to_exitcode(ended) == -signal.SIGKILL, "it ended before it could be killed"
    assert not (folder / END).exists()
    killed = read_run(folder)
    assert killed.end is None
    assert not killed.whole
    assert {record.case_id for record in killed.records} <= {case.id for case in profile_cases("notes")}
    assert len(killed.records) >= 1
    assert any(f"killed, {len(killed.records)} of 20 cases: " in line for line in runs_lines(tmp_path))

    # what was left undone is known: only how a run goes on is looked at
    copy_store(notes_store, tmp_path)
    assert run_pytest(*words).returncode == 0
    again = find_run(tmp_path, "last")
    assert again.whole
    assert len(again.records) == 20
    known = {record.case_id: record for record in again.records}
    for record in killed.records:
        assert record.by_stage == {stage: known[record.case_id].by_stage[stage] for stage in record.by_stage}


def test_a_run_whose_files_could_not_be_written_is_not_called_killed(tmp_path: Path) -> None:
    (tmp_path / "runs" / "full").mkdir(parents=True)
    begin_run(tmp_path / "runs" / "full", RunHead(started=NOW, cases=20, chosen=20, **TOLD)).give_up()
    assert any("its files were not written, 0 of 20 cases: none" in line for line in runs_lines(tmp_path))
    (told,) = runs_json(tmp_path)
    assert told["unwritten"]
    assert not told["running"]


def test_last_is_the_run_that_began_last_whatever_the_clock_said(tmp_path: Path) -> None:
    first = _begun(tmp_path, "20270101T000000Z")  # a year ahead
    second = _begun(tmp_path, "20260601T000000Z")
    third = _begun(tmp_path, "20260501T000000Z")  # a month back
    assert [path.name for path in run_folders(tmp_path)] == [first, second, third]
    assert find_run(tmp_path, "last").id == third
    assert find_run(tmp_path, "last~2").id == first


def test_runs_without_a_number_come_first_by_their_names(tmp_path: Path) -> None:
    """A version before the numbers wrote them; its clock was ahead too."""
    newer = _begun(tmp_path, "20260601T000000Z")
    for name in ("20270101T000000Z-10", "20270101T000000Z-2", "20250101T000000Z"):
        told = json.loads((tmp_path / "runs" / newer / HEAD).read_text())
        del told["number"]
        (tmp_path / "runs" / name).mkdir()
        (tmp_path / "runs" / name / HEAD).write_text(json.dumps(told))
    old = ["20250101T000000Z", "20270101T000000Z-2", "20270101T000000Z-10"]
    assert [path.name for path in run_folders(tmp_path)] == [*old, newer]
    # One whose head is lost stands where its name does.
    (tmp_path / "runs" / "20270101T000000Z-2" / HEAD).write_text("{")
    assert [path.name for path in run_folders(tmp_path)][-1] in {newer, "20270101T000000Z-2"}


def test_runs_that_begin_at_once_have_numbers_of_their_own(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        [*pool.map(lambda number: _begun(tmp_path, f"20260601T0000{number:02d}Z"), range(16))]
    told = [json.loads((path / HEAD).read_text())["number"] for path in run_folders(tmp_path)]
    assert told == [*range(1, 17)]


def test_a_run_that_was_stopped_before_it_kept_anything_is_told_as_that(tmp_path: Path) -> None:
    _begun(tmp_path, "20260601T000000Z")
    (tmp_path / "runs" / "20260602T000000Z").mkdir()
    (tmp_path / "runs" / "20260602T000000Z" / f".run.json.{'0' * 16}.unfinished").write_text("{")
    (tmp_path / "runs" / "20250101T000000Z").mkdir()
    (tmp_path / "runs" / "20250101T000000Z" / "summary.tsv").write_text("x")
    lines = [*runs_lines(tmp_path)]
    assert "older than the history, tables and pictures alone: 1" in lines
    assert "stopped before anything was kept: 20260602T000000Z" in lines
    assert any("killed, 0 of 20 cases: none" in line for line in lines)


def _begun(store: Path, name: str) -> str:
    """A run that was begun and goes no further, as a killed one."""
    folder = store / "runs" / name
    folder.mkdir(parents=True)
    writer = begin_run(folder, RunHead(started=NOW, cases=20, chosen=20, **TOLD))
    writer.alive.close()
    return name
