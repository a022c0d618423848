"""Rank 3 [N, C, T] -> rank 4 [N, C, 1, T]: a layer along time between an Unsqueeze and a Squeeze, which are free.

So the rules know one form of a convolution and of a pool. That the vendor reads rank 3 so was not observed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir
from onnx_ir.convenience import replace_all_uses_with

_ALONG_TIME = frozenset(
    {
        *("Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"),
        *("InstanceNormalization", "Resize", "Upsample"),
    }
)
_PER_AXIS = {"kernel_shape": 1, "strides": 1, "dilations": 1, "output_shape": 1, "output_padding": 0}
"""attribute -> what it has for an axis of size 1"""


def lift(graph: ir.Graph) -> None:
    """Lift in place every layer along time whose operand is rank 3."""
    for node in list(graph):
        value = node.inputs[0] if node.inputs else None
        along = node.domain in {"", "ai.onnx"} and node.op_type in _ALONG_TIME
        if along and value is not None and value.shape is not None and len(value.shape) == 3:
            _lift(graph, node, value)


def _lift(graph: ir.Graph, node: ir.Node, value: ir.Value) -> None:
    graph.insert_before(node, before := _reshape("Unsqueeze", value, _with_one(value)))
    node.replace_input_with(0, before.outputs[0])
    if node.op_type in {"Conv", "ConvTranspose"} and len(node.inputs) > 1:
        _lift_constant(node, 1, lambda array: np.expand_dims(array, 2))
    if node.op_type in {"Resize", "Upsample"}:
        _lift_resize(node)
    for name, one in _PER_AXIS.items():
        attribute = node.attributes.get(name)
        if attribute is not None:
            node.attributes[name] = ir.AttrInt64s(name, [one, *attribute.as_ints()])
    pads = node.attributes.get("pads")
    if pads is not None:
        start, end = pads.as_ints()
        node.attributes["pads"] = ir.AttrInt64s("pads", [0, start, 0, end])
    raw = node.outputs[0]
    flat = ir.Value(name=raw.name, shape=raw.shape, type=raw.type)
    replace_all_uses_with(raw, flat, replace_graph_outputs=True)
    raw.name, raw.shape = f"{raw.name}_rank4", _with_one(raw)
    graph.insert_after(node, _reshape("Squeeze", raw, flat.shape, flat))


def _lift_resize(node: ir.Node) -> None:
    """The scales or sizes stand one for each axis of the operand, or of those in `axes`: time becomes axis 3."""
    axes = node.attributes.get_ints("axes", None)
    if axes is not None:
        node.attributes["axes"] = ir.AttrInt64s("axes", [3 if axis % 3 == 2 else axis % 3 for axis in axes])
        return
    given = node.attributes.get_floats("scales", None)
    if given is not None:
        node.attributes["scales"] = ir.AttrFloat32s("scales", [*given[:2], 1.0, *given[2:]])
    for index in range(1, len(node.inputs)):
        # The region, a start and an end for each axis, counts for cropping forms alone, which are refused.
        _lift_constant(node, index, lambda array: np.insert(array, 2, 1) if array.shape == (3,) else array)


def _lift_constant(node: ir.Node, index: int, lifting: Callable[[npt.NDArray[Any]], npt.NDArray[Any]]) -> None:
    old = node.inputs[index]
    if old is None or old.const_value is None:
        return
    array = lifting(old.const_value.numpy())
    # Another value, not the old one changed: it may be read elsewhere.
    lifted = ir.Value(name=f"{old.name}_rank4", shape=ir.Shape(array.shape), type=old.type)
    lifted.const_value = ir.Tensor(array, name=lifted.name)
    node.replace_input_with(index, lifted)


def _with_one(value: ir.Value) -> ir.Shape:
    assert value.shape is not None
    batch, channels, time = value.shape
    return ir.Shape([batch, channels, 1, time])


def _reshape(op: str, value: ir.Value, shape: ir.Shape | None, made: ir.Value | None = None) -> ir.Node:
    """A node without a name: no layer may carry one that the file doesn't have."""
    made = made or ir.Value(name=f"{value.name}_rank4_in", shape=shape, type=value.type)
    return ir.Node("", op, [value], outputs=[made], name="")
