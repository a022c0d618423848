"""Both forms of a causal network become the same function's HAR: one by a layer that pads, one by taps of zero."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tasnet.hailo.execute import run_network
from tasnet.hailo.failures import Certainty
from tasnet.hailo.predict.constraints import PredictionKind, predict_network
from tasnet.hailo.translate import translate
from tasnet.network import Size, Variant, seeded_weights, to_onnx
from tests.runtime_session import session

SIZE = Size(N=10, L=8, B=6, H=9, Sc=6, P=3, X=2, R=1, n_src=2)


@pytest.mark.parametrize("kernel", [2, 3])
@pytest.mark.parametrize("layout", ["horizontal", "vertical"])
@pytest.mark.parametrize("form", ["pad", "taps"])
def test_the_har_of_a_causal_network_is_what_onnx_runtime_gives(form: str, layout: str, kernel: int) -> None:
    size = replace(SIZE, P=kernel)
    model = to_onnx(
        Variant(causal=form, layout=layout, activation="prelu", norm="cln"), size, seeded_weights(size), 200
    )
    network = translate(model, "net")
    mix = np.random.default_rng(0).uniform(-1, 1, (1, 1, 200)).astype(np.float32)
    shape = (1, 1, 1, 200) if layout == "horizontal" else (1, 1, 200, 1)
    running = session(model)
    (expected,) = running.run(None, {"mix": mix.reshape(shape)})
    (found,) = run_network(network, mix.reshape(shape).transpose(0, 2, 3, 1), deconv="onnx")
    np.testing.assert_allclose(found.transpose(0, 3, 1, 2), expected, atol=1e-5)


@pytest.mark.parametrize(("form", "taps"), [("pad", 3), ("taps", 5)])
def test_left_padding_is_a_layer_of_its_own_or_none(form: str, taps: int) -> None:
    network = translate(to_onnx(Variant(causal=form), SIZE, seeded_weights(SIZE), 200), "net")
    kinds = [layer.type for layer in network]
    assert kinds.count("external_pad") == (SIZE.total_blocks if form == "pad" else 0)
    kernels = [layer.params["kernel_shape"] for layer in network if layer.type == "dw"]
    assert kernels == [[1, taps, 9, 1]] * SIZE.total_blocks


@pytest.mark.parametrize("form", ["pad", "taps"])
def test_one_causal_block_of_real_width_is_clear_and_nobody_has_seen_it_compile(form: str) -> None:
    # Split heads and a short clip: what else would block isn't there.
    variant = Variant(expansion="split", encoder="polyphase", decoder="polyphase", causal=form, blocks=1)
    size = Size(X=1, R=1)
    verdict = predict_network(translate(to_onnx(variant, size, seeded_weights(size), 3000), "net"), "hailo8")
    assert (verdict.kind, verdict.certainty) == (PredictionKind.CLEAR, Certainty.EXTRAPOLATED)
