"""Whatever a command does, `run` says how it ended, keeps its log, and leaves no process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from tasnet.hailo.process.bounded_log import BoundedLog
from tasnet.hailo.process.run import ExceededLimit, ProcessEnd, Resource, run_process, signal_name
from tests.doubles.processes import TOKEN, left, until

SAY = "import json, os, sys; say = lambda **m: os.write(int(sys.argv[2]), json.dumps(m).encode() + b'\\n')\n"
FORKS = """
import subprocess, time, signal
code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(3600)"
base = [sys.executable, "-I", "-S", "-c"]
subprocess.Popen([*base, code])
subprocess.Popen([*base, code], start_new_session=True)
away = "import subprocess, sys; subprocess.Popen([*sys.argv[1:]], start_new_session=True)"
subprocess.run([*base, away, *base, code])
"""
HANG = "import time\nwhile True: time.sleep(3600)\n"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + HANG

Runner = Callable[..., ProcessEnd]


@pytest.fixture
def token() -> str:
    return uuid4().hex


@pytest.fixture
def start(tmp_path: Path, token: str) -> Runner:
    def start(
        code: str, *, seconds: float = 120.0, megabytes: int = 4096, grace: float = 0.1, **request: object
    ) -> ProcessEnd:
        return run_process(
            [sys.executable, "-I", "-S", "-c", SAY + code],
            request=request,
            log=tmp_path / "log",
            cwd=tmp_path,
            seconds=seconds,
            memory_bytes=megabytes << 20,
            grace=grace,
            env={**os.environ, TOKEN: token},
        )

    return start


def test_messages_come_by_their_own_way_and_prints_go_to_the_log(start: Runner, tmp_path: Path) -> None:
    end = start("asked = json.load(os.fdopen(int(sys.argv[1])))\nsay(got=asked)\nprint('hello')", question="é" * 70_000)
    assert end.messages == ({"got": {"question": "é" * 70_000}},)
    assert (end.code, end.signal, end.exceeded) == (0, None, None)
    assert (tmp_path / "log").read_bytes() == b"hello\n"


def test_rubbish_between_messages_is_skipped(start: Runner) -> None:
    end = start("say(a=1); os.write(int(sys.argv[2]), b'\\xff{\\n[1]\\n' + b'[' * 100000 + b'\\n'); say(b=2)")
    assert end.messages == ({"a": 1}, {"b": 2})


@pytest.mark.parametrize("code", [0, 3, 255])
def test_exit_codes(start: Runner, code: int) -> None:
    assert start(f"os._exit({code})").code == code


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGKILL", "SIGTERM"])
def test_signals(start: Runner, name: str) -> None:
    end = start(f"import signal, time; os.kill(os.getpid(), signal.{name}); time.sleep(60)")
    assert end.code is None
    assert end.signal is not None
    assert signal_name(end.signal) == name


def test_a_command_that_is_not_there(tmp_path: Path) -> None:
    end = run_process(
        ["/nowhere/python"], request={}, log=tmp_path / "log", cwd=tmp_path, seconds=60, memory_bytes=1 << 30
    )
    assert end.unstarted == "/nowhere/python: No such file or directory"
    assert (end.code, end.signal) == (None, None)


@pytest.mark.parametrize("code", [HANG, STUBBORN, FORKS + STUBBORN], ids=["hang", "stubborn", "forks"])
def test_over_its_time_the_whole_tree_ends(start: Runner, token: str, code: str) -> None:
    end = start("say(began=1); print('began', flush=True)\n" + code, seconds=0.5)
    assert end.exceeded == ExceededLimit(Resource.TIME, 0.5)
    assert not left(token)


def test_over_its_memory_it_is_killed(start: Runner, token: str) -> None:
    end = start("held = bytearray(b'x') * (400 << 20)\n" + HANG, megabytes=200)
    assert end.exceeded == ExceededLimit(Resource.MEMORY, 200 << 20)
    assert not left(token)


def test_memory_of_children_counts(start: Runner, token: str) -> None:
    big = "import time; held = bytearray(b'x') * (400 << 20); time.sleep(3600)"
    child = f"import subprocess; subprocess.run([sys.executable, '-c', {big!r}])"
    assert start(child, megabytes=200).exceeded == ExceededLimit(Resource.MEMORY, 200 << 20)
    assert not left(token)


def test_children_left_behind_end_with_the_command(start: Runner, token: str) -> None:
    end = start(FORKS + "say(done=1)")
    assert end.code == 0
    assert end.messages == ({"done": 1},)
    assert not left(token)


def test_a_keeper_that_is_killed_takes_all_with_it(start: Runner, token: str) -> None:
    end = start(FORKS + "os.kill(os.getppid(), 9)\n" + STUBBORN)
    assert (end.code, end.signal, end.exceeded) == (None, None, None)
    assert not left(token)


PARENT = """
import os, sys
from pathlib import Path
from tasnet.hailo.process.run import run_process
here = Path(sys.argv[1])
run_process([sys.executable, "-I", "-S", "-c", sys.argv[2]], request={}, log=here / "log", cwd=here, seconds=600,
    memory_bytes=1 << 32, env=dict(os.environ))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_a_parent_that_is_killed_leaves_nothing(tmp_path: Path, token: str, number: signal.Signals) -> None:
    code = SAY + FORKS + "open('began', 'w').close()\n" + STUBBORN
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), code],
        env={**os.environ, TOKEN: token, "PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.PIPE,
    )
    assert until((tmp_path / "began").exists)
    assert len(left(token)) >= 5
    parent.send_signal(number)
    _, said = parent.communicate(timeout=60)
    assert parent.returncode != 0
    if number == signal.SIGINT:
        # An interrupted run has seen to it before it goes on.
        assert b"KeyboardInterrupt" in said
        assert not left(token)
    assert until(lambda: not left(token))


def test_a_flood_of_output_is_kept_by_its_ends(start: Runner, tmp_path: Path) -> None:
    flood = "for i in range(340): os.write(1, b'\\xff\\x00' * 32768)"
    end = start(f"os.write(1, b'first line\\n')\n{flood}\nos.write(2, b'last line\\n')")
    kept = (tmp_path / "log").read_bytes()
    assert end.code == 0
    assert kept.startswith(b"first line\n")
    assert kept.endswith(b"last line\n")
    assert len(kept) < 21 << 20
    assert b"bytes left out" in kept


@pytest.mark.parametrize("piece", [1, 7, 100, 5000])
def test_a_log_has_head_tail_and_the_count_between(tmp_path: Path, piece: int) -> None:
    data = b"".join(b"%06d\n" % i for i in range(1000))
    with BoundedLog(tmp_path / "log", head=70, tail=140) as log:
        for at in range(0, len(data), piece):
            log.write(data[at : at + piece])
        kept = (tmp_path / "log").read_bytes()
    head, _, rest = kept.partition(b"\n[... ")
    count, _, tail = rest.partition(b" bytes left out ...]\n")
    assert head == data[:70]
    assert data.endswith(tail)
    assert 140 <= len(tail) <= 280
    assert len(head) + int(count) + len(tail) == len(data)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_costs_the_log_and_nothing_else() -> None:
    with BoundedLog(Path("/dev/full")) as log:
        log.write(b"lost")
