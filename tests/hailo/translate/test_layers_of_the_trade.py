"""Ops of real networks: the layers that are made of them, what they compute beside ONNX Runtime, and at 8 bits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tasnet.hailo.execute import ExecuteError, run_network
from tasnet.hailo.files.hn import Layer, Network, dumps, loads
from tasnet.hailo.quantize import Scheme, quantize_network, run_quantized
from tasnet.hailo.translate import NodeError, translate
from tests.hailo.networks import results
from tests.hailo.onnx_models import floats, longs, model, node
from tests.runtime_session import session

CONSTANTS = {
    "w": floats(6, 4, 1, 3),
    "v": floats(4, 4, 1, 1, seed=1),
    "low": np.float32(-1),
    "high": np.float32(1),
    "gamma": floats(4, seed=2),
    "beta": floats(4, seed=3),
    "none": np.asarray([], np.float32),
    "twice": np.asarray([1, 1, 1, 2], np.float32),
    "thrice": np.asarray([1, 1, 2, 3], np.float32),
    "parts": longs(1, 3),
}
CONV = node("Conv", "x v", "c", "conv")


def made_of(nodes: list[onnx.NodeProto], height: int = 2, opset: int = 20) -> onnx.ModelProto:
    """A model of these nodes on [1, 4, height, 32], with the constants that they read."""
    read = {name for each in nodes for name in each.input}
    used = {name: value for name, value in CONSTANTS.items() if name in read}
    return model(nodes, shape=(1, 4, height, 32), opset=opset, **used)


def both(made: onnx.ModelProto) -> tuple[np.ndarray, np.ndarray, Network]:
    """What the translated graph computes and what ONNX Runtime does, both NCHW, and the graph."""
    shape = [d.dim_value for d in made.graph.input[0].type.tensor_type.shape.dim]
    x = 3 * floats(*shape, seed=9)
    (expected,) = session(made).run(None, {"x": x})
    network = translate(made, "net")
    assert loads(dumps(network), network.weights).layers == network.layers
    return run_network(network, x.transpose(0, 2, 3, 1))[0].transpose(0, 3, 1, 2), expected, network


def kinds(network: Network) -> list[str]:
    """The types of the layers at work, each with its activation where it has one."""
    working = [layer for layer in network if layer.type not in {"input_layer", "output_layer"}]
    told = [(layer.type, layer.params.get("activation", "linear")) for layer in working]
    return [kind if activation == "linear" else f"{kind}:{activation}" for kind, activation in told]


ACTIVATIONS = {
    "elu": ([node("Elu", "c", alpha=0.7)], "elu"),
    "gelu": ([node("Gelu", "c")], "gelu"),
    "hardsigmoid": ([node("HardSigmoid", "c", alpha=0.3, beta=0.4)], "hardsigmoid"),
    "hardswish": ([node("HardSwish", "c")], "hardswish"),
    "clip": ([node("Clip", "c low high")], "clip"),
    "clip below": ([node("Clip", "c low")], "clip"),
    "silu": ([node("Sigmoid", "c", "s"), node("Mul", "c s")], "silu"),
    "silu, gate first": ([node("Sigmoid", "c", "s"), node("Mul", "s c")], "silu"),
    "hardswish of two": ([node("HardSigmoid", "c", "s", alpha=1 / 6, beta=0.5), node("Mul", "c s")], "hardswish"),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_ends_the_convolution_before_it(name: str) -> None:
    nodes, activation = ACTIVATIONS[name]
    found, expected, network = both(made_of([CONV, *nodes]))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    assert kinds(network) == [f"conv:{activation}"]
    assert network.layer("conv1").original_names == ("conv", *(each.name for each in nodes))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_of_the_input_is_a_layer_of_its_own(name: str) -> None:
    nodes, activation = ACTIVATIONS[name]
    alone = [onnx.NodeProto.FromString(each.SerializeToString()) for each in nodes]
    for each in alone:
        each.input[:] = ["x" if name == "c" else name for name in each.input]
    found, expected, network = both(made_of(alone))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    assert kinds(network) == [f"activation:{activation}"]


def test_a_clip_without_bounds_is_nothing() -> None:
    _, _, network = both(made_of([CONV, node("Clip", "c")]))
    assert kinds(network) == ["conv"]


def test_a_gate_that_others_read_too_keeps_its_layers() -> None:
    # the convolution has a reader more, so that its sum must stay; then the sigmoid has one
    _, expected, network = both(
        made_of([CONV, node("Sigmoid", "c", "s"), node("Mul", "c s", "m"), node("Add", "m c", "y")])
    )
    assert kinds(network) == ["conv", "activation:silu", "ew_add"]
    found, expected, network = both(
        made_of([CONV, node("Sigmoid", "c", "s"), node("Mul", "c s", "m"), node("Add", "m s", "y")])
    )
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    assert kinds(network) == ["conv", "activation:sigmoid", "ew_mult", "ew_add"]


def test_another_tensors_sigmoid_is_a_product_of_two() -> None:
    other = node("Conv", "x v", "d", "other")
    found, expected, network = both(made_of([CONV, other, node("Sigmoid", "d", "s"), node("Mul", "c s")]))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    assert sorted(kinds(network)) == ["conv", "conv:sigmoid", "ew_mult"]
    # its slope makes a HardSigmoid a gate of HardSwish, and no other does
    hard = [node("HardSigmoid", "c", "s", alpha=0.2), node("Mul", "c s")]
    assert kinds(both(made_of([CONV, *hard]))[2]) == ["conv", "activation:hardsigmoid", "ew_mult"]


@pytest.mark.parametrize(("opset", "axis"), [(13, 1), (13, -3), (20, 1)])
def test_a_softmax_over_the_channels_is_one_layer(opset: int, axis: int) -> None:
    found, expected, network = both(made_of([CONV, node("Softmax", "c", axis=axis)], opset=opset))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert kinds(network) == ["conv", "softmax"]


@pytest.mark.parametrize(("opset", "axis"), [(13, 3), (13, -1), (13, 0), (11, 1), (11, 2)])
def test_a_softmax_over_time_declines(opset: int, axis: int) -> None:
    # below opset 13 it runs over the axis and all behind it: 1 is channels and time together
    with pytest.raises(NodeError, match=r"softmax \(Softmax\): runs over"):
        translate(made_of([CONV, node("Softmax", "c", axis=axis)], opset=opset), "net")


def test_a_softmax_of_opset_11_over_channels_alone_is_taken() -> None:
    made = model([node("GlobalAveragePool", "x", "p", "pool"), node("Softmax", "p", axis=1)], opset=11)
    found, expected, network = both(made)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert kinds(network) == ["avgpool", "softmax"]


def test_the_pools_that_were_seen_have_the_words_that_were_seen() -> None:
    # an HN of version 3.29: a 5x5 max pool with pads 2 is SAME_TENSORFLOW
    pool = node("MaxPool", "x", kernel_shape=[5, 5], pads=[2, 2, 2, 2])
    network = both(made_of([pool], height=9))[2]
    assert network.layer("maxpool1").params["padding"] == "SAME_TENSORFLOW"
    # and a 3x3 convolution at stride 2 with pads 1 is SAME
    stride = node("MaxPool", "x", kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2])
    assert both(made_of([stride], height=9))[2].layer("maxpool1").params["padding"] == "SAME"


@settings(max_examples=60)
@given(
    op=st.sampled_from(["MaxPool", "AveragePool"]),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 5)),
    strides=st.tuples(st.integers(1, 2), st.integers(1, 3)),
    pads=st.tuples(*[st.integers(0, 2)] * 4),
    auto=st.sampled_from(["NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"]),
    ceil=st.integers(0, 1),
    counted=st.integers(0, 1),
    height=st.integers(3, 6),
)
def test_every_pool_is_onnx_runtimes_or_declines(  # type: ignore[no-untyped-def]
    op, kernel, strides, pads, auto, ceil, counted, height
) -> None:
    # SAME at a stride larger than the window: ONNX Runtime reckons with a pad below zero, and refuses
    assume(not auto.startswith("SAME") or all(k >= s for k, s in zip(kernel, strides, strict=True)))
    attributes: dict[str, object] = {"kernel_shape": kernel, "strides": strides, "ceil_mode": ceil}
    if auto == "NOTSET":
        attributes["pads"] = [min(p, k - 1) for p, k in zip(pads, kernel * 2, strict=True)]
    else:
        attributes["auto_pad"] = auto
    if op == "AveragePool":
        attributes["count_include_pad"] = counted
    made = made_of([node(op, "x", **attributes)], height=height, opset=19)
    try:
        found, expected, _ = both(made)
    except NodeError:
        assert any(attributes.get("pads", [1])) or ceil
        return
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


RESIZES = {
    "nearest, by two": ({"mode": "nearest"}, "twice", "nearest_neighbor"),
    "nearest, as PyTorch writes it": (
        {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
        "thrice",
        "nearest_neighbor",
    ),
    "bilinear": ({"mode": "linear"}, "twice", "bilinear"),
    "bilinear, both axes": (
        {"mode": "linear", "coordinate_transformation_mode": "pytorch_half_pixel"},
        "thrice",
        "bilinear",
    ),
    "bilinear, corners": ({"mode": "linear", "coordinate_transformation_mode": "align_corners"}, "thrice", "bilinear"),
}


@pytest.mark.parametrize("name", RESIZES)
def test_resizes_are_onnx_runtimes(name: str) -> None:
    attributes, scales, method = RESIZES[name]
    found, expected, network = both(made_of([CONV, node("Resize", f"c none {scales}", **attributes)], opset=13))
    # ONNX Runtime reckons the places between two positions in float32
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-3)
    assert network.layer("resize1").params["method"] == method


@settings(max_examples=50)
@given(
    mode=st.sampled_from(["nearest", "linear"]),
    transform=st.sampled_from(["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"]),
    rounding=st.sampled_from(["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]),
    scale=st.sampled_from([0.5, 1.0, 1.5, 2.0, 3.0, 4.0]),
)
def test_every_resize_is_onnx_runtimes_or_declines(mode: str, transform: str, rounding: str, scale: float) -> None:
    attributes = {"mode": mode, "coordinate_transformation_mode": transform}
    if mode == "nearest":
        attributes["nearest_mode"] = rounding
    scales = np.asarray([1, 1, 1, scale], np.float32)
    made = model([CONV, node("Resize", "c none s", **attributes)], v=CONSTANTS["v"], none=CONSTANTS["none"], s=scales)
    try:
        found, expected, network = both(made)
    except NodeError:
        assert scale not in (1.0, 2.0) or transform != "half_pixel" or rounding not in ("round_prefer_floor",)
        return
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-3)
    assert kinds(network) == (["conv"] if scale == 1.0 else ["conv", "resize"])


def test_an_instance_norm_is_written_out() -> None:
    found, expected, network = both(made_of([CONV, node("InstanceNormalization", "c gamma beta", epsilon=1e-3)]))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert "activation:inv_sqrt" in kinds(network)
    assert kinds(network)[-1] == "normalization"


def splitter(network: Network) -> Layer:
    (found,) = [layer for layer in network if layer.type == "feature_splitter"]
    return found


def test_a_channel_split_is_one_feature_splitter_whose_readers_tell_the_parts() -> None:
    nodes = [
        CONV,
        node("Split", "c parts", "a b", "split", axis=1),
        node("Conv", "b deep", "d", "of_b"),
        node("Conv", "a flat", "e", "of_a"),
        node("Add", "d e", "y", "sum"),
    ]
    made = model(nodes, v=CONSTANTS["v"], parts=longs(1, 3), deep=floats(5, 3, 1, 1), flat=floats(5, 1, 1, 1))
    found, expected, network = both(made)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    split = splitter(network)
    # the parts' order, not that of the file
    first, second = (network.layer(name) for name in split.outputs)
    assert (first.original_names, second.original_names) == (("of_a",), ("of_b",))
    assert split.output_shapes == ((-1, 1, 32, 1), (-1, 1, 32, 3))
    assert (first.input_shapes, second.input_shapes) == (((-1, 1, 32, 1),), ((-1, 1, 32, 3),))
    assert not [layer for layer in network if layer.type in {"shortcut", "slice"}]


def test_a_part_with_two_readers_goes_through_a_shortcut() -> None:
    nodes = [
        node("Split", "x halves", "a b", "split", axis=1),
        node("Conv", "b w2", "d", "of_b"),
        node("Concat", "a b d", "y", "all", axis=1),
    ]
    made = model(nodes, halves=longs(2, 2), w2=floats(2, 2, 1, 1))
    found, expected, network = both(made)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    split = splitter(network)
    assert split.outputs == ("concat1", "shortcut1")
    assert network.layer("shortcut1").outputs == ("conv1", "concat1")


def test_a_layer_that_reads_two_parts_and_an_output_keep_the_places_apart() -> None:
    halves = longs(2, 2)
    summed = model([node("Split", "x halves", "a b", axis=1), node("Sub", "b a")], halves=halves)
    found, expected, network = both(summed)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    assert len(set(splitter(network).outputs)) == 2
    ended = model([node("Split", "x halves", "a y", axis=1), node("Relu", "a", "unread")], halves=halves)
    found, expected, _ = both(ended)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_a_splitter_that_does_not_say_who_reads_what_is_not_run() -> None:
    network = translate(
        model([node("Split", "x halves", "a b", axis=1), node("Sub", "b a")], halves=longs(2, 2)), "net"
    )
    split = splitter(network)
    broken = replace(split, outputs=split.outputs[:1] * 2)
    layers = tuple(broken if layer is split else layer for layer in network)
    with pytest.raises(ExecuteError, match=r"feature_splitter1 doesn't say which part"):
        run_network(replace(network, layers=layers), floats(1, 1, 32, 4))


EIGHT_BITS = {
    **{name: nodes for name, (nodes, _) in ACTIVATIONS.items()},
    "softmax": [node("Softmax", "c", axis=1)],
    "maxpool": [node("MaxPool", "c", kernel_shape=[1, 3], pads=[0, 1, 0, 1])],
    "avgpool": [node("AveragePool", "c", kernel_shape=[1, 3], pads=[0, 1, 0, 1])],
    "nearest": [node("Resize", "c none twice", mode="nearest")],
    "bilinear": [node("Resize", "c none twice", mode="linear")],
    "instance norm": [node("InstanceNormalization", "c gamma beta")],
    "split": [node("Split", "c parts", "a b", "split", axis=1), node("Concat", "b a", "y", "join", axis=1)],
}


@pytest.mark.parametrize("name", EIGHT_BITS)
def test_every_layer_goes_through_the_simulated_quantization(name: str) -> None:
    network = translate(made_of([CONV, *EIGHT_BITS[name]]), "net")
    x = floats(2, 2, 32, 4, seed=5)
    exact = run_network(network, x)[0]
    every = frozenset(layer.name for layer in network)

    def noise(scheme: Scheme) -> float:
        return float(np.sqrt(np.mean((run_quantized(quantize_network(network, x, scheme), x)[0] - exact) ** 2)))

    span = float(np.ptp(exact))
    assert noise(Scheme(sixteen=every)) < 2e-3 * span
    assert noise(Scheme()) < 0.1 * span
    # each result lies on its own layer's grid, so that nothing of 8 bits is finer than 8 bits
    quantized = quantize_network(network, x)
    for layer in quantized.network:
        grid = quantized.grids[layer.name]
        values = simulate_trace(quantized, x)[layer.name]
        steps = values / grid.step
        assert np.abs(steps - np.rint(steps)).max() < 1e-2, layer.name


def simulate_trace(quantized, x):  # type: ignore[no-untyped-def]
    """Every layer's result of the simulated run."""

    from tasnet.hailo.execute import input_tensors
    from tasnet.hailo.execute.context import RunContext
    from tasnet.hailo.execute.traversal import layer_tensors
    from tasnet.hailo.quantize.simulation import rounding_hook

    scope = RunContext(quantized.network)
    lent = layer_tensors(scope, input_tensors(quantized.network, x), after=rounding_hook(quantized))
    return {layer.name: result.numpy().copy() for layer, result in lent}


def test_trace_holds_the_whole_of_a_splitter() -> None:
    network = translate(made_of([CONV, *EIGHT_BITS["split"]]), "net")
    assert results(network, floats(1, 2, 32, 4))[splitter(network).name].shape == (1, 2, 32, 4)
