"""Layouts of other Conv-TasNets: each told apart by its name, with what makes it another function, and that is true."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tasnet.network.checkpoint import CheckpointError, load_checkpoint
from tasnet.network.convtasnet import build_network
from tasnet.network.host_side import to_host_input, to_waveform
from tasnet.network.weights import asteroid_shapes
from tests.network.other_layouts import LAYOUTS, renamed, separated, state
from tests.network.sizes import FAITHFUL, SMALL, wave

KAITUOXU = {"N": 10, "L": 8, "B": 6, "H": 9, "P": 3, "X": 2, "R": 2, "C": 2, "norm_type": "gLN", "causal": 0}
"""what stands beside the state dict in that training's files"""


@pytest.mark.parametrize("old", [False, True], ids=["zip", "old format"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_is_told_by_name_with_what_to_do(tmp_path: Path, layout: str, old: bool) -> None:
    tensors = {key: torch.from_numpy(value).float() for key, value in renamed(state(SMALL), layout).items()}
    path = tmp_path / "model.pth"
    for content in (
        tensors,
        {"state_dict": tensors, "optim_dict": {}, "mask_nonlinear": "relu"} | KAITUOXU,
        {"module": {f"module.{key}": tensor for key, tensor in tensors.items()}},
    ):
        torch.save(content, path, _use_new_zipfile_serialization=not old)
        with pytest.raises(CheckpointError) as told:
            load_checkpoint(path)
        assert f"a Conv-TasNet of {layout}, by the names in it" in str(told.value)
        assert "its encoder ends in a ReLU, and its first norm is per frame" in str(told.value)
        assert str(told.value).endswith("; use one that Asteroid or torchaudio trained")


def test_the_encoders_relu_and_the_first_norm_are_what_makes_another_function() -> None:
    """Without the two, the formula is our network's to the last digits; with either, it is not."""
    weights = state(SMALL)
    mix = wave(96).double()

    def difference(**changes: bool) -> float:
        expected = separated(weights, SMALL, mix[0].numpy(), **changes)
        return float(np.abs(_ours(weights, mix) - expected).max() / np.abs(expected).max())

    assert difference(relu=False, per_frame=False) < 1e-12
    assert difference(relu=True, per_frame=False) > 0.1
    assert difference(relu=False, per_frame=True) > 0.1
    assert difference() > 0.1


def _ours(weights: dict[str, np.ndarray], mix: torch.Tensor) -> np.ndarray:
    """The nearest that our network can be: no skips, no biases, and no PReLU before the masks."""
    names = {
        "encoder.filterbank._filters": weights["encoder.conv1d_U.weight"],
        "decoder.filterbank._filters": weights["decoder.basis_signals.weight"].T[:, None],
        "masker.bottleneck.0.gamma": weights["separator.network.0.gamma"].ravel(),
        "masker.bottleneck.0.beta": weights["separator.network.0.beta"].ravel(),
        "masker.bottleneck.1.weight": weights["separator.network.1.weight"],
        "masker.mask_net.0.weight": np.ones(1),
        "masker.mask_net.1.weight": weights["separator.network.3.weight"],
    }
    for index in range(SMALL.total_blocks):
        theirs = f"separator.network.2.{index // SMALL.X}.{index % SMALL.X}.net"
        for ours, at in (("shared_block.0", "0"), ("shared_block.3", "3.net.0"), ("res_conv", "3.net.3")):
            names[f"masker.TCN.{index}.{ours}.weight"] = weights[f"{theirs}.{at}.weight"]
        for ours, at in (("shared_block.1", "1"), ("shared_block.4", "3.net.1")):
            names[f"masker.TCN.{index}.{ours}.weight"] = weights[f"{theirs}.{at}.weight"]
        for ours, at in (("shared_block.2", "2"), ("shared_block.5", "3.net.2")):
            for part in ("gamma", "beta"):
                names[f"masker.TCN.{index}.{ours}.{part}"] = weights[f"{theirs}.{at}.{part}"].ravel()
    tensors = {key: torch.zeros(shape, dtype=torch.float64) for key, shape in asteroid_shapes(SMALL).items()}
    tensors |= {key: torch.from_numpy(np.ascontiguousarray(value)) for key, value in names.items()}
    variant = replace(FAITHFUL, skip="off")
    network = build_network(variant, SMALL, tensors, mask_activation="relu").double()
    outputs = network(to_host_input(variant, SMALL, mix))
    return to_waveform(variant, SMALL, outputs)[0].numpy()
