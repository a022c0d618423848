"""Add, Sub, Mul, Div, Neg, Pow: two tensors -> `ew_*` with its broadcasts, a constant -> `normalization`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from tasnet.hailo.translate.draft import Array, Draft, Drafting, Label, View, axes_text, constant
from tasnet.hailo.translate.errors import NodeError
from tasnet.hailo.translate.rules.gate import gated

EW_PARAMS: dict[str, dict[str, Any]] = {
    "ew_add": {"activation": "linear"},
    "ew_sub": {"activation": "linear"},
    "ew_mult": {"activation": "linear", "is_softmax_mask": False, "ew_mult_type": "on_apu"},
}


def add(drafting: Drafting, node: ir.Node) -> None:
    """Add of two tensors -> `ew_add`; of a constant -> joins the Mul before it as one `normalization` (observed).

    One zero, on either side, leaves no layer and no name (observed: a sum that starts at 0.0). `x - 0`, `x * 1` and
    `x / 1` were not seen: they keep their layer, so that no number after it rests on a guess.
    """
    tensor, other = _operands(drafting, node)
    if other is None:
        _elementwise(drafting, node, "ew_add")
    elif other.size == 1 and not other.any():
        view = drafting.view(node, tensor)
        drafting.emit(node, view.draft, (None,) * (other.ndim - len(view.labels)) + view.labels)
    else:
        _shift(drafting, node, tensor, other, 1.0)


def sub(drafting: Drafting, node: ir.Node) -> None:
    """Sub of two tensors -> `ew_sub` (observed); of a constant -> `normalization`."""
    tensor, other = _operands(drafting, node)
    if other is None:
        _elementwise(drafting, node, "ew_sub")
    elif tensor == 0:
        _shift(drafting, node, tensor, -other, 1.0)
    else:
        _shift(drafting, node, tensor, other, -1.0)


def mul(drafting: Drafting, node: ir.Node) -> None:
    """Mul of two tensors -> `ew_mult` (observed), or an activation where one is the other's gate (`gate.py`).

    By a constant per channel -> `normalization`, stem mul_and_add (observed).
    """
    tensor, other = _operands(drafting, node)
    if other is not None:
        _scale(drafting, node, tensor, other)
    elif node.inputs[0] is node.inputs[1]:
        _square(drafting, node)
    elif not gated(drafting, node):
        _elementwise(drafting, node, "ew_mult")


def div(drafting: Drafting, node: ir.Node) -> None:
    """Div by a constant -> as Mul; by a tensor -> a product with its inverse (observed for Sqrt: inv_sqrt)."""
    tensor, other = _operands(drafting, node)
    if other is not None:
        if tensor == 1:
            raise NodeError(node, "divides a constant by a tensor", "write Reciprocal, then Mul")
        if not np.all(other):
            raise NodeError(node, "divides by a constant that holds zeros", "add an epsilon to it")
        _scale(drafting, node, tensor, 1.0 / other)
        return
    right = drafting.view(node, 1)
    if right.draft.params.get("activation") == "inv_sqrt" and (node.name or "") in right.draft.names:
        _elementwise(drafting, node, "ew_mult")
        return
    inverse = drafting.add(node, "activation", [right.draft], right.draft.hwc, {"activation": "inv"})
    _elementwise(drafting, node, "ew_mult", (drafting.view(node, 0), View(inverse, right.labels)))


def neg(drafting: Drafting, node: ir.Node) -> None:
    """Neg -> `normalization` by -1 (observed inside Min)."""
    _scale(drafting, node, 0, np.asarray(-1.0, np.float32))


def power(drafting: Drafting, node: ir.Node) -> None:
    """Pow 2 -> `feature_multiplier` square (observed); 1 -> nothing; others decline."""
    exponent = constant(node, 1)
    if exponent is None or exponent.size != 1:
        raise NodeError(node, "its exponent is not one constant", "write Pow 2 or a Mul")
    value = float(exponent.ravel()[0])
    if value == 2.0:
        _square(drafting, node)
    elif value == 1.0:
        view = drafting.view(node, 0)
        drafting.emit(node, view.draft, view.labels)
    else:
        raise NodeError(node, f"exponent {value:g}", "only Pow 2 has a layer; write Sqrt, Reciprocal or Mul")


def batch_normalization(drafting: Drafting, node: ir.Node) -> None:
    """BatchNormalization with constant statistics -> `normalization` (not observed as one node)."""
    gamma, beta, mean, variance = (constant(node, i) for i in range(1, 5))
    if gamma is None or beta is None or mean is None or variance is None:
        raise NodeError(node, "its statistics are not constants", "export in eval mode")
    scale = gamma / np.sqrt(variance + node.attributes.get_float("epsilon", 1e-5))
    view = drafting.view(node, 0)
    shape = (-1, *(1,) * (len(view.labels) - 2))
    factor = channel_vector(scale.reshape(shape), view)
    shift = channel_vector((beta - mean * scale).reshape(shape), view)
    if factor is None or shift is None or len(node.outputs) > 1:
        raise NodeError(
            node, "trains, or its channels are not on axis 1", "export in eval mode, as [batch, channels, …]"
        )
    drafting.emit(node, normalization(drafting, node, view.draft, factor, shift), view.labels)


def channel_vector(value: npt.NDArray[Any], view: View) -> Array | None:
    """A constant operand as one float per channel, or None if it varies along time or another axis."""
    rank = len(view.labels)
    padded = value.reshape((1,) * (rank - value.ndim) + value.shape) if value.ndim <= rank else value
    if padded.ndim > rank:
        return None
    channels = view.draft.size("C")
    for size, label in zip(padded.shape, view.labels, strict=True):
        if size != 1 and label != "C":
            return None
    flat = padded.astype(np.float32).ravel()
    return np.full(channels, flat[0], np.float32) if flat.size == 1 else flat


def affine_constants(draft: Draft | None) -> tuple[float, float] | None:
    """(scale, shift) of a `normalization` that has the same for each channel, else None."""
    if draft is None or draft.type != "normalization" or draft.params.get("activation") != "linear":
        return None
    kernel, bias = draft.weights["kernel"], draft.weights["bias"]
    if np.ptp(kernel) or np.ptp(bias):
        return None
    return float(kernel.ravel()[0]), float(bias[0])


def normalization(
    drafting: Drafting,
    node: ir.Node,
    source: Draft,
    scale: npt.ArrayLike,
    shift: npt.ArrayLike = 0.0,
    *,
    stem: str = "normalization",
) -> Draft:
    """A `normalization`: source * scale + shift, each one number or one per channel. By -1 it is observed in a Min."""
    channels = source.size("C")
    kernel, bias = (np.array(np.broadcast_to(each, channels), np.float32) for each in (scale, shift))
    params = {"elementwise_add": False, "activation": "linear"}
    weights = {"kernel": kernel.reshape(1, 1, channels, 1), "bias": bias}
    return drafting.add(node, "normalization", [source], source.hwc, params, weights, stem=stem)


def square(drafting: Drafting, node: ir.Node, source: Draft) -> Draft:
    """A `feature_multiplier` that squares (observed)."""
    params = {"activation": "linear", "feature_multiplier_type": "square", "ew_mult_type": "on_apu"}
    return drafting.add(node, "feature_multiplier", [source], source.hwc, params, stem="square")


def const_input(
    drafting: Drafting,
    node: ir.Node,
    value: npt.NDArray[Any],
    labels: tuple[Label, ...],
    size: tuple[int, int, int],
) -> Draft:
    """A constant tensor operand as a `const_input` (observed with input_tiles [[1, 1, 1]]).

    `size` is (H, W, C) of what it meets. A smaller constant is kept small and tiled (tiles: not observed).
    """
    padded = value.reshape((1,) * (len(labels) - value.ndim) + value.shape).astype(np.float32)
    hwc = {"H": 1, "W": 1, "C": 1}
    for axis, (length, label) in enumerate(zip(padded.shape, labels, strict=True)):
        if length != 1 and label not in hwc:
            raise NodeError(node, f"a constant of {length} along ONNX axis {axis}", "broadcast it along H, W or C")
        if label in hwc:
            hwc[label] = length
    own = (hwc["H"], hwc["W"], hwc["C"])
    tiles = [whole // part for whole, part in zip(size, own, strict=True)]
    if [part * tile for part, tile in zip(own, tiles, strict=True)] != list(size):
        raise NodeError(node, f"a constant of {own} meets a tensor of {size} (H, W, C)", "give it that shape")
    present = [label for label in labels if label in hwc]
    data = padded.reshape([hwc[label] for label in present])
    order = [present.index(label) for label in ("H", "W", "C") if label in present]
    weights = {"const_data": np.ascontiguousarray(data.transpose(order).reshape(own))}
    names = [f"{node.name}_input"]
    return drafting.add(node, "const_input", [], size, {"input_tiles": [tiles]}, weights, names=names)


def _operands(drafting: Drafting, node: ir.Node) -> tuple[int, npt.NDArray[Any] | None]:
    """(index of the tensor operand, the constant operand), or (0, None) where both are tensors."""
    if drafting.is_tensor(node, 0) and drafting.is_tensor(node, 1):
        return 0, None
    index = 0 if drafting.is_tensor(node, 0) else 1
    other = constant(node, 1 - index)
    if other is None:
        raise NodeError(node, "an operand is missing", "export the model again")
    return index, other


def _square(drafting: Drafting, node: ir.Node) -> None:
    view = drafting.view(node, 0)
    drafting.emit(node, square(drafting, node, view.draft), view.labels)


def _scale(drafting: Drafting, node: ir.Node, tensor: int, value: npt.NDArray[Any]) -> None:
    view = drafting.view(node, tensor)
    vector = channel_vector(value, view)
    if vector is None:
        _elementwise(drafting, node, "ew_mult", _with_constant(drafting, node, tensor, value))
        return
    drafting.emit(node, normalization(drafting, node, view.draft, vector, stem="mul_and_add"), view.labels)


def _shift(drafting: Drafting, node: ir.Node, tensor: int, value: npt.NDArray[Any], sign: float) -> None:
    """sign * x + value."""
    view = drafting.view(node, tensor)
    vector = channel_vector(value, view)
    if vector is None:
        if sign < 0:
            raise NodeError(node, "subtracts a tensor from a constant along time", "write Neg, then Add")
        _elementwise(drafting, node, "ew_add", _with_constant(drafting, node, tensor, value))
        return
    before = drafting.fuse(node, tensor)
    # Mul then Add, each by a constant per channel, are one layer that carries both names.
    if sign > 0 and before is not None and before.stem == "mul_and_add" and before.params["activation"] == "linear":
        before.stem = "normalization"
        before.weights["bias"] = vector
        before.names.append(node.name or "")
        drafting.emit(node, before, view.labels)
        return
    drafting.emit(node, normalization(drafting, node, view.draft, sign, vector), view.labels)


def _with_constant(drafting: Drafting, node: ir.Node, tensor: int, value: npt.NDArray[Any]) -> tuple[View, View]:
    view = drafting.view(node, tensor)
    if value.ndim > len(view.labels):
        raise NodeError(node, f"a constant of rank {value.ndim} on rank {len(view.labels)}", "drop its leading ones")
    made = View(const_input(drafting, node, value, view.labels, view.draft.hwc), view.labels)
    return (view, made) if tensor == 0 else (made, view)


def _elementwise(drafting: Drafting, node: ir.Node, kind: str, views: tuple[View, View] | None = None) -> None:
    """Two tensors -> one `ew_*`; an operand narrower along time goes through a `resize` (observed)."""
    left, right = views or (drafting.view(node, 0), drafting.view(node, 1))
    labels = _merge(node, left.labels, right.labels)
    size = {label: max(left.draft.size(label), right.draft.size(label)) for label in ("H", "W", "C")}
    repeats: list[list[int]] = []
    inputs: list[Draft] = []
    for view in (left, right):
        draft = view.draft
        for label in ("H", "W", "C"):
            if draft.size(label) not in {1, size[label]}:
                raise NodeError(
                    node,
                    f"its operands are {left.draft.shape[1:]} and {right.draft.shape[1:]} (H, W, C)",
                    "give them one size (a ConvTranspose is input * stride wide here)",
                )
        repeats.append([1, 1, size["C"] // draft.size("C")])
        inputs.append(stretch(drafting, node, draft, size["H"], size["W"]))
    params = dict(EW_PARAMS[kind])
    if repeats != [[1, 1, 1], [1, 1, 1]]:
        params["input_repeats"] = repeats
    draft = drafting.add(node, kind, inputs, (size["H"], size["W"], size["C"]), params)
    drafting.emit(node, draft, labels)


def stretch(drafting: Drafting, node: ir.Node, draft: Draft, height: int, width: int) -> Draft:
    """`draft` broadcast along H and W by a nearest-neighbour `resize` (observed), or itself if it fits."""
    own_h, own_w, channels = draft.hwc
    if (own_h, own_w) == (height, width):
        return draft
    return resize(drafting, node, draft, (height, width, channels), (float(height // own_h), float(width // own_w)))


def resize(
    drafting: Drafting,
    node: ir.Node,
    source: Draft,
    hwc: tuple[int, int, int],
    ratios: tuple[float, float],
    method: str = "nearest_neighbor",
    pixels_mode: str = "disabled",
) -> Draft:
    """A `resize` to (H, W, C) by these ratios along H and W."""
    params = {
        "resize_h_ratio_list": [ratios[0]],
        "resize_w_ratio_list": [ratios[1]],
        "resize_f_ratio_list": [1.0],
        "method": method,
        "resize_bilinear_pixels_mode": pixels_mode,
    }
    return drafting.add(node, "resize", [source], hwc, params)


def _merge(node: ir.Node, left: tuple[Label, ...], right: tuple[Label, ...]) -> tuple[Label, ...]:
    """The labels of a broadcast of two operands; a NodeError where their axes lie crosswise."""
    rank = max(len(left), len(right))
    a = (None,) * (rank - len(left)) + left
    b = (None,) * (rank - len(right)) + right
    merged = tuple(x if x is not None else y for x, y in zip(a, b, strict=True))
    clash = any(x is not None and y is not None and x != y for x, y in zip(a, b, strict=True))
    used = [label for label in merged if label is not None]
    if clash or len(used) != len(set(used)):
        raise NodeError(
            node,
            f"its operands' axes lie as {axes_text(left)} and {axes_text(right)}",
            "give both the layout [batch, channels, 1, time]",
        )
    return merged


RULES = {
    "Add": add,
    "Sub": sub,
    "Mul": mul,
    "Div": div,
    "Neg": neg,
    "Pow": power,
    "BatchNormalization": batch_normalization,
}
