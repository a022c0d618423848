"""Activations: fused into the layer before them where they are its only reader, else a layer of their own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx_ir as ir

from tasnet.hailo.translate.draft import Array, Draft, Drafting, axes_text, constant, opset
from tasnet.hailo.translate.errors import NodeError
from tasnet.hailo.translate.rules.arithmetic import affine_constants, channel_vector


def activate(
    drafting: Drafting,
    node: ir.Node,
    name: str,
    weights: Mapping[str, Array] | None = None,
    index: int = 0,
) -> Draft:
    """Fuse activation `name` into the layer behind operand `index`, or draft an `activation` layer.

    Conv+Relu is observed fused, and `activation` as a layer of its own (inv_sqrt); the rest is not observed: the
    parser of 3.32 is reported to take Elu, Gelu, HardSigmoid, HardSwish, LeakyRelu and Clip, its HN was not seen.
    What an activation needs besides its name is kept beside the layer's weights.
    """
    view = drafting.view(node, index)
    before = drafting.fuse(node, index)
    if before is not None and before.fusable:
        before.params["activation"] = name
        before.names.append(node.name or "")
        before.weights.update(weights or {})
        draft = before
    else:
        draft = drafting.add(node, "activation", [view.draft], view.draft.hwc, {"activation": name}, weights)
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
    activate(drafting, node, "leaky", {"leaky_alpha": _one(node.attributes.get_float("alpha", 0.01))})


def elu(drafting: Drafting, node: ir.Node) -> None:
    """Elu (not observed; `elu_alpha` [1] beside the weights)."""
    activate(drafting, node, "elu", {"elu_alpha": _one(node.attributes.get_float("alpha", 1.0))})


def gelu(drafting: Drafting, node: ir.Node) -> None:
    """Gelu, by the error function (not observed); its approximation by tanh declines."""
    approximate = node.attributes.get_string("approximate", "none")
    if approximate != "none":
        raise NodeError(node, f"approximate {approximate}", "export the exact GELU")
    activate(drafting, node, "gelu")


def hard_sigmoid(drafting: Drafting, node: ir.Node) -> None:
    """HardSigmoid (not observed; `hardsigmoid_alpha` and `_beta` [1] beside the weights)."""
    slope, offset = node.attributes.get_float("alpha", 0.2), node.attributes.get_float("beta", 0.5)
    activate(drafting, node, "hardsigmoid", {"hardsigmoid_alpha": _one(slope), "hardsigmoid_beta": _one(offset)})


def hard_swish(drafting: Drafting, node: ir.Node) -> None:
    """HardSwish (not observed)."""
    activate(drafting, node, "hardswish")


def swish(drafting: Drafting, node: ir.Node) -> None:
    """Swish with alpha 1 -> `silu`, which is observed for Conv + Sigmoid + Mul."""
    if node.attributes.get_float("alpha", 1.0) != 1.0:
        raise NodeError(node, f"alpha {node.attributes.get_float('alpha', 1.0):g}", "write it with Sigmoid and Mul")
    activate(drafting, node, "silu")


def clip(drafting: Drafting, node: ir.Node) -> None:
    """Clip at (0, 6) -> relu6, at (0, none) -> relu, else `clip` (none observed); without bounds no layer.

    The bounds of `clip` are kept beside the weights as `clip_min` and `clip_max` [1], where there are any.
    """
    bounds: list[float] = []
    for index, (name, none) in enumerate((("min", -np.inf), ("max", np.inf)), start=1):
        value = constant(node, index)
        if value is None and index < len(node.inputs) and node.inputs[index] is not None:
            raise NodeError(node, "its bounds are computed by the graph", "export with constant bounds")
        bound = float(value.ravel()[0]) if value is not None and value.size else node.attributes.get_float(name, none)
        # opset 6 writes float32's largest number where there is no bound
        bounds.append(bound if abs(bound) < 3e38 else none)
    low, high = bounds
    if (low, high) == (-np.inf, np.inf):
        view = drafting.view(node, 0)
        drafting.emit(node, view.draft, view.labels)
    elif (low, high) == (0.0, 6.0):
        activate(drafting, node, "relu6")
    elif (low, high) == (0.0, np.inf):
        activate(drafting, node, "relu")
    else:
        kept = {"clip_min": low, "clip_max": high}
        activate(drafting, node, "clip", {name: _one(each) for name, each in kept.items() if np.isfinite(each)})


def softmax(drafting: Drafting, node: ir.Node) -> None:
    """Softmax over the channels -> `softmax` (the layer is observed in version 3.29, its params not: none)."""
    view = drafting.view(node, 0)
    rank = len(view.labels)
    # Below opset 13 it runs over this axis and all behind it.
    flattens = opset(drafting) < 13
    axis = node.attributes.get_int("axis", 1 if flattens else -1) % rank
    over = [label for label in (view.labels[axis:] if flattens else view.labels[axis : axis + 1]) if label is not None]
    if over != ["C"]:
        raise NodeError(
            node,
            f"runs over {axes_text(tuple(over)) or 'an axis of size 1'}, not over the channels",
            "put what it chooses from on axis 1, or use Sigmoid",
        )
    draft = drafting.add(node, "softmax", [view.draft], view.draft.hwc)
    drafting.emit(node, draft, view.labels)


def _one(value: float) -> Array:
    return np.asarray([value], np.float32)


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
    draft = drafting.add(
        node,
        "activation",
        [source],
        view.draft.hwc,
        {"activation": "sqrt" if reader is None else "inv_sqrt"},
        {} if not names else {"epsilon": _one(epsilon)},
        names=[*names, node.name or "", *([reader.name or ""] if reader is not None else [])],
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
    "Elu": elu,
    "Gelu": gelu,
    "HardSigmoid": hard_sigmoid,
    "HardSwish": hard_swish,
    "Swish": swish,
    "Clip": clip,
    "Softmax": softmax,
    "PRelu": prelu,
    "Sqrt": sqrt,
    "Reciprocal": reciprocal,
}
