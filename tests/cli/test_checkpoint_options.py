"""`--mask-activation` and `--blocks-per-repeat`: on every command that takes a checkpoint, and told where left out.

The right value is torchaudio's own module, made as its published base model is: with ReLU masks.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import soundfile
import torch
from torch import nn
from torch.nn import functional as F

from tasnet.cli import main
from tasnet.cli.app import command_line
from tasnet.hailo.predict.reference import Reference
from tasnet.network.variant import Variant
from tasnet.suite.cases.case import Case
from tasnet.suite.cases.outcome import Stage
from tasnet.suite.run.pipeline import Pipeline
from tasnet.suite.run.recipe import Recipe, checked_recipe
from tasnet.suite.run.store import open_store
from tests.network.oracles import torchaudio_convtasnet
from tests.network.sizes import wave
from tests.runtime_session import session

pytest_plugins = "pytester"

BOTH = {"--mask-activation", "--blocks-per-repeat"}


@pytest.fixture
def published() -> nn.Module:
    """torchaudio's module, small, with the masks of its published model; 4 blocks in repeats of 2."""
    torch.manual_seed(7)
    made: nn.Module = torchaudio_convtasnet()(2, 8, 10, 3, 6, 9, 2, 2, msk_activate="relu").eval()
    return made


@pytest.fixture
def bare(tmp_path: Path, published: nn.Module) -> Path:
    path = tmp_path / "base.pt"
    torch.save(published.state_dict(), path)
    return path


def exported(path: Path, folder: Path, *options: str) -> Path:
    out = folder / "m.onnx"
    case = "expansion=split,activation=prelu,norm=gln"
    assert main(["export", case, "-o", str(out), "--checkpoint", str(path), "--blocks-per-repeat", "2", *options]) == 0
    return out


def decibels(out: Path, model: nn.Module) -> float:
    """Signal to noise of the exported file against the library's module, which pads by a stride itself."""
    running = session(out)
    length = running.get_inputs()[0].shape[-1]
    mix = wave(length - 8)
    outputs = running.run(None, {"mix": F.pad(mix, (4, 4)).reshape(1, 1, 1, -1).numpy()})
    found = np.concatenate([each.reshape(1, 1, -1) for each in outputs], 1)[..., 4:-4]
    with torch.no_grad():
        expected = model(mix.unsqueeze(1)).numpy()
    return float(10 * np.log10((expected**2).sum() / ((found - expected) ** 2).sum()))


def test_torchaudios_published_form_is_exported_as_the_same_function(
    tmp_path: Path, bare: Path, published: nn.Module, capsys: pytest.CaptureFixture[str]
) -> None:
    assert decibels(exported(bare, tmp_path), published) > 100
    told = capsys.readouterr().err
    assert "activation: relu is assumed" in told
    assert "--mask-activation names it" in told
    assert decibels(exported(bare, tmp_path, "--mask-activation", "sigmoid"), published) < 20
    assert "activation" not in capsys.readouterr().err


def test_every_command_that_takes_a_checkpoint_takes_what_it_may_not_say() -> None:
    command = command_line()
    taking = {}
    for name, each in command.commands.items():  # type: ignore[attr-defined]
        options = {option for parameter in each.params for option in parameter.opts}
        if "--checkpoint" in options:
            taking[name] = options
    assert set(taking) == {"matrix", "sweep", "export", "emulate", "gate", "isolate", "listen", "parity"}
    assert all(options >= BOTH for options in taking.values())


WRONG = {
    "activation without weights": (
        ["--mask-activation", "relu"],
        "--mask-activation relu: of which weights? ",
    ),
    "blocks without weights": (["--blocks-per-repeat", "8"], "--blocks-per-repeat 8: of which weights? "),
    "unknown activation": (["--checkpoint", "base.pt", "--mask-activation", "tanh"], "tanh: unknown; one of relu, "),
    "no blocks": (["--checkpoint", "base.pt", "--blocks-per-repeat", "0"], "0: must be at least 1"),
    "a folder": (["--checkpoint", "."], "--checkpoint .: a directory; name a checkpoint"),
    "nothing there": (["--checkpoint", "none.pt"], "--checkpoint none.pt: no such file; name a checkpoint"),
}


