"""A parity failure names the first layer that departs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tasnet.hailo.translate import translate
from tasnet.network.export import to_onnx
from tasnet.network.variant import Size, Variant
from tasnet.network.weights import seeded_weights
from tasnet.suite.numerics.float64_reference import first_departure, har_waveform, onnx_waveform
from tasnet.suite.numerics.metrics import distance
from tests.numerics.conftest import mix_of

pytestmark = pytest.mark.numerics
SMALL = Size(N=10, L=8, B=6, H=9, Sc=6, P=3, X=2, R=1, n_src=2)
LENGTH = 120


@pytest.mark.parametrize(
    "variant",
    [
        Variant(),
        Variant(activation="prelu", norm="gln", expansion="split", decoder="polyphase"),
        Variant(activation="prelu_maxmin", norm="gln_pool", expansion="project", layout="vertical"),
        Variant(norm="channel", encoder="polyphase", decoder="ungrouped_blockdiag"),
        Variant(norm="cln", activation="prelu"),
        Variant(norm="affine", skip="off"),
    ],
    ids=str,
)
def test_the_first_layer_that_departs_is_the_one_that_was_changed(variant: Variant) -> None:
    model = to_onnx(variant, SMALL, seeded_weights(SMALL, 1), LENGTH)
    network, mix = translate(model, "net"), mix_of(LENGTH)
    assert distance(har_waveform(variant, SMALL, network, mix), onnx_waveform(variant, SMALL, model, mix)).snr > 110
    assert first_departure(variant, SMALL, model, network, mix, 100.0) is None
    changed = 0
    for layer in network:
        kernel = network.weight(layer.name, "kernel")
        if kernel is None or layer.type == "normalization":
            continue
        key = f"net/{layer.name}/kernel:0"
        broken = replace(network, weights=dict(network.weights) | {key: kernel * np.float32(1.01)})
        found = first_departure(variant, SMALL, model, broken, mix, 80.0)
        assert found is not None
        assert found.layer == layer.name
        assert found.node in layer.original_names
        assert layer.name in str(found)
        changed += 1
    assert changed >= 10
