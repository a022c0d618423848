"""docs/plan.md: every command runs, from a checkpoint to the program on a Pi, with doubles of compiler and chip."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tasnet.cli import main
from tasnet.network import Size
from tasnet.plan.function import Function, TrainedFunction
from tests.doubles.dfc_python import dfc_python
from tests.doubles.hailort import as_hailo_platform
from tests.plan.programs import asteroids, separated, sources
from tests.plan.running import planned
from tests.project.shown import console_blocks

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "plan.md").read_text(encoding="utf-8")


def test_every_command_of_the_page_runs_one_after_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asteroids(tmp_path / "best.pth", Size(N=14, L=8, B=12, H=16, Sc=10, P=3, X=2, R=1, n_src=2))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "speech").mkdir()
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, 17_000)
    for name in ("speech/a.wav", "speech/b.wav", "mix.wav"):
        soundfile.write(name, noise, 8000, subtype="FLOAT")
    compiler = dfc_python(tmp_path / "sdk", {"graph": "read"})
    ran = []
    for command, _ in (step for block in console_blocks(PAGE) for step in block):
        program, *words = shlex.split(command)
        if program == "python":
            done = separated(*map(Path, (words[0], "hefs", *words[1:])))
            assert done.returncode == 0, done.stderr
            assert "by a test double" in done.stdout
        else:
            assert program == ".venv/bin/tasnet"
            if "--dfc-python" in words:
                words[words.index("--dfc-python") + 1] = str(compiler)
            with as_hailo_platform():
                assert main(words) == 0, command
        ran.append(" ".join(words[:2]))
    assert len(ran) == 10
    assert np.abs(sources(tmp_path / "by-chip") - sources(tmp_path / "separated")).max() < 1e-6


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
