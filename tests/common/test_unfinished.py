"""Unfinished files: a killed writer's are removed by whoever comes next, a living one's never, by real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tasnet.common import unfinished
from tasnet.suite.run.store import open_store

WRITES = """
import sys; sys.path[:0] = {path!r}
from pathlib import Path
from tasnet.common import unfinished
{what}
    print('there', flush=True); sys.stdin.read()
"""


def writer(what: str) -> subprocess.Popen[bytes]:
    """A process that holds what it is writing until its stdin ends."""
    code = WRITES.format(path=sys.path, what=what)
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"there\n"
    return process


def ended(process: subprocess.Popen[bytes], number: int = signal.SIGKILL) -> None:
    process.send_signal(number)
    process.communicate()


def of(folder: Path) -> str:
    return f"with unfinished.opened(Path({str(folder / 'target')!r})):"


@pytest.mark.parametrize("what", ["a file", "a folder"])
def test_what_a_killed_writer_left_is_removed_and_what_a_living_one_holds_is_not(tmp_path: Path, what: str) -> None:
    made = of(tmp_path) if what == "a file" else f"with unfinished.folder(Path({str(tmp_path)!r}), 'p'):"
    killed, alive = writer(made), writer(made)
    assert len(list(tmp_path.iterdir())) == 2
    ended(killed)
    # Suspended it is alive too, and so it is on a day when the clock is ahead.
    alive.send_signal(signal.SIGSTOP)
    for left in tmp_path.iterdir():
        os.utime(left, (0, 0))
    unfinished.sweep(tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    ended(alive)
    unfinished.sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_name_is_never_taken_for_one(tmp_path: Path) -> None:
    for name in ("x.unfinished", ".x.tmp", f".x.{'g' * 16}.unfinished", f"x.{'0' * 16}"):
        (tmp_path / name).write_text("")
    (tmp_path / f".x.{'0' * 16}.unfinished").symlink_to(tmp_path / "x.unfinished")
    unfinished.sweep(tmp_path)
    assert len(list(tmp_path.iterdir())) == 5


def test_an_exception_leaves_the_target_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("before")

    def half() -> None:
        with unfinished.opened(tmp_path / "target") as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("target", "before")]


def test_opening_a_store_removes_what_killed_runs_left_in_it(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    folder = store.onnx_folder()
    # As an export writes weights, as an outcome is written, and a desk with half a HAR on it.
    left = [
        writer(f"with unfinished.opened(Path({str(folder / 'weights.bin')!r})):"),
        writer(f"with unfinished.opened(Path({str(tmp_path / 'o.json')!r}), Path({str(tmp_path / 'tmp')!r})):"),
        writer(f"with unfinished.folder(Path({str(tmp_path / 'tmp')!r})) as f:\n    (f / 'x.har').write_text('half')"),
    ]
    assert len([*folder.iterdir(), *(tmp_path / "tmp").iterdir()]) == 3
    for each in left:
        ended(each)
    open_store(tmp_path)
    assert [*folder.iterdir(), *(tmp_path / "tmp").iterdir()] == []


def test_what_cannot_be_written_is_named_and_not_what_would_have_been_unfinished(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        unfinished.write(tmp_path / "gone" / "a.onnx", b"")
    assert raised.value.filename == str(tmp_path / "gone" / "a.onnx")
