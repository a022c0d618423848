"""What is taken, and what is refused by name: every attribute and operand is read, or an error comes."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tasnet.hailo.translate import NodeError, TranslationError, translate
from tasnet.hailo.translate.node_checks import ATTRIBUTES
from tasnet.hailo.translate.rules import registry
from tests.hailo.onnx_models import floats, longs
from tests.hailo.translate.against_runtime import matches, model_of

W, B, ONES = floats(8, 4, 1, 3), floats(8, seed=1), np.ones(4, np.float32)
TAKEN: dict[str, tuple[str, dict[int, np.ndarray], dict[str, Any]]] = {
    "conv": ("Conv", {1: W, 2: B}, {"pads": [0, 2, 0, 2], "dilations": [1, 2]}),
    "a stride with pads": ("Conv", {1: W}, {"pads": [0, 1, 0, 1], "strides": [1, 2]}),
    "auto_pad": ("Conv", {1: W}, {"auto_pad": "SAME_LOWER", "strides": [1, 3]}),
    "groups": ("Conv", {1: floats(8, 2, 1, 3)}, {"group": 2}),
    "deconvolution": ("ConvTranspose", {1: floats(4, 2, 1, 8)}, {"strides": [1, 4]}),
    "a dilated one": ("ConvTranspose", {1: floats(4, 2, 1, 3)}, {"strides": [1, 2], "dilations": [1, 2]}),
    "a grouped one": ("ConvTranspose", {1: floats(4, 2, 1, 8)}, {"strides": [1, 4], "group": 2}),
    "max pool": ("MaxPool", {}, {"kernel_shape": [1, 3], "strides": [1, 2]}),
    "average pool": ("AveragePool", {}, {"kernel_shape": [2, 3]}),
    "batch norm": ("BatchNormalization", {1: ONES, 2: ONES, 3: ONES, 4: ONES}, {"epsilon": 0.3}),
    "pad": ("Pad", {1: longs(0, 0, 1, 2, 0, 0, 0, 3)}, {}),
    "slice": ("Slice", {1: longs(1, 2), 2: longs(3, 9), 3: longs(1, 3), 4: longs(1, 2)}, {}),
    "mean": ("ReduceMean", {}, {"axes": [-1, 1], "keepdims": 1}),
    "leaky": ("LeakyRelu", {}, {"alpha": 0.3}),
    "slopes": ("PRelu", {1: floats(4, 1, 1)}, {}),
    "relu6": ("Clip", {1: np.float32(0), 2: np.float32(6)}, {}),
}
LONG = {1: floats(4, 2, 1, 8)}
REFUSED: dict[str, tuple[str, dict[int, np.ndarray], dict[str, Any], str]] = {
    "pads of a deconvolution": ("ConvTranspose", LONG, {"strides": [1, 4], "pads": [0, 2, 0, 2]}, "pads"),
    "output_padding": ("ConvTranspose", LONG, {"strides": [1, 4], "output_padding": [0, 1]}, "output_padding"),
    "output_shape": ("ConvTranspose", LONG, {"strides": [1, 4], "output_shape": [6, 44]}, "result to"),
    "auto_pad": ("ConvTranspose", LONG, {"strides": [1, 4], "auto_pad": "SAME_UPPER"}, "result to"),
    "storage order": ("MaxPool", {}, {"kernel_shape": [1, 2], "storage_order": 1}, "storage_order=1"),
    "training": ("BatchNormalization", {1: ONES, 2: ONES, 3: ONES, 4: ONES}, {"training_mode": 1}, "training_mode=1"),
    "reflection": ("Pad", {1: longs(0, 0, 0, 2, 0, 0, 0, 2)}, {"mode": "reflect"}, "reflect"),
    "a filler": ("Pad", {1: longs(0, 0, 0, 2, 0, 0, 0, 2), 2: np.float32(1)}, {}, "pads with 1"),
    "a turned output": ("Transpose", {}, {"perm": [0, 1, 3, 2]}, "host"),
}  # fmt: skip


def test_every_op_with_a_rule_says_which_attributes_the_rule_reads() -> None:
    assert registry().keys() <= ATTRIBUTES.keys()
    for op, read in ATTRIBUTES.items():
        known = {name for version in range(7, 26) for name in _attributes(op, version)}
        assert read <= known, f"{op} has no attribute {sorted(read - known)}"


def _attributes(op: str, version: int) -> set[str]:
    try:
        return set(onnx.defs.get_schema(op, version, "").attributes)
    except onnx.defs.SchemaError:
        return set()


@pytest.mark.parametrize("name", TAKEN)
def test_these_are_taken(name: str) -> None:
    op, constants, attributes = TAKEN[name]
    assert matches(op, constants=constants, **attributes)


@pytest.mark.parametrize("name", REFUSED)
def test_these_are_refused_by_name_with_what_to_do(name: str) -> None:
    op, constants, attributes, says = REFUSED[name]
    made = helper.make_node(op, ["a", *(f"c{i}" for i in constants)], ["y"], name="node", **attributes)
    made.output.extend(["mean", "var"] * (op == "BatchNormalization"))
    values = {"w": floats(4, 4, 1, 1)} | {f"c{i}": value for i, value in constants.items()}
    model = model_of([helper.make_node("Conv", ["x", "w"], ["a"]), made], (1, 4, 6, 11), values, 14)
    with pytest.raises(NodeError, match=rf"node node \({op}\): .*{says}.*") as caught:
        translate(model, "net")
    assert caught.value.instead
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("op", ["Clip", "Pad", "Slice", "Conv", "Gemm"])
def test_an_operand_that_the_graph_computes_is_no_operand_left_out(op: str) -> None:
    """A bound, a bias or an axis that comes out of the network isn't the default."""
    shape = (1, 4, 6, 11)
    inputs = {
        "Clip": ["a", "", "m"], "Pad": ["a", "pads", "m"], "Conv": ["a", "w", "v"], "Gemm": ["f", "g", "r"],
        "Slice": ["a", "one", "i"],
    }[op]  # fmt: skip
    nodes = [
        helper.make_node("Relu", ["x"], ["a"]),
        helper.make_node("ReduceMean", ["a"], ["m"], keepdims=0),
        helper.make_node("ReduceMean", ["a"], ["v"], axes=[0, 2, 3], keepdims=0),
        helper.make_node("Flatten", ["a"], ["f"]),
        helper.make_node("Reshape", ["m", "minus"], ["r"]),
        helper.make_node("Cast", ["r"], ["i"], to=TensorProto.INT64),
        helper.make_node(op, inputs, ["y"], name="node"),
    ]
    constants = {
        "pads": longs(0, 0, 0, 1, 0, 0, 0, 1), "w": floats(4, 4, 1, 1), "g": floats(264, 5), "one": longs(1),
        "minus": longs(-1),
    }  # fmt: skip
    with pytest.raises(TranslationError):
        translate(model_of(nodes, shape, constants, 13), "net")
