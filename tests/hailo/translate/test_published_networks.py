"""Conv-TasNets of others, as their own code exports them: read whole, and the function that ONNX Runtime computes."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from tasnet.hailo.execute import run_network
from tasnet.hailo.failures import Certainty
from tasnet.hailo.files.hn import AssumptionKind, Network
from tasnet.hailo.predict.constraints import PredictionKind, predict_network
from tasnet.hailo.translate import translate
from tests.network.oracles import asteroid_convtasnet
from tests.runtime_session import session

SIZES = {"n_filters": 16, "kernel_size": 8, "stride": 4, "bn_chan": 8, "hid_chan": 12, "skip_chan": 6}


def asteroid(**changes: Any) -> torch.nn.Module:
    torch.manual_seed(0)
    made = asteroid_convtasnet()(**{"n_src": 2, "n_blocks": 2, "n_repeats": 2, "mask_act": "relu", **SIZES, **changes})
    network: torch.nn.Module = made.eval()
    with torch.no_grad():
        for each in network.parameters():
            each.add_(0.05 * torch.randn_like(each))
    return network


def exported(network: torch.nn.Module, shape: tuple[int, ...], opset: int = 13, **options: Any) -> onnx.ModelProto:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(network, (torch.zeros(shape),), buffer, dynamo=False, opset_version=opset, **options)
    return onnx.load_from_string(buffer.getvalue())


def computes_the_same(network: Network, made: onnx.ModelProto, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    running = session(made)
    (expected,) = running.run(None, {running.get_inputs()[0].name: x})
    (found,) = run_network(network, x.reshape(1, 1, -1, 1), deconv="onnx")
    assert np.abs(expected).max() > 1e-3
    np.testing.assert_allclose(found.transpose(0, 3, 1, 2).reshape(expected.shape), expected, atol=1e-5)


@pytest.mark.parametrize("opset", [11, 13, 15, 17])
@pytest.mark.parametrize("causal", [False, True])
def test_asteroids_export_is_read_whole_at_every_opset(opset: int, causal: bool) -> None:
    # 62 samples don't fill the last frame: Asteroid pads its result, by amounts that the graph computes.
    shape, kind = ((1, 62), {"causal": True, "norm_type": "cLN"}) if causal else ((1, 1, 64), {"norm_type": "gLN"})
    made = exported(asteroid(n_repeats=1, **kind), shape, opset)
    network = translate(made, "net")
    computes_the_same(network, made, shape)
    assert [each.kind for each in network.assumptions] == [AssumptionKind.RANK, AssumptionKind.SOURCES]
    names = {layer.name for layer in network}
    # The notes' own form of two sources: the mixture twice, through a shortcut, and a decoder of two groups.
    assert {"shortcut1", "concat1", "deconv1"} <= names
    assert network.layer("concat1").inputs == ("conv1", "shortcut1")
    assert network.layer("deconv1").params["groups"] == 2
    assert any(layer.type == "external_pad" for layer in network) is causal


@pytest.mark.parametrize("sources", [1, 3])
def test_any_number_of_sources_is_read(sources: int) -> None:
    made = exported(asteroid(n_src=sources, n_repeats=1, mask_act="sigmoid"), (1, 64))
    network = translate(made, "net")
    computes_the_same(network, made, (1, 64))
    assert network.layer("deconv1").params["groups"] == sources


def test_asteroids_export_with_open_sizes_is_read_once_they_are_given() -> None:
    network = asteroid(causal=True, norm_type="cLN")
    opened = exported(network, (1, 1, 62), input_names=["wav"], dynamic_axes={"wav": {0: "batch", 2: "time"}})
    fixed = translate(opened, "net", {"wav": (1, 1, 62)})
    computes_the_same(fixed, opened, (1, 1, 62))


def test_asteroids_network_at_full_size_is_blocked_as_the_notes_grouped_one() -> None:
    sizes = {"n_filters": 512, "kernel_size": 16, "stride": 8, "bn_chan": 128, "hid_chan": 512, "skip_chan": 128}
    verdict = predict_network(
        translate(exported(asteroid(n_blocks=1, n_repeats=1, **sizes), (1, 1, 16000)), "net"), "hailo8"
    )
    assert (verdict.kind, verdict.certainty) == (PredictionKind.BLOCKED, Certainty.EXTRAPOLATED)
    assert {"reshape_insertion", "unsupported_kernel"} <= {failure.family for failure in verdict.blockers}
