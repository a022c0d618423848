"""The network that ships: its name wherever a checkpoint is taken, its file as Asteroid writes one, its card."""

from __future__ import annotations

import json
import re
import socket
from fnmatch import fnmatch
from pathlib import Path

import pytest
import torch

from tasnet.cli import main
from tasnet.network.checkpoint import load_checkpoint
from tasnet.network.shipped import FOLDER, SMALL, ShippedError, checkpoint_file, checkpoint_name
from tasnet.network.variant import Size
from tasnet.suite.numerics.speech import RATE, SHIPPED, read_wav

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
CARD = checkpoint_file(SMALL).with_suffix(".md").read_text(encoding="utf-8")


def test_it_is_read_without_a_network_and_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a connection")

    monkeypatch.setattr(socket.socket, "connect", refused)
    found = load_checkpoint(checkpoint_file(SMALL))
    assert found.size == Size(N=128, L=16, B=64, H=128, Sc=64, P=3, X=6, R=2)
    assert (found.norm, found.mask_activation, found.source, found.sample_rate) == ("gln", "relu", "asteroid", RATE)
    assert found.assumed == found.refused == ()
    assert checkpoint_file(SMALL).stat().st_size <= 2_000_000


def test_it_has_asteroids_layout() -> None:
    held = torch.load(checkpoint_file(SMALL), weights_only=True)
    assert {"model_name", "model_args", "state_dict", "infos"} == set(held)
    assert held["model_name"] == "ConvTasNet"
    assert held["model_args"]["norm_type"] == "gLN"
    counted = sum(tensor.numel() for tensor in held["state_dict"].values())
    assert f"{counted:,} parameters" in CARD
    assert all(bool(torch.isfinite(tensor).all()) for tensor in held["state_dict"].values())


def test_the_card_gives_three_figures_and_the_log_its_steps() -> None:
    rows = dict(re.findall(r"^\| (\D+?) \| \d+ \| (-?[\d.]+) \|$", CARD, re.MULTILINE))
    assert list(rows) == ["held-out sentences of known voices", "held-out pair of voices", "real voices"]
    assert float(rows["held-out sentences of known voices"]) > float(rows["real voices"])
    log = [json.loads(line) for line in (FOLDER / "small.log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert f"{log[-1]['step']:,} of " in CARD
    assert (FOLDER / "small.png").read_bytes().startswith(b"\x89PNG")


def test_a_name_that_no_network_has_says_which_there_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("tasnet:large", "tasnet:", "tasnet:../trained/small", "tasnet:small.pth"):
        with pytest.raises(ShippedError, match="no such network comes with tasnet; tasnet:small, or a file"):
            checkpoint_file(name)
    output = tmp_path / "m.onnx"
    assert main(["export", "baseline", "--checkpoint", "tasnet:large", "-o", str(output)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not output.exists()


def test_a_path_stays_a_path_and_the_name_comes_back() -> None:
    assert checkpoint_file("best.pth") == Path("best.pth")
    assert checkpoint_name(Path("best.pth")) == "best.pth"
    assert checkpoint_name(checkpoint_file(SMALL)) == SMALL


def test_export_takes_the_name_and_writes_its_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = "split-normal-polyphase-all+norm=gln+activation=prelu+T=1600"
    assert main(["export", case, "--checkpoint", SMALL, "-o", str(tmp_path / "m.onnx")]) == 0
    assert "+N=128+B=64+H=128+Sc=64+X=6+R=2" in capsys.readouterr().out


def test_weights_card_log_and_voices_are_in_the_package() -> None:
    """By the globs that setuptools packs by; a wheel was looked into when they were written."""
    globs = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]
    kept = [*SHIPPED, *(FOLDER / f"small.{kind}" for kind in ("pth", "md", "log.jsonl", "png"))]
    for path in kept:
        name = path.relative_to(ROOT / "tasnet").as_posix()
        assert any(fnmatch(name, glob) for glob in globs["tasnet"]), name


def test_the_voices_are_three_of_one_length() -> None:
    known = [read_wav(path) for path in SHIPPED]
    assert {(each.rate, len(each.samples)) for each in known} == {(RATE, 16 * RATE)}
    assert len({each.samples.tobytes() for each in known}) == 3
