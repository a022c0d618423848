"""Inputs and outputs as other frameworks leave them: NHWC behind a Transpose, rank 3, open sizes, several of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tasnet.hailo.execute import run_network
from tasnet.hailo.failures import Certainty
from tasnet.hailo.files import har, hn
from tasnet.hailo.files.hn import AssumptionKind, Network
from tasnet.hailo.predict.constraints import PredictionKind, predict_network
from tasnet.hailo.translate import NodeError, translate
from tasnet.hailo.translate.errors import ModelError
from tests.hailo.onnx_models import floats, longs, node
from tests.runtime_session import session


def graph(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Sequence[int | str]],
    outputs: Mapping[str, Sequence[int | str] | None],
    opset: int = 13,
    **constants: np.ndarray,
) -> onnx.ModelProto:
    """A checked model with these inputs and outputs."""

    def values(shapes: Mapping[str, Any]) -> list[onnx.ValueInfoProto]:
        return [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]

    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    made = helper.make_graph(list(nodes), "g", values(inputs), values(outputs), tensors)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    model = onnx.shape_inference.infer_shapes(model)
    onnx.checker.check_model(model)
    return model


def form(network: Network) -> list[tuple[Any, ...]]:
    """All of a graph but the ONNX names."""
    return [(la.name, la.type, la.inputs, la.output_shapes, str(sorted(la.params.items()))) for la in network]


def runtime(made: onnx.ModelProto, *arrays: np.ndarray) -> list[np.ndarray]:
    running = session(made)
    return running.run(None, dict(zip([each.name for each in running.get_inputs()], arrays, strict=True)))


WEIGHTS = {
    "w1": floats(512, 1, 1, 16) / 16,
    "w2": floats(512, 512, 1, 1, seed=1) / 64,
    "w3": floats(2, 512, 1, 3, seed=2) / 64,
}
BODY = [
    node("Conv", "a w1", "b", "conv_1", strides=[1, 8]),
    node("Conv", "b w2", "c", "conv_2"),
    node("Conv", "c w3", "d", "conv_3", pads=[0, 1, 0, 1]),
]
IN, OUT = [1, 1, 1, 16000], [1, 2, 1, 1999]
TWIN = graph([node("Identity", "x", "a"), *BODY, node("Identity", "d", "y")], {"x": IN}, {"y": OUT}, **WEIGHTS)

DOORS: dict[str, tuple[list[onnx.NodeProto], list[int], list[onnx.NodeProto], list[int]]] = {
    "transposes": (
        [node("Transpose", "x", "a", "turn", perm=[0, 3, 1, 2])], [1, 1, 16000, 1],
        [node("Transpose", "d", "y", "exit", perm=[0, 2, 3, 1])], [1, 1, 1999, 2],
    ),
    "reshapes in place of transposes of ones": (
        [node("Reshape", "x to_nchw", "a", "turn")], [1, 1, 16000, 1],
        [node("Transpose", "d", "y", "exit", perm=[0, 2, 3, 1])], [1, 1, 1999, 2],
    ),
    "one dimension, [batch, time, channels]": (
        [node("Transpose", "x", "t", "turn", perm=[0, 2, 1]), node("Unsqueeze", "t two", "a")], [1, 16000, 1],
        [node("Squeeze", "d two", "s"), node("Transpose", "s", "y", "exit", perm=[0, 2, 1])], [1, 1999, 2],
    ),
    "one dimension, made two before the transpose": (
        [node("Unsqueeze", "x one", "u"), node("Transpose", "u", "a", "turn", perm=[0, 3, 1, 2])], [1, 16000, 1],
        [node("Transpose", "d", "n", "exit", perm=[0, 2, 3, 1]), node("Squeeze", "n one", "y")], [1, 1999, 2],
    ),
    "a flat wave": (
        [node("Reshape", "x to_nchw", "a", "turn")], [1, 16000],
        [node("Squeeze", "d two", "y")], [1, 2, 1999],
    ),
    "turned twice": (
        [node("Transpose", "x", "t", perm=[0, 2, 1, 3]), node("Transpose", "t", "a", "turn", perm=[0, 1, 3, 2])],
        [1, 16000, 1, 1],
        [node("Identity", "d", "y")], OUT,
    ),
}  # fmt: skip


def behind(name: str) -> onnx.ModelProto:
    before, shape, after, out = DOORS[name]
    sizes = {"to_nchw": longs(*IN), "one": longs(1), "two": longs(2)}
    return graph([*before, *BODY, *after], {"x": shape}, {"y": out}, **WEIGHTS, **sizes)


@pytest.mark.parametrize("name", DOORS)
def test_a_network_behind_a_turned_input_has_its_twins_layers_and_verdict(name: str) -> None:
    twin, found = translate(TWIN, "net"), translate(behind(name), "net")
    assert form(found) == form(twin)
    assert all(np.array_equal(found.weights[key], twin.weights[key]) for key in twin.weights)
    expected, verdict = predict_network(twin, "hailo8"), predict_network(found, "hailo8")
    assert verdict.kind is expected.kind is PredictionKind.BLOCKED
    assert verdict.blockers == expected.blockers
    assert found.assumptions
    assert not twin.assumptions


@pytest.mark.parametrize("name", DOORS)
def test_a_network_behind_a_turned_input_is_the_same_function(name: str) -> None:
    made = behind(name)
    x = floats(*DOORS[name][1], seed=5)
    (expected,) = runtime(made, x)
    (found,) = run_network(translate(made, "net"), x.reshape(1, 1, 16000, 1))
    _, _, _, shape = DOORS[name]
    turned = found if shape[-1] == 2 else found.transpose(0, 3, 1, 2)
    np.testing.assert_allclose(turned.reshape(shape), expected, atol=1e-4)


@pytest.mark.parametrize("name", ["transposes", "one dimension, [batch, time, channels]"])
def test_a_clear_network_behind_a_turned_input_is_extrapolated_and_says_what_was_assumed(name: str) -> None:
    shape = [1, 1, 64, 8] if name == "transposes" else [1, 64, 8]
    perm = [0, 3, 1, 2] if name == "transposes" else [0, 2, 1]
    weight = floats(8, 8, 1, 1) if name == "transposes" else floats(8, 8, 1)
    made = graph(
        [node("Transpose", "x", "a", perm=perm), node("Conv", "a w", "y")], {"x": shape}, {"y": None}, w=weight
    )
    verdict = predict_network(translate(made, "net"), "hailo8")
    assert (verdict.kind, verdict.certainty) == (PredictionKind.CLEAR, Certainty.EXTRAPOLATED)
    assert "height 1, width 64, channels 8" in verdict.assumptions[0].text


def test_both_dimensions_of_an_image_come_through_a_turned_input() -> None:
    nodes = [
        node("Transpose", "x", "a", perm=[0, 3, 1, 2]),
        node("Conv", "a w", "b", strides=[2, 1], pads=[0, 1, 0, 1]),
        node("Transpose", "b", "y", "exit", perm=[0, 2, 3, 1]),
    ]
    made = graph(nodes, {"x": [1, 9, 14, 3]}, {"y": [1, 4, 14, 5]}, w=floats(5, 3, 3, 3))
    network = translate(made, "net")
    x = floats(1, 9, 14, 3, seed=1)
    np.testing.assert_allclose(run_network(network, x)[0], runtime(made, x)[0], atol=1e-4)
    assert [each.kind for each in network.assumptions] == [AssumptionKind.AXIS_ORDER, AssumptionKind.AXIS_ORDER]


def test_a_dense_layer_behind_an_nhwc_flatten_reads_it_as_it_lies() -> None:
    nodes = [
        node("Transpose", "x", "a", perm=[0, 3, 1, 2]),
        node("Conv", "a w", "b"),
        node("Transpose", "b", "n", "exit", perm=[0, 2, 3, 1]),
        node("Reshape", "n flat", "f"),
        node("MatMul", "f m", "y"),
    ]
    constants = {"w": floats(5, 3, 1, 1), "flat": longs(1, -1), "m": floats(6 * 7 * 5, 4)}
    made = graph(nodes, {"x": [1, 6, 7, 3]}, {"y": [1, 4]}, **constants)
    x = floats(1, 6, 7, 3, seed=1)
    np.testing.assert_allclose(run_network(translate(made, "net"), x)[0].reshape(1, 4), runtime(made, x)[0], atol=1e-3)


def test_an_input_that_two_layers_read_in_two_ways_cannot_be_placed() -> None:
    nodes = [
        node("Conv", "x w", "a", "as_nchw"),
        node("Transpose", "x", "t", "turn", perm=[0, 3, 1, 2]),
        node("Conv", "t w", "b", "as_nhwc"),
        node("Add", "a b", "y"),
    ]
    made = graph(nodes, {"x": [1, 6, 6, 6]}, {"y": None}, w=floats(6, 6, 1, 1))
    with pytest.raises(NodeError, match="as_nhwc"):
        translate(made, "net")


def test_height_and_width_that_change_places_inside_are_refused() -> None:
    nodes = [
        node("Conv", "x w", "a", "first"),
        node("Transpose", "a", "t", "turn", perm=[0, 1, 3, 2]),
        node("Conv", "t w", "y", "second"),
    ]
    with pytest.raises(NodeError, match=r"node second \(Conv\)"):
        translate(graph(nodes, {"x": [1, 4, 1, 32]}, {"y": None}, w=floats(4, 4, 1, 1)), "net")


@pytest.mark.parametrize("perm", [[0, 1, 3, 2], [0, 3, 2, 1]])
def test_an_output_turned_as_no_output_layer_is_is_refused_with_what_to_do(perm: list[int]) -> None:
    nodes = [node("Conv", "x w", "a"), node("Transpose", "a", "y", "turn", perm=perm)]
    with pytest.raises(NodeError, match=r"node turn \(Transpose\): .*; .*host"):
        translate(graph(nodes, {"x": [1, 4, 5, 6]}, {"y": None}, w=floats(4, 4, 1, 1)), "net")


RANK3 = [
    node("Conv", "x w", "a", strides=[8], pads=[3, 5]),
    node("Relu", "a", "b"),
    node("Conv", "b d", "c", "deep", group=8, dilations=[2], pads=[2, 2]),
    node("MaxPool", "c", "m", kernel_shape=[3], strides=[2]),
    node("ConvTranspose", "m v", "y", strides=[8]),
]
RANK3_WEIGHTS = {"w": floats(8, 1, 16), "d": floats(8, 1, 3, seed=1), "v": floats(8, 2, 8, seed=2)}


def test_rank_3_is_read_as_one_row_and_marked_extrapolated() -> None:
    made = graph(RANK3, {"x": [1, 1, 160]}, {"y": None}, **RANK3_WEIGHTS)
    network = translate(made, "net")
    assert network.layer("input_layer1").output_shape == (-1, 1, 160, 1)
    assert network.layer("conv1").params["kernel_shape"] == [1, 16, 1, 8]
    assert network.layer("conv1").original_names == ("conv", "relu")
    assert [each.kind for each in network.assumptions] == [AssumptionKind.RANK]
    assert predict_network(network, "hailo8").certainty is Certainty.EXTRAPOLATED
    x = floats(1, 1, 160, seed=3)
    found = run_network(network, x.reshape(1, 1, 160, 1), deconv="onnx")[0]
    np.testing.assert_allclose(found[:, 0].transpose(0, 2, 1), runtime(made, x)[0], atol=1e-4)


def test_a_blocked_network_of_rank_3_is_extrapolated_too() -> None:
    wide = graph([node("Conv", "x w", "y")], {"x": [1, 512, 1999]}, {"y": None}, w=floats(512, 512, 1))
    verdict = predict_network(translate(wide, "net"), "hailo8")
    assert (verdict.kind, verdict.certainty) == (PredictionKind.BLOCKED, Certainty.EXTRAPOLATED)


def test_an_open_batch_is_1_and_open_sizes_are_given() -> None:
    def made(shape: Sequence[int | str]) -> onnx.ModelProto:
        nodes = [node("Conv", "x w", "a"), node("Relu", "a", "y")]
        return graph(nodes, {"x": shape}, {"y": ["batch", 4, 1, "time"]}, w=floats(4, 4, 1, 3))

    fixed = translate(made([1, 4, 1, 32]), "net")
    assert form(translate(made(["batch", 4, 1, 32]), "net")) == form(fixed)
    assert form(translate(made(["batch", 4, 1, "time"]), "net", {"x": (1, 4, 1, 32)})) == form(fixed)
    open_ = made(["batch", 4, 1, "time"])
    for shapes, says in [
        ({}, r"axis 3 is dynamic.*--shape x="),
        ({"z": (1, 4, 1, 32)}, r"--shape z: no such input; it has x"),
        ({"x": (4, 1, 32)}, r"3 sizes, 4 are needed"),
        ({"x": (1, 8, 1, 32)}, r"axis 1 the size 8, but the file fixes it at 4"),
        ({"x": (2, 4, 1, 32)}, r"batch is 2"),
        ({"x": (1, 4, 1, 0)}, r"sizes from 1"),
    ]:
        with pytest.raises(ModelError, match=says):
            translate(open_, "net", shapes)


def test_shapes_that_a_graph_computes_from_its_batch_are_folded() -> None:
    nodes = [
        node("Shape", "x", "s"),
        node("Gather", "s zero", "n", axis=0),
        node("Concat", "n rest", "r", "join", axis=0),
        node("Reshape", "x r", "a"),
        node("Relu", "a", "y"),
    ]
    made = graph(nodes, {"x": ["batch", 4, 32]}, {"y": ["batch", 4, 1, 32]}, zero=longs(0), rest=longs(4, 1, 32))
    assert translate(made, "net").layer("activation1").output_shape == (-1, 1, 32, 4)


def test_several_inputs_and_outputs_are_translated_and_computed() -> None:
    nodes = [
        node("Conv", "features w", "a", "conv_1"),
        node("Transpose", "skip", "t", perm=[0, 3, 1, 2]),
        node("Add", "a t", "sum"),
        node("Relu", "sum", "mask"),
        node("Conv", "sum w", "more", "conv_2"),
    ]
    inputs: dict[str, list[int | str]] = {"features": [1, 4, 1, 20], "skip": [1, 1, 20, 4]}
    made = graph(nodes, inputs, {"mask": None, "more": None}, w=floats(4, 4, 1, 1))
    network = translate(made, "net")
    starts = [layer for layer in network if layer.type == "input_layer"]
    assert [(layer.name, layer.original_names) for layer in starts] == [
        ("input_layer1", ("features",)), ("input_layer2", ("skip",))
    ]  # fmt: skip
    assert network.output_layers == ("activation1", "conv2")
    features, skip = floats(1, 4, 1, 20), floats(1, 1, 20, 4, seed=1)
    expected = runtime(made, features, skip)
    found = run_network(network, {"input_layer1": features.transpose(0, 2, 3, 1), "input_layer2": skip})
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.transpose(0, 3, 1, 2), other, atol=1e-5)
    assert predict_network(network, "hailo8").kind is PredictionKind.CLEAR


def test_an_input_that_nothing_depends_on_is_left_out_and_said() -> None:
    made = graph([node("Relu", "x", "y")], {"x": [1, 4, 1, 8], "z": [1, 4, 1, 8]}, {"y": None})
    network = translate(made, "net")
    assert [layer.name for layer in network if layer.type == "input_layer"] == ["input_layer1"]
    assert [each.kind for each in network.assumptions] == [AssumptionKind.UNUSED]
    assert "input z" in network.assumptions[0].text


def test_what_was_assumed_is_kept_in_the_har(tmp_path: Path) -> None:
    network = translate(graph(RANK3, {"x": [1, 1, 160]}, {"y": None}, **RANK3_WEIGHTS), "net")
    har.write(network, tmp_path / "m.har")
    assert har.read(tmp_path / "m.har").assumptions == network.assumptions
    assert predict_network(har.read(tmp_path / "m.har"), "hailo8") == predict_network(network, "hailo8")


def test_a_bare_hn_is_read_as_the_har_around_it(tmp_path: Path) -> None:
    network = translate(TWIN, "net")
    (tmp_path / "m.hn").write_text(hn.dumps(network))
    read = hn.read_hn(tmp_path / "m.hn")
    assert form(read) == form(network)
    assert predict_network(read, "hailo8") == predict_network(network, "hailo8")


@pytest.mark.parametrize(
    ("inside", "says"),
    [
        ([node("Identity", "q", "c")], "QDQ form: .*float model"),
        ([node("QLinearConv", "q s z w s z s z", "c")], "QOperator form: QLinearConv.*float model"),
    ],
)
def test_a_quantized_model_is_told_apart_and_says_what_to_export(inside: list[onnx.NodeProto], says: str) -> None:
    nodes = [node("QuantizeLinear", "x s z", "q"), *inside, node("DequantizeLinear", "c s z", "y")]
    constants = {"s": np.float32(0.1), "z": np.uint8(3), "w": np.ones((4, 4, 1, 1), "u1")}
    made = graph(nodes, {"x": [1, 4, 1, 8]}, {"y": None}, **constants)
    with pytest.raises(ModelError, match=says):
        translate(made, "net")
