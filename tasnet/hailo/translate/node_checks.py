"""Refuses a node with an attribute or operand that its rule doesn't read: it would be dropped silently.

An attribute that no rule reads may stand at ONNX's default, which is what the rule takes for granted. An operand
that a rule takes for a constant must be one: a computed bound is no bound that was left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnx_ir as ir

from tasnet.hailo.translate.errors import NodeError

_WINDOW = frozenset({"auto_pad", "dilations", "kernel_shape", "pads", "strides"})
ATTRIBUTES: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        (
            *("Add", "Div", "Exp", "Expand", "Identity", "MatMul", "Max", "Min", "Mul", "Neg", "Pow", "PRelu"),
            *("Reciprocal", "Relu", "Sigmoid", "Sqrt", "Sub", "Tanh", "Tile", "GlobalAveragePool", "HardSwish"),
        ),
        frozenset(),
    ),
    "AveragePool": _WINDOW | {"ceil_mode", "count_include_pad"},
    "BatchNormalization": frozenset({"epsilon", "momentum"}),
    "Cast": frozenset({"to", "saturate"}),
    "Clip": frozenset({"min", "max"}),
    "Concat": frozenset({"axis"}),
    "Conv": _WINDOW | {"group"},
    "ConvTranspose": _WINDOW | {"group", "output_padding", "output_shape"},
    "Dropout": frozenset({"ratio", "seed"}),
    "Elu": frozenset({"alpha"}),
    "Flatten": frozenset({"axis"}),
    "Gelu": frozenset({"approximate"}),
    "Gemm": frozenset({"alpha", "beta", "transA", "transB"}),
    "HardSigmoid": frozenset({"alpha", "beta"}),
    "InstanceNormalization": frozenset({"epsilon"}),
    "LeakyRelu": frozenset({"alpha"}),
    "MaxPool": _WINDOW | {"ceil_mode"},
    "Pad": frozenset({"mode", "pads", "value"}),
    "ReduceMean": frozenset({"axes", "keepdims", "noop_with_empty_axes"}),
    "Reshape": frozenset({"allowzero"}),
    "Resize": frozenset(
        {"antialias", "axes", "coordinate_transformation_mode", "cubic_coeff_a", "extrapolation_value", "mode"}
        | {"nearest_mode"}
    ),
    "Slice": frozenset({"axes", "ends", "starts"}),
    "Softmax": frozenset({"axis"}),
    "Split": frozenset({"axis", "num_outputs", "split"}),
    "Squeeze": frozenset({"axes"}),
    "Swish": frozenset({"alpha"}),
    "Transpose": frozenset({"perm"}),
    "Unsqueeze": frozenset({"axes"}),
    "Upsample": frozenset({"mode", "scales"}),
}
"""op -> the attributes that its rule reads, or that say nothing about the result (`momentum`, `seed`)"""

_SIGNAL_ALONE = frozenset(
    {
        *("AveragePool", "BatchNormalization", "Clip", "Conv", "ConvTranspose", "Dropout", "Gemm", "MatMul", "MaxPool"),
        *("InstanceNormalization", "Pad", "PRelu", "Pow", "ReduceMean", "Resize", "Slice", "Split", "Tile", "Upsample"),
    }
)
"""ops whose first operand alone is the network's tensor"""


def check_node(node: ir.Node, opset: int) -> None:
    """Raises NodeError where the node says something that its rule would not read."""
    read = ATTRIBUTES.get(node.op_type, frozenset())
    if not read.issuperset(node.attributes):
        defaults = onnx.defs.get_schema(node.op_type, opset, "").attributes
        for name in sorted(node.attributes.keys() - read):
            value, known = node.attributes[name].value, defaults.get(name)
            usual = onnx.helper.get_attribute_value(known.default_value) if known and known.default_value.name else None
            if usual is None or not _equal(value, usual):
                raise NodeError(node, f"{name}={_shown(value)}", f"write it without {name}")
    if node.op_type in _SIGNAL_ALONE:
        for index, value in enumerate(node.inputs[1:], start=1):
            if value is not None and value.const_value is None:
                raise NodeError(
                    node, f"operand {index} ({value.name}) is computed by the graph", "export with it as a constant"
                )


def _equal(value: Any, usual: Any) -> bool:
    return bool(value == (usual.decode() if isinstance(usual, bytes) else usual))


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float | np.floating) else str(value)[:40]
