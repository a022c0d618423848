"""Each layer type against its definition, whole graphs against ONNX Runtime, and what can't be run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasnet.hailo.execute import ExecuteError, run_network
from tasnet.hailo.files.hn import Layer, Network
from tasnet.hailo.translate import translate
from tasnet.network.export import to_onnx
from tasnet.network.variant import Size, Variant
from tasnet.network.weights import seeded_weights
from tests.hailo.networks import conv_params, floats, one_layer, results
from tests.hailo.onnx_models import floats as constants
from tests.hailo.onnx_models import longs, model, node
from tests.network.sizes import SMALL
from tests.runtime_session import session


def _conv_by_definition(x, kernel, bias, strides, dilations, pads):  # type: ignore[no-untyped-def]
    """[H, W, cin] by [kh, kw, cin, cout], position by position."""
    x = np.pad(x, (pads[:2], pads[2:], (0, 0)))
    kh, kw, _, cout = kernel.shape
    height = (x.shape[0] - dilations[0] * (kh - 1) - 1) // strides[0] + 1
    width = (x.shape[1] - dilations[1] * (kw - 1) - 1) // strides[1] + 1
    out = np.zeros((height, width, cout))
    for i in range(height):
        for j in range(width):
            top, left = i * strides[0], j * strides[1]
            patch = x[top : top + dilations[0] * kh : dilations[0], left : left + dilations[1] * kw : dilations[1]]
            out[i, j] = np.tensordot(patch[:kh, :kw], kernel, 3) + bias
    return out


@given(
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 4)),
    strides=st.tuples(st.integers(1, 2), st.integers(1, 3)),
    dilations=st.tuples(st.integers(1, 2), st.integers(1, 6)),
    padding=st.sampled_from(["VALID", "SAME_TENSORFLOW", "SAME"]),
    depthwise=st.booleans(),
)
@settings(max_examples=60)
def test_convolutions_are_their_definition(kernel, strides, dilations, padding, depthwise) -> None:  # type: ignore[no-untyped-def]
    height, width, cin, cout = 6, 23, 3, 3 if depthwise else 4
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True)]
    pads: list[int] = []
    for n, s, span in zip((height, width), strides, spans, strict=True):
        whole = max((-(-n // s) - 1) * s + span - n, 0)
        pads += {"VALID": [0, 0], "SAME": [(span - 1) // 2] * 2}.get(padding, [whole // 2, whole - whole // 2])
    weights = floats(*kernel, cin, 1 if depthwise else cout, seed=1)
    bias, x = floats(cout, seed=2), floats(2, height, width, cin, seed=3)
    full = weights * np.eye(cin) if depthwise else weights
    expected = np.stack([_conv_by_definition(each, full, bias, strides, dilations, pads) for each in x])
    params = conv_params(weights.shape, strides=[1, *strides, 1], dilations=[1, *dilations, 1], padding=padding)
    kind = "dw" if depthwise else "conv"
    network = one_layer(kind, [(height, width, cin)], expected.shape[1:], params, {"kernel": weights, "bias": bias})
    np.testing.assert_allclose(run_network(network, x)[0], expected, atol=1e-4)


def test_grouped_conv_reads_its_own_channels_alone() -> None:
    weights, x = floats(1, 1, 2, 6), floats(1, 2, 5, 4, seed=1)
    params = conv_params((1, 1, 4, 6), groups=2)
    network = one_layer("conv", [(2, 5, 4)], (2, 5, 6), params, {"kernel": weights, "bias": np.zeros(6)})
    halves = [x[..., :2] @ weights[0, 0, :, :3], x[..., 2:] @ weights[0, 0, :, 3:]]
    np.testing.assert_allclose(run_network(network, x)[0], np.concatenate(halves, 3), atol=1e-5)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize(("kernel", "stride"), [(6, 3), (4, 4), (2, 4), (5, 2)])
def test_deconvolution_in_each_reading(groups: int, kernel: int, stride: int) -> None:
    frames, cin, cout = 7, 4, 2
    weights, bias, x = floats(1, kernel, cin // groups, cout), floats(cout, seed=1), floats(2, 1, frames, cin, seed=2)
    full = np.zeros((2, max((frames - 1) * stride + kernel, frames * stride), cout))
    for frame in range(frames):
        for out in range(cout):
            group = out * groups // cout
            own = x[:, 0, frame, group * cin // groups : (group + 1) * cin // groups]
            full[:, frame * stride : frame * stride + kernel, out] += own @ weights[0, :, :, out].T
    full += bias
    params = conv_params((1, kernel, cin, cout), strides=[1, 1, stride, 1], padding="DECONV", groups=groups)
    network = one_layer(
        "deconv", [(1, frames, cin)], (1, frames * stride, cout), params, {"kernel": weights, "bias": bias}
    )
    onnx = run_network(network, x, deconv="onnx")[0]
    np.testing.assert_allclose(onnx[:, 0], full[:, : (frames - 1) * stride + kernel], atol=1e-5)
    np.testing.assert_allclose(run_network(network, x)[0][:, 0], full[:, : frames * stride], atol=1e-5)
    centred = run_network(network, x, deconv="vendor_centred")[0]
    cut = max(kernel - stride, 0) // 2
    np.testing.assert_allclose(centred[:, 0], full[:, cut : cut + frames * stride], atol=1e-5)


_NODES = {
    "max": [node("Max", "x zero")],
    "min": [node("Min", "zero x")],
    "prelu": [node("PRelu", "x slope")],
    "leaky": [node("LeakyRelu", "x", alpha=0.3)],
    "relu6": [node("Clip", "x lo hi")],
    "sigmoid": [node("Sigmoid", "x")],
    "tanh": [node("Tanh", "x")],
    "affine": [node("Mul", "x scale", "m", "mul"), node("Add", "m scale", name="add")],
    "square": [node("Mul", "x x")],
    "add": [node("Tanh", "x", "t"), node("Add", "x t")],
    "sub": [node("Tanh", "x", "t"), node("Sub", "t x")],
    "double": [node("Concat", "x x", axis=1)],
    "slice": [node("Slice", "x from to axes steps")],
    "1x1 of a slice": [node("Slice", "x from to axes steps", "s", "slice"), node("Conv", "s pointwise", name="conv")],
    "pad": [node("Pad", "x pads")],
    "maxpool": [node("MaxPool", "x", kernel_shape=[1, 4], strides=[1, 3])],
    "avgpool": [node("AveragePool", "x", kernel_shape=[1, 4], strides=[1, 3])],
    "mean of channels": [node("ReduceMean", "x", axes=[1], keepdims=1)],
    "along time": [node("Add", "x ramp")],
    "dense": [node("Flatten", "x", "f", "flatten"), node("Gemm", "f matrix", name="gemm")],
    "norm": [
        node("GlobalAveragePool", "x", "mean", "pool"),
        node("Sub", "x mean", "d", "sub"),
        node("Pow", "d two", "p", "pow"),
        node("ReduceMean", "p", "v", "v1", axes=[3], keepdims=1),
        node("Add", "v eps", "ve", "add"),
        node("Sqrt", "ve", "s", "sqrt"),
        node("Div", "d s", name="div"),
    ],
}


@pytest.mark.parametrize("name", _NODES)
def test_layers_compute_what_onnx_runtime_does(name: str) -> None:
    made = model(
        _NODES[name],
        zero=np.zeros((1, 4, 1, 1), np.float32),
        slope=np.asarray([-0.2, 0.1, 0.5, 1.5], np.float32).reshape(4, 1, 1),
        lo=np.float32(0),
        hi=np.float32(6),
        scale=constants(4, 1, 1),
        **{"from": longs(1, 2), "to": longs(4, 30)},
        axes=longs(1, 3),
        steps=longs(1, 3),
        pointwise=constants(5, 3, 1, 1, seed=4),
        pads=longs(0, 0, 0, 2, 0, 0, 0, 5),
        ramp=constants(1, 1, 1, 32),
        matrix=constants(128, 5),
        two=np.float32(2),
        eps=np.float32(1e-5),
    )
    x = 4 * constants(1, 4, 1, 32, seed=3)
    (expected,) = session(made).run(None, {"x": x})
    found = run_network(translate(made, "net"), x.transpose(0, 2, 3, 1))[0].transpose(0, 3, 1, 2)
    np.testing.assert_allclose(found.ravel(), expected.ravel(), rtol=1e-5, atol=1e-5)


def _network(length: int = 80, **axes: str) -> Network:
    return translate(to_onnx(Variant(**axes), SMALL, seeded_weights(SMALL, 1), length), "net")


def test_a_batch_is_as_many_signals() -> None:
    network, x = _network(norm="gln", activation="prelu_maxmin"), floats(3, 1, 80, 1)
    together = run_network(network, x)[0]
    for index in range(3):
        np.testing.assert_allclose(run_network(network, x[index : index + 1])[0][0], together[index], atol=1e-6)


def test_trace_holds_every_layer_and_ends_in_what_run_gives() -> None:
    network, x = _network(norm="gln"), floats(1, 1, 80, 1)
    seen = results(network, x)
    assert list(seen) == [layer.name for layer in network]
    assert all(seen[layer.name].shape[1:] == layer.output_shape[1:] for layer in network)
    assert np.array_equal(seen[network.output_layers[0]], run_network(network, x)[0])


def test_the_input_and_the_weights_stay_as_they_were() -> None:
    network, x = _network(activation="prelu"), floats(1, 1, 80, 1)
    before = x.copy(), {key: value.copy() for key, value in network.weights.items()}
    run_network(network, x)
    assert np.array_equal(x, before[0])
    assert all(np.array_equal(network.weights[key], value) for key, value in before[1].items())


def test_layers_may_stand_in_any_order() -> None:
    network, x = _network(), floats(1, 1, 80, 1)
    turned = replace(network, layers=network.layers[::-1])
    assert np.array_equal(run_network(turned, x)[0], run_network(network, x)[0])


@pytest.mark.parametrize("norm", ["identity", "gln", "gln_pool", "cln", "channel"])
def test_silence_and_overdriven_signals_give_finite_results(norm: str) -> None:
    network = _network(norm=norm)
    for x in (np.zeros((1, 1, 80, 1), np.float32), 1000 * floats(1, 1, 80, 1)):
        assert np.isfinite(run_network(network, x)[0]).all()


def test_silence_stays_silence_without_biases_on_the_way() -> None:
    (out,) = run_network(_network(mask="bypass"), np.zeros((1, 1, 80, 1), np.float32))
    assert not out.any()


def test_the_shortest_window_is_one_frame() -> None:
    (out,) = run_network(_network(SMALL.L), floats(1, 1, SMALL.L, 1), deconv="onnx")
    assert out.shape == (1, 1, SMALL.L, 2)


@pytest.mark.parametrize(
    ("x", "says"),
    [
        (np.zeros((0, 1, 80, 1), np.float32), "input_layer1: a batch of 0"),
        (np.zeros((1, 1, 1, 1), np.float32), r"array \[1, 1, 1, 1\]; \[batch, 1, 80, 1\]"),
        (np.zeros((1, 1, 7, 1), np.float32), r"array \[1, 1, 7, 1\]"),
        (np.zeros((1, 1, 160, 1), np.float32), r"array \[1, 1, 160, 1\]"),
        (np.zeros(80, np.float32), r"array \[80\]"),
        (np.full((1, 1, 80, 1), np.nan, np.float32), "80 of 80 values are NaN or infinite"),
        (np.zeros((1, 1, 80, 1), np.int16), "int16 values; give floats"),
    ],
)
def test_inputs_that_cannot_be_run(x: np.ndarray, says: str) -> None:
    with pytest.raises(ExecuteError, match=says):
        run_network(_network(), x)


def test_inputs_by_name() -> None:
    shapes = [(1, 3, 2), (1, 3, 2)]
    network = one_layer("ew_sub", shapes, (1, 3, 2), {"activation": "linear"})
    a, b = floats(1, 1, 3, 2), floats(1, 1, 3, 2, seed=1)
    assert np.array_equal(run_network(network, {"input_layer2": b, "input_layer1": a})[0], a - b)
    with pytest.raises(ExecuteError, match="has 2 inputs"):
        run_network(network, a)
    with pytest.raises(ExecuteError, match="input input_layer2 is not given; give an array for it"):
        run_network(network, {"input_layer1": a})
    with pytest.raises(ExecuteError, match="no input layer mix"):
        run_network(network, {"mix": a})


def test_weights_that_miss_a_layer_or_have_another_shape_name_it() -> None:
    network, x = _network(), floats(1, 1, 80, 1)
    without = {key: value for key, value in network.weights.items() if "/conv3/" not in key}
    with pytest.raises(ExecuteError, match=r"layer conv3 \(conv\): no kernel among the weights"):
        run_network(replace(network, weights=without), x)
    wrong = dict(network.weights) | {"net/dw2/bias:0": np.zeros(4, np.float32)}
    with pytest.raises(ExecuteError, match=r"layer dw2 \(dw\): bias is \[4\], its graph needs \[9\]"):
        run_network(replace(network, weights=wrong), x)
    bad = dict(network.weights) | {"net/conv3/bias:0": np.full(9, np.nan, np.float32)}
    with pytest.raises(ExecuteError, match=r"layer conv3 \(conv\): gives NaN"):
        run_network(replace(network, weights=bad), x)


def _with(network: Network, name: str, **changes: object) -> Network:
    layers = tuple(replace(layer, **changes) if layer.name == name else layer for layer in network)  # type: ignore[arg-type]
    return replace(network, layers=layers)


def _params(layer: Layer, **changes: object) -> dict[str, object]:
    return {**layer.params, **changes}


def test_graphs_that_cannot_be_run_name_the_layer() -> None:
    network, x = _network(), floats(1, 1, 80, 1)
    conv = network.layer("conv2")
    for changed, says in [
        (_with(network, "conv2", type="lstm"), "layer conv2: type lstm can't be run"),
        (_with(network, "conv2", params=_params(conv, activation="mish")), r"conv2 \(conv\): activation mish"),
        (_with(network, "conv2", params=_params(conv, elementwise_add=True)), "elementwise_add=True can't be run"),
        (_with(network, "conv2", params=_params(conv, padding="REFLECT")), "padding REFLECT"),
        (_with(network, "conv2", params={}), "no parameter kernel_shape"),
        (_with(network, "conv2", inputs=("conv1", "conv1")), "2 inputs, 1 are needed"),
        (_with(network, "conv2", inputs=("conv4",)), "waits for itself"),
        (_with(network, "conv2", output_shapes=((-1, 1, 3, 3),)), r"gives \[1, 19, 6\]"),
        (replace(network, output_layers=()), "names no output layers"),
        (replace(network, output_layers=("conv99",)), "conv99 isn't in the graph"),
    ]:
        with pytest.raises(ExecuteError, match=says) as caught:
            run_network(changed, x)
        assert "\n" not in str(caught.value)


def test_deep_networks_free_what_nobody_reads_any_more() -> None:

    import torch

    size = Size(N=64, L=16, B=64, H=64, Sc=64, X=8, R=1)
    network = translate(to_onnx(Variant(), size, seeded_weights(size), 8000), "net")
    with torch.profiler.profile(profile_memory=True) as profiled:
        run_network(network, floats(1, 1, 8000, 1))
    held = peak = 0
    for event in profiled.profiler.kineto_results.events():  # type: ignore[union-attr]
        if event.name() == "[memory]":
            held += event.nbytes()
            peak = max(peak, held)
    # every layer's result together would be more than 33 times 0.26 MB
    assert 0 < peak < 10 * 999 * 64 * 4
