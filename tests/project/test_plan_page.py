"""docs/plan.md: every command runs, from a checkpoint to the program on a Pi, with doubles of compiler and chip."""

from __future__ import annotations

import io
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tasnet.cli import main
from tasnet.network import SMALL, Size, Variant, seeded_weights
from tasnet.plan.function import Function, TrainedFunction
from tests.doubles.dfc_python import dfc_python
from tests.doubles.forked_compiler import forked_compiler
from tests.doubles.hailort import as_hailo_platform
from tests.plan.programs import asteroids, separated, sources
from tests.plan.running import apart, made_of, planned, uncut
from tests.project.shown import console_blocks

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "plan.md").read_text(encoding="utf-8")


def test_every_command_of_the_page_runs_one_after_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = Size(N=14, L=8, B=12, H=16, Sc=10, P=3, X=2, R=1, n_src=2)
    asteroids(tmp_path / "best.pth", size)
    asteroids(tmp_path / "causal.pth", size, "cLN", causal=True)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "speech").mkdir()
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, 17_000)
    for name in ("speech/a.wav", "speech/b.wav", "mix.wav"):
        soundfile.write(name, noise, 8000, subtype="FLOAT")
    Path("mix.s16").write_bytes(np.round(noise * 32768).astype("<i2").tobytes())
    Path("mix.f32").write_bytes(noise.astype("<f4").tobytes())
    compiler = dfc_python(tmp_path / "sdk", {"graph": "read"})
    ran = []
    for command, _ in (step for block in console_blocks(PAGE) for step in block):
        program, *words = shlex.split(command)
        if program == "python":
            done = separated(*map(Path, (words[0], "hefs", *words[1:])))
            assert done.returncode == 0, done.stderr
            assert "by a test double" in done.stdout
        else:
            assert program == "tasnet"
            # As fast as a network of 16 channels is.
            words = ["best.pth" if word == SMALL else word for word in words]
            if "--dfc-python" in words:
                words[words.index("--dfc-python") + 1] = str(compiler)
            with as_hailo_platform(), forked_compiler(), redirected(words) as (told, stdin, stdout):
                monkeypatch.setattr("sys.stdin", stdin or sys.stdin)
                monkeypatch.setattr("sys.stdout", stdout or sys.stdout)
                assert main(told) == 0, command
            monkeypatch.undo()
            monkeypatch.chdir(tmp_path)
        ran.append(" ".join(words[:2]))
    assert len(ran) == 13
    heard = np.fromfile("heard.f32", "<f4").reshape(-1, 2).T
    assert (
        apart(heard, uncut(Variant(norm="cln", activation="prelu", causal="pad"), size, seeded_weights(size, 5), noise))
        < 5e-6
    )
    # 16 bits of the mix
    assert apart(sources(tmp_path / "heard"), heard) < 1e-3
    assert np.abs(sources(tmp_path / "by-chip") - sources(tmp_path / "separated")).max() < 1e-6


@contextmanager
def redirected(words: list[str]) -> Iterator[tuple[list[str], Any, Any]]:
    """The words before a shell's `< file` and `> file`, and these files as a process has them."""
    ends = {sign: words[words.index(sign) + 1] for sign in "<>" if sign in words}
    kept = words[: min((words.index(sign) for sign in ends), default=len(words))]
    with ExitStack() as stack:
        files = {
            sign: stack.enter_context(Path(name).open("rb" if sign == "<" else "wb")) for sign, name in ends.items()
        }
        texts = {sign: stack.enter_context(io.TextIOWrapper(file)) for sign, file in files.items()}
        yield kept, texts.get("<"), texts.get(">")


def test_a_streams_figures_are_the_models() -> None:
    size = Size()
    rows = re.findall(r"^\| (cgln|cln)(?:, (\d) TCN blocks? a HEF)? \| (\d+) \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE)
    assert len(rows) == 4
    for norm, blocks, *figures in rows:
        trained = TrainedFunction(Function(size, 24, norm, "prelu", "relu", True), {}, 8000)
        trained.__dict__["digest"] = ""
        made = made_of(trained, max_blocks=int(blocks) if blocks else None)
        (own, *_) = made.options
        found = (len(made.plan.on_chip), round(1e3 * own.block_seconds), round(1e3 * own.latency_seconds))
        assert tuple(map(int, figures)) == found
        assert f"{made.plan.null_seconds / own.block_seconds:.2f}" == "0.31"


def test_the_pages_figures_are_the_models() -> None:
    size = Size(N=512, L=16, B=128, H=512, Sc=128, P=3, X=8, R=3, n_src=2)
    rows = re.findall(r"^\| (gln|cln) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE)
    assert len(rows) == 2
    for norm, *figures in rows:
        trained = TrainedFunction(Function(size, 24, norm, "prelu", "relu"), {}, 8000)
        trained.__dict__["digest"] = ""
        plan = planned(trained, 16_000)
        found = (len(plan.on_chip), plan.invocations, round(1e3 * plan.seconds.total), round(1e3 * plan.null_seconds))
        assert tuple(map(int, figures)) == found
