"""What is written has the mode that the user's umask leaves, and what is replaced keeps its own."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
import soundfile

import tasnet
from tasnet.cli import main
from tasnet.common import unfinished, write_whole
from tasnet.network import write_onnx
from tests.cli.small_files import model


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o022, 0o077, 0o002], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def _translated(path: Path) -> None:
    assert main(["translate", str(model(path.with_name("in.onnx"))), "--name", "net", "-o", str(path)]) == 0


WRITERS: dict[str, Callable[[Path], object]] = {
    "unfinished": lambda path: unfinished.write(path, b"new"),
    "write_whole": lambda path: write_whole(path, b"new"),
    "write_onnx": lambda path: write_onnx(onnx.ModelProto(), path),
    "translate": _translated,
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_new_file_has_what_the_umask_leaves(name: str, umask: int, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / "new")
    assert _mode(tmp_path / "new") == 0o666 & ~umask


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_a_file_that_is_replaced_keeps_its_mode(name: str, mode: int, umask: int, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_bytes(b"old")
    old.chmod(mode)
    WRITERS[name](old)
    assert (_mode(old), old.read_bytes() == b"old") == (mode, False)


def test_a_link_stays_one_and_a_pipe_is_written_into(tmp_path: Path) -> None:
    link, old = tmp_path / "link", tmp_path / "old"
    old.touch()
    link.symlink_to(old)
    _translated(link)
    assert link.is_symlink()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        _translated(pipe)
        assert os.read(reader, 1 << 20) == old.read_bytes() != b""
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_case_calibrated_leaves_both_files_to_the_umask(umask: int, tmp_path: Path) -> None:
    speech = tmp_path / "speech"
    speech.mkdir()
    soundfile.write(str(speech / "a.wav"), np.random.default_rng(0).normal(0, 0.1, 32000), 8000)
    assert main(["calibrate", str(speech), "--case", "baseline", "-o", str(tmp_path / "c.npy")]) == 0
    assert {_mode(tmp_path / name) for name in ("c.npy", "c.json")} == {0o666 & ~umask}


def test_nothing_is_written_as_a_private_temporary_file() -> None:
    """The files of `mkstemp` and NamedTemporaryFile are 0600 whatever the umask says, and stay so when renamed."""
    sources = {path: path.read_text(encoding="utf-8") for path in Path(tasnet.__path__[0]).rglob("*.py")}
    assert [path for path, text in sources.items() if "mkstemp" in text or "NamedTemporaryFile" in text] == []
    assert sources
