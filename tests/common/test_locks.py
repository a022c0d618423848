"""A lock: whoever waits for long says for whom; a suspended holder is told as one."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import pytest

from tasnet.common.locks import lock_holder, locked
from tasnet.hailo.process import memory_slots
from tests.doubles.repository import ROOT, run_pytest

PATIENCE = 0.05
"""seconds; who is waited for ends long after it, when that was told: whoever told it again and again would be heard"""
HOLDS = (
    "import sys; sys.path[:0] = {path!r}\n"
    "from pathlib import Path; from tasnet.common.locks import locked\n"
    "with locked(Path({lock!r})):\n    print('there', flush=True); sys.stdin.read()\n"
)


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "key.lock"


@pytest.fixture
def other(lock: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds the lock until its stdin ends."""
    code = HOLDS.format(path=sys.path, lock=str(lock))
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"there\n"
    yield process
    process.kill()
    process.communicate()


def test_who_waits_for_a_suspended_process_says_so_once_and_goes_on_when_it_ends(
    lock: Path, other: subprocess.Popen[bytes]
) -> None:
    heard: list[str] = []
    other.send_signal(signal.SIGSTOP)

    def say(text: str) -> None:
        heard.append(text)
        Timer(6 * PATIENCE, other.kill).start()

    with locked(lock, say, patience=PATIENCE):
        assert lock_holder(lock).startswith(f"process {os.getpid()} on ")
    (told,) = heard
    assert re.search(rf"^waiting for process {other.pid} on \S+, which has held .*key\.lock since \d{{4}}-", told)
    assert told.endswith(f"it is suspended: kill -CONT {other.pid}, or end it")


def test_nobody_hears_of_a_short_wait(lock: Path, other: subprocess.Popen[bytes]) -> None:
    heard: list[str] = []
    Timer(0.1, other.kill).start()
    with locked(lock, heard.append):
        pass
    assert heard == []


def test_a_lock_file_with_anything_in_it_is_another_process_s(lock: Path) -> None:
    for content in (b"", b"\xff\xfe\x00", b"1 2 3 4", b"x y z", b"9" * 5000):
        lock.write_bytes(content)
        assert lock_holder(lock) == f"another process, which holds {lock}"
    lock.write_bytes(b"1 \x1b[2K 2026-01-01T00:00:00+00:00")
    assert lock_holder(lock).isprintable()


def test_who_waits_for_memory_says_who_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_slots, "PATIENCE_SECONDS", PATIENCE)
    heard: list[str] = []
    with memory_slots.hold_memory(1, tmp_path, 2 << 30):
        code = HOLDS.format(path=sys.path, lock=str(tmp_path / "1.lock"))
        with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()

            def say(text: str) -> None:
                heard.append(text)
                Timer(6 * PATIENCE, process.kill).start()

            with memory_slots.hold_memory(1, tmp_path, 2 << 30, say):
                pass
    (told,) = heard
    assert told.startswith(f"waiting for memory, 1 of 2 GiB, held by process {os.getpid()} on ")


def test_a_run_says_at_the_terminal_for_whom_it_waits(tmp_path: Path) -> None:
    """The captured output of a test that waits is nobody's to see. Of workers: tests/suite/plugin/test_plugin.py."""
    (tmp_path / "test_it.py").write_text(
        "import tasnet.common.locks\n"
        "from tasnet.suite.plugin.setup import uncaptured_printer\n"
        "def test_waits(pytestconfig):\n"
        "    uncaptured_printer(pytestconfig)('waiting for process 7')\n"
    )
    done = run_pytest("-q", "test_it.py", f"--rootdir={tmp_path}", folder=tmp_path, PYTHONPATH=str(ROOT))
    assert done.returncode == 0, done.stdout
    assert "tasnet: waiting for process 7\n" in done.stderr
