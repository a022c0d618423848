"""Limits are read from one table, bad ones are refused with where they stand, and memory is shared by slots."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock, Timeout

from tasnet.hailo.compiler.limits import GIB, CompilerLimits, LimitsError, read_limits
from tasnet.hailo.process.memory_slots import hold_memory, machine_bytes, slots
from tests.doubles.processes import until


def pyproject(folder: Path, text: str) -> Path:
    path = folder / "pyproject.toml"
    path.write_text(text)
    return path


def test_without_a_table_the_defaults_hold(tmp_path: Path) -> None:
    assert read_limits() == CompilerLimits()
    assert read_limits(pyproject(tmp_path, "[tool.other]\nx = 1\n")) == CompilerLimits()


def test_the_table_goes_over_the_defaults_and_options_over_the_table(tmp_path: Path) -> None:
    table = "[tool.tasnet.limits]\ngrace_seconds = 1\n[tool.tasnet.limits.compile]\nseconds = 60\nmemory = '2 GiB'\n"
    limits = read_limits(pyproject(tmp_path, table), {"compile.seconds": "90", "optimize.memory": "500MB"})
    assert limits.grace_seconds == 1
    assert limits.compile.seconds == 90
    assert limits.compile.memory == 2 * GIB
    assert limits.compile.retries == CompilerLimits().compile.retries
    assert limits.optimize.memory == 500_000_000
    assert limits.translate == CompilerLimits().translate


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.tasnet.limits.compil]\nseconds = 1", "there is no 'compil'; known are translate, optimize, compile"),
        ("[tool.tasnet.limits.compile]\nsecond = 1", "compile: there is no 'second'; known are seconds, memory"),
        ("[tool.tasnet.limits.compile]\nseconds = 0", "compile.seconds = 0: input should be greater than 0"),
        ("[tool.tasnet.limits.compile]\nseconds = nan", "compile.seconds = nan"),
        ("[tool.tasnet.limits.compile]\nseconds = inf", "compile.seconds = inf"),
        ("[tool.tasnet.limits.compile]\nseconds = true", "true and false are no numbers"),
        ("[tool.tasnet.limits.compile]\nmemory = 'much'", "compile.memory = 'much': not a size; write bytes, or"),
        ("[tool.tasnet.limits.compile]\nmemory = 5", "compile.memory = 5"),
        ("[tool.tasnet.limits.compile]\nretries = -1", "compile.retries = -1"),
        ("[tool.tasnet.limits]\ncompile = 5", "compile = 5 must be a table"),
        ("[tool.tasnet.limits]\ngrace_seconds = {a = 1}", "must be a value"),
        ("[tool.tasnet]\nlimits = 5", "limits isn't a table; write [tool.tasnet.limits]"),
        ("[tool", "pyproject.toml: can't be read"),
    ],
)
def test_bad_limits_are_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(LimitsError) as refused:
        read_limits(pyproject(tmp_path, text))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("overrides", [{"compile": "5"}, {"nothing.seconds": 1}, {"compile.seconds.x": 1}, {"": 1}])
def test_bad_options_are_refused(overrides: dict[str, Any]) -> None:
    with pytest.raises(LimitsError):
        read_limits(None, overrides)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LimitsError, match="no such file"):
        read_limits(tmp_path / "nowhere.toml")


@pytest.mark.parametrize(
    ("memory", "total", "taken"),
    [(1, 4 * GIB, 1), (GIB, 4 * GIB, 1), (GIB + 1, 4 * GIB, 2), (64 * GIB, 4 * GIB, 4), (GIB, 1, 1)],
)
def test_slots_of_a_stage(memory: int, total: int, taken: int) -> None:
    assert slots(memory, total) == taken


def test_the_machine_has_memory() -> None:
    assert machine_bytes() > 0


HOLDER = """
import sys, time, uuid
from pathlib import Path
from tasnet.hailo.process.memory_slots import hold_memory
folder, memory, rounds = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
for _ in range(rounds):
    with hold_memory(memory << 30, folder / "places", 4 << 30):
        mine = folder / "in" / uuid.uuid4().hex
        mine.write_text(str(min(memory, 4)))
        # Read together: what is in at one moment must fit.
        inside = 0
        for path in (folder / "in").iterdir():
            try:
                inside += int(path.read_text() or 0)
            except FileNotFoundError:
                pass
        if inside > 4:
            (folder / "overbooked").write_text(str(inside))
        time.sleep(0.01)
        mine.unlink()
"""


def holder(folder: Path, memory: int, rounds: int, code: str = HOLDER) -> subprocess.Popen[bytes]:
    (folder / "in").mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder), str(memory), str(rounds)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def test_processes_never_hold_more_than_there_is(tmp_path: Path) -> None:
    running = [holder(tmp_path, memory, 3) for memory in (1, 2, 3, 2, 9)]
    assert [process.wait(timeout=120) for process in running] == [0] * 5
    assert not (tmp_path / "overbooked").exists()


def test_no_one_holds_more_than_it_asks_for(tmp_path: Path) -> None:
    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(hold_memory(GIB, tmp_path, 4 * GIB))
        for number in range(4):
            with pytest.raises(Timeout):
                FileLock(tmp_path / f"{number}.lock", blocking=False).acquire()


def test_a_killed_holder_frees_its_slots(tmp_path: Path) -> None:
    stays = HOLDER.replace("time.sleep(0.01)", "(folder / 'began').touch(); time.sleep(3600)")
    process = holder(tmp_path, 4, 1, stays)
    assert until((tmp_path / "began").exists)
    process.kill()
    process.wait()
    with hold_memory(4 << 30, tmp_path / "places", 4 << 30):
        pass


def test_a_failing_stage_frees_its_slots(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt), hold_memory(4 << 30, tmp_path, 4 << 30):
            raise KeyboardInterrupt
