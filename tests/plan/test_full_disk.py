"""A disk that is full while a plan is written or run: one line that says where, and nothing half-done."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tasnet.cli import main
from tasnet.network import Size
from tests.plan.programs import asteroids, quiet_noise, wav

SIZE = Size(N=14, L=8, B=12, H=16, Sc=10, P=3, X=2, R=1, n_src=2)


@contextmanager
def files_of_at_most(count: int) -> Iterator[None]:
    """The system refuses to write more than `count` bytes into a file, as it does on a disk with no more room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room", [0, 500])
def test_a_full_disk_is_one_line_that_says_where_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], room: int
) -> None:
    checkpoint = asteroids(tmp_path / "best.pth", SIZE, "cLN")
    plan, mix = tmp_path / "plan", wav(tmp_path / "mix.wav", quiet_noise(8000))
    make = ["plan", "make", "--checkpoint", str(checkpoint), "--length", "1600"]
    assert main([*make, "-o", str(plan)]) == 0
    (tmp_path / "plan.svg").write_text("of before")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for command in (
        [*make, "-o", str(tmp_path / "other")],
        ["plan", "run", str(plan), "--mix", str(mix), "-o", str(tmp_path / "out")],
        ["plan", "show", str(plan), "--svg", str(tmp_path / "plan.svg")],
    ):
        capsys.readouterr()
        with files_of_at_most(room):
            assert main(command) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert "File too large" in error or "is the disk full" in error
        assert "mix.wav" not in error
        assert str(tmp_path) in error
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert {path.name for path in tmp_path.iterdir()} == {"best.pth", "plan", "mix.wav", "plan.svg"}