@pytest.mark.parametrize(("options", "says"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize(
    "command",
    [
        ["export", "baseline", "-o", "m.onnx"],
        ["sweep", "--profile", "notes"],
        ["matrix", "--profile", "notes"],
        ["gate", "--base", "HEAD"],
        ["listen", "baseline", "--mix", "a.wav"],
        ["parity", "--case", "baseline", "-o", "p.html"],
        ["emulate", "."],
    ],
    ids=lambda words: words[0],
)
def test_wrong_options_are_one_line_before_any_work(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    options: list[str],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base.pt").write_bytes(b"")
    soundfile.write(tmp_path / "a.wav", [0.0] * 800, 8000)
    assert main([*command, *options]) == 2
    told = capsys.readouterr()
    assert says in told.err
    assert told.err.count("\n") == 1
    assert told.out == ""


def test_what_was_said_of_a_checkpoint_is_part_of_every_key(tmp_path: Path, bare: Path) -> None:
    """Two activations are two networks: neither reads the other's outcomes; what was assumed is told again."""
    store = open_store(tmp_path / "store")
    case = Case(Variant(), length=96)
    kinds = {}
    for activation in (None, "relu", "sigmoid"):
        pipeline = Pipeline(store, Reference(), checked_recipe(bare, activation, 2))
        for _ in range(2):
            outcome = Pipeline(store, Reference(), pipeline.recipe).run(case, until=Stage.EXPORT)[Stage.EXPORT]
            again = Pipeline(store, Reference(), pipeline.recipe).assumed
        graph = onnx.load(str(store.path(outcome.artifact)), load_external_data=False).graph
        kinds[activation] = {node.op_type for node in graph.node if "mask_act" in node.name}
        assert any("relu is assumed" in line for line in again) == (activation is None)
        # A case's masks end in a ReLU: what is said of another network is told apart, and no evidence of the case.
        assert ("mask_activation" in outcome.figures) == (activation == "sigmoid")
    assert kinds == {None: {"Relu"}, "relu": {"Relu"}, "sigmoid": {"Sigmoid"}}
    drawn = Pipeline(store, Reference(), Recipe())
    assert drawn.assumed == ()
    eight = replace(checked_recipe(bare, None, 2), blocks_per_repeat=4)
    assert Pipeline(store, Reference(), eight).resolve(case).size.X == 4


def test_the_suites_run_tells_what_was_assumed(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, bare: Path
) -> None:
    root = Path(__file__).parents[2]
    monkeypatch.syspath_prepend(root)
    (pytester.path / "expected_failures.yaml").write_text((root / "expected_failures.yaml").read_text())
    pytester.makeconftest('pytest_plugins = ["tasnet.suite.plugin"]')
    pytester.makepyfile("def test_nothing(): pass")
    store = str(pytester.path / "store")
    options = [f"--tasnet-checkpoint={bare}", "--tasnet-blocks-per-repeat=2", f"--tasnet-store={store}"]
    result = pytester.runpytest_inprocess(*options)
    result.stdout.fnmatch_lines([f"note: {bare}: the file doesn't say the masks' activation: relu is assumed*"])
    result = pytester.runpytest_inprocess(*options, "--tasnet-mask-activation=sigmoid")
    result.stdout.no_fnmatch_line("*activation: relu*")
    (pytester.path / "bad.pt").write_bytes(b"no torch file")
    result = pytester.runpytest_inprocess("--tasnet-checkpoint=bad.pt", f"--tasnet-store={store}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *bad.pt: truncated, or not a torch file; *"])
    result = pytester.runpytest_inprocess("--tasnet-mask-activation", "relu")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --tasnet-mask-activation relu: of which weights? *"])


def test_the_gate_tells_an_older_side_no_more_than_was_said() -> None:
    from tasnet.suite.gate.sides import ExportRequest

    request = ExportRequest("notes", "hailo8", Recipe(checkpoint=Path("a.pt"), blocks_per_repeat=4), seconds=60)
    assert json.dumps(request.weights) == '{"blocks_per_repeat": 4}'
    assert ExportRequest("notes", "hailo8", Recipe(), seconds=60).weights == {}
