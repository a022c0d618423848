"""A run of real processes, killed in the middle: what it got to is read, and the next one is whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tasnet.suite.case import profile
from tasnet.suite.history.run import END, RECORDS, find, folders, read
from tasnet.suite.history.shown import runs_lines
from tests.doubles.processes import until

ROOT = Path(__file__).parents[2]


def test_a_killed_run_is_read_as_far_as_it_went(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-m", "compile", "tests/compile", "-q", "-p", "no:cacheprovider"]
    command += ["--profile", "notes", "--store", str(tmp_path)]
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}

    def written() -> list[Path]:
        return [path for path in tmp_path.glob(f"runs/*/{RECORDS}") if path.read_bytes().count(b"\n") >= 2]

    with subprocess.Popen(command, cwd=ROOT, env=kept, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as running:
        assert until(lambda: written() or running.poll() is not None)
        running.send_signal(signal.SIGKILL)
        running.wait()
    (folder,) = folders(tmp_path)
    assert running.returncode == -signal.SIGKILL, "it ended before it could be killed"
    assert not (folder / END).exists()
    killed = read(folder)
    assert killed.end is None
    assert not killed.whole
    assert {record.case_id for record in killed.records} <= {case.id for case in profile("notes")}
    assert len(killed.records) >= 1
    assert any("unfinished (killed, or not done yet)" in line for line in runs_lines(tmp_path))

    subprocess.run(command, cwd=ROOT, env=kept, check=True, capture_output=True)
    again = find(tmp_path, "last")
    assert again.whole
    assert len(again.records) == 20
    known = {record.case_id: record for record in again.records}
    for record in killed.records:
        assert record.by_stage == {stage: known[record.case_id].by_stage[stage] for stage in record.by_stage}
