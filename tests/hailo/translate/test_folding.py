"""What a graph computes from sizes and constants alone is folded, and nothing past any reason is made."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tasnet.hailo.files.hn import Layer
from tasnet.hailo.translate import TranslationError, translate
from tests.hailo.onnx_models import floats, longs, model, node


def layers(made: onnx.ModelProto) -> list[Layer]:
    return list(translate(made, "net"))


def only(made: onnx.ModelProto, kind: str) -> Layer:
    (layer,) = [layer for layer in layers(made) if layer.type == kind]
    return layer


def test_shape_chains_are_folded() -> None:
    made = model(
        [
            node("Shape", "x", "s"),
            node("Gather", "s three", "t", axis=0),
            node("Concat", "lead t", "r", axis=0),
            node("Reshape", "x r", "flat"),
            node("Unsqueeze", "flat two", "again"),
            node("Relu", "again"),
        ],
        output_shape=(1, 4, 1, 32),
        three=longs(3),
        lead=longs(1, 4),
        two=longs(2),
    )
    assert [layer.type for layer in layers(made)] == ["input_layer", "activation", "output_layer"]


def test_pads_that_the_graph_computes_are_kept() -> None:
    # As the legacy exporter writes them: zeros for the axes that aren't padded, turned round, laid flat.
    computed = [
        node("ConstantOfShape", "five", "zeros", value=onnx.numpy_helper.from_array(np.zeros(1, "i8"))),
        node("Concat", "given zeros", "pairs", "pairs", axis=0),
        node("Reshape", "pairs by_two", "table"),
        node("Slice", "table last first rows back", "turned"),
        node("Transpose", "turned", "sides", perm=[1, 0]),
        node("Reshape", "sides flat", "long", "laid_flat"),
        node("Cast", "long", "pads", to=TensorProto.INT64),
        helper.make_node("Pad", ["x", "pads", ""], ["p"], name="pad"),
    ]
    constants = {
        "five": longs(5), "given": longs(3, 2, 0), "by_two": longs(-1, 2), "last": longs(-1),
        "first": longs(-(2**62)), "rows": longs(0), "back": longs(-1), "flat": longs(-1),
    }  # fmt: skip
    made = model([*computed, node("Conv", "p w")], output_shape=(1, 6, 1, 35), w=floats(6, 4, 1, 3), **constants)
    assert only(made, "external_pad").params == {"t": 0, "b": 0, "l": 3, "r": 2}
    assert only(made, "conv").output_shape == (-1, 1, 35, 6)


def test_a_length_that_the_graph_rounds_up_is_read() -> None:
    chain = [
        node("Shape", "x", "s"),
        node("Gather", "s three", "t", axis=0),
        node("Mod", "t five", "over"),
        node("Sub", "five over", "more"),
        node("Concat", "none more", "pads", "pads", axis=0),
        node("Pad", "x pads", "p"),
        node("Relu", "p"),
    ]
    made = model(chain, output_shape=(1, 4, 1, 35), three=longs(3), five=longs(5), none=longs(0, 0, 0, 0, 0, 0, 0))
    assert only(made, "external_pad").output_shape == (-1, 1, 35, 4)


@pytest.mark.parametrize(
    "start",
    [
        [node("ConstantOfShape", "huge", "z")],
        [node("Range", "zero many one", "r"), node("Cast", "r", "z", to=TensorProto.FLOAT)],
        [node("Expand", "unit huge", "z")],
        [node("Tile", "unit many_times", "z")],
    ],
    ids=lambda nodes: nodes[0].op_type,
)
def test_a_constant_past_any_reason_is_not_made(start: list[onnx.NodeProto]) -> None:
    chain = [*start, node("ReduceMean", "z", "m", keepdims=0), node("Add", "x m")]
    sizes = {"huge": longs(10**9, 10**4), "many_times": longs(10**12), "unit": np.ones(1, np.float32)}
    ends = {"zero": np.int64(0), "many": np.int64(10**12), "one": np.int64(1)}
    made = model([node("Relu", "x")], **sizes, **ends)
    del made.graph.node[:]
    made.graph.node.extend(chain)
    with pytest.raises(TranslationError):
        translate(made, "net")


def test_a_shape_that_is_split_and_joined_again_is_folded() -> None:
    chain = [
        node("Shape", "x", "s"),
        node("Split", "s", "front back", axis=0),
        node("Concat", "front back", "r", axis=0),
        node("Reshape", "x r", "a"),
        node("Relu", "a"),
    ]
    assert only(model(chain, output_shape=(1, 4, 1, 32)), "activation").output_shape == (-1, 1, 32, 4)
