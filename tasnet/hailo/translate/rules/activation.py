"""Activations: fused into the layer before them where they are its only reader, else a layer of their own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx_ir as ir

from tasnet.hailo.translate.draft import Array, Draft, Drafting, constant, number
from tasnet.hailo.translate.errors import NodeError
from tasnet.hailo.translate.rules.arithmetic import affine_constants, channel_vector

_FUSABLE = frozenset(
    {"conv", "dw", "deconv", "dense", "ew_add", "ew_sub", "ew_mult", "normalization", "avgpool", "maxpool"}
)


def activate(
    drafting: Drafting,
    node: ir.Node,
    name: str,
    weights: Mapping[str, Array] | None = None,
    index: int = 0,
) -> Draft:
    """Fuse activation `name` into the layer behind operand `index`, or draft an `activation` layer.

    Conv+Relu is observed fused, and `activation` as a layer of its own (inv_sqrt); the rest is not observed.
    """
    view = drafting.view(node, index)
    before = drafting.fuse(node, index)
    if before is not None and before.type in _FUSABLE and before.params.get("activation") == "linear":
        before.params["activation"] = name
        before.names.append(node.name or "")
        before.weights.update(weights or {})
        draft = before
    else:
        _, height, width, channels = view.draft.shape
        draft = drafting.add(
            node,
            "activation",
            "activation",
            [view.draft],
            (height, width, channels),
            {"activation": name},
            weights,
        )
    drafting.emit(node, draft, view.labels)
    return draft


def relu(drafting: Drafting, node: ir.Node) -> None:
    """Relu (observed fused into conv)."""
    activate(drafting, node, "relu")


def sigmoid(drafting: Drafting, node: ir.Node) -> None:
    """Sigmoid (not observed)."""
    activate(drafting, node, "sigmoid")


def tanh(drafting: Drafting, node: ir.Node) -> None:
    """Tanh (not observed)."""
    activate(drafting, node, "tanh")


def leaky_relu(drafting: Drafting, node: ir.Node) -> None:
    """LeakyRelu (not observed): the slope is kept beside the layer's weights."""
    alpha = np.asarray([number(node, "alpha", 0.01)], np.float32)
    activate(drafting, node, "leaky", {"leaky_alpha": alpha})


def clip(drafting: Drafting, node: ir.Node) -> None:
    """Clip at (0, 6) -> relu6, at (0, none) -> relu (not observed); other bounds decline."""
    low, high = constant(node, 1), constant(node, 2)
    lo = float(low.ravel()[0]) if low is not None and low.size else number(node, "min", -np.inf)
    hi = float(high.ravel()[0]) if high is not None and high.size else number(node, "max", np.inf)
    if lo == 0.0 and hi == 6.0:
        activate(drafting, node, "relu6")
    elif lo == 0.0 and hi > 3e38:
        activate(drafting, node, "relu")
    else:
        raise NodeError(node, f"bounds {lo:g} and {hi:g}", "write Relu, or Clip at 0 and 6")


def prelu(drafting: Drafting, node: ir.Node) -> None:
    """PRelu op -> activation `prelu`, one slope per channel beside the weights (not observed)."""
    view = drafting.view(node, 0)
    slope = constant(node, 1)
    if slope is None:
        raise NodeError(node, "its slope is computed by the graph", "export with the slope as a constant")
    # PyTorch's one slope is exported as [1], [1,1,1] or [C,1,1]: right-aligned, like any ONNX broadcast.
    vector = channel_vector(slope, view)
    if vector is None:
        raise NodeError(node, f"a slope of shape {list(slope.shape)}", "one slope per layer or per channel")
    activate(drafting, node, "prelu", {"prelu_slope": vector})


def sqrt(drafting: Drafting, node: ir.Node) -> None:
    """Sqrt whose only reader divides by it -> activation `inv_sqrt` [sqrt, div] (observed); else `sqrt`.

    A constant added just before (a norm's epsilon) joins the layer: the 1179-layer graph has no layer for it.
    Its value is kept beside the layer's weights as `epsilon` (not observed).
    """
    reader = _divisor(drafting, node)
    epsilon, names = 0.0, []
    before = drafting.fuse(node)
    view = drafting.view(node, 0)
    source = view.draft
    constants = affine_constants(before)
    if before is not None and constants is not None and constants[0] == 1.0 and reader is not None:
        epsilon, names, source = constants[1], list(before.names), before.inputs[0]
        drafting.drop(before)
    _, height, width, channels = view.draft.shape
    draft = drafting.add(
        node,
        "activation",
        "activation",
        [source],
        (height, width, channels),
        {"activation": "sqrt" if reader is None else "inv_sqrt"},
        {} if not names else {"epsilon": np.asarray([epsilon], np.float32)},
        [*names, node.name or "", *([reader.name or ""] if reader is not None else [])],
    )
    if before is not None and names:
        draft.order = before.order
    drafting.emit(node, draft, view.labels)


def reciprocal(drafting: Drafting, node: ir.Node) -> None:
    """Reciprocal of a Sqrt -> joins its inv_sqrt; of anything else -> activation `inv` (not observed)."""
    view = drafting.view(node, 0)
    before = drafting.fuse(node)
    if before is not None and before.type == "activation" and before.params["activation"] == "sqrt":
        before.params["activation"] = "inv_sqrt"
        before.names.append(node.name or "")
        drafting.emit(node, before, view.labels)
        return
    activate(drafting, node, "inv")


def _divisor(drafting: Drafting, node: ir.Node) -> ir.Node | None:
    """The Div that alone reads `node`, as its divisor."""
    out = node.outputs[0]
    if not drafting.sole_use(out):
        return None
    reader, index = next(iter(out.uses()))
    # The dividend may come later in the file: that it is no constant is all that is asked of it here.
    dividend = reader.inputs[0]
    divides = reader.op_type == "Div" and index == 1
    return reader if divides and dividend is not None and dividend.const_value is None else None


RULES = {
    "Relu": relu,
    "Sigmoid": sigmoid,
    "Tanh": tanh,
    "LeakyRelu": leaky_relu,
    "Clip": clip,
    "PRelu": prelu,
    "Sqrt": sqrt,
    "Reciprocal": reciprocal,
}
