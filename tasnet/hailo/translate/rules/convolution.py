"""Conv -> `conv` or `dw`; ConvTranspose -> `deconv`; Pad and padding that isn't 'same' -> `external_pad`."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir

from tasnet.hailo.translate.draft import Array, Draft, Drafting, constant, ints, nchw_labels, onnx_shape, require_nchw
from tasnet.hailo.translate.errors import NodeError

Pads = tuple[int, int, int, int]
"""top, bottom, left, right"""


def conv(drafting: Drafting, node: ir.Node) -> None:
    """Conv -> `conv`; with groups = cin = cout -> `dw`. Observed; groups between are not observed.

    A 'same' pad at stride 1, dilated or not, reads SAME_TENSORFLOW; no pad reads VALID; a symmetric half-kernel
    pad at a larger stride reads SAME (not observed). Any other pad becomes an `external_pad` (not observed).
    """
    view = drafting.view(node, 0)
    require_nchw(node, view)
    weight = _weight(node)
    cout, cin_group, kh, kw = weight.shape
    groups = node.attributes.get_int("group", 1)
    (sh, sw), (dh, dw_) = _pair(node, "strides"), _pair(node, "dilations")
    source = view.draft
    height, width, cin = source.hwc
    if cin_group * groups != cin:
        raise NodeError(node, f"weights for {cin_group * groups} channels on {cin}", "export the model again")
    pads = pads_of(node, (height, width), (kh, kw), (sh, sw), (dh, dw_))
    padding = _padding(pads, (kh, kw), (sh, sw), (dh, dw_))
    if padding is None:
        source = external_pad(drafting, node, source, pads)
        (height, width, _), padding = source.hwc, "VALID"
    span_h, span_w = dh * (kh - 1) + 1, dw_ * (kw - 1) + 1
    if padding == "VALID":
        out_h, out_w = (height - span_h) // sh + 1, (width - span_w) // sw + 1
    else:
        out_h, out_w = -(-height // sh), -(-width // sw)
    if out_h < 1 or out_w < 1:
        raise NodeError(node, f"a kernel of {span_h}x{span_w} on {height}x{width}", "give it a longer input")
    depthwise = groups == cin == cout and groups > 1
    kernel = weight.transpose(2, 3, 1, 0)
    if depthwise:
        kernel = kernel.transpose(0, 1, 3, 2)
    shape = (kh, kw, cin, 1 if depthwise else cout)
    params = _params(shape, (sh, sw), (dh, dw_), padding, 1 if depthwise else groups)
    kind = "dw" if depthwise else "conv"
    draft = drafting.add(node, kind, [source], (out_h, out_w, cout), params, _weights(node, kernel, cout))
    drafting.emit(node, draft, nchw_labels(draft))


def conv_transpose(drafting: Drafting, node: ir.Node) -> None:
    """ConvTranspose -> `deconv`, whose output is input * stride wide. Observed, with groups 1 and 2.

    The vendor's layer has no other length: PyTorch's kernel - stride samples more are gone. The kernel's shape
    names the full cin also where there are groups; its array is [kh, kw, cin / groups, cout] (not observed).
    """
    view = drafting.view(node, 0)
    require_nchw(node, view)
    weight = _weight(node)
    groups = node.attributes.get_int("group", 1)
    cin, cout_group, kh, kw = weight.shape
    cout = cout_group * groups
    (sh, sw), (dh, dw_) = _pair(node, "strides"), _pair(node, "dilations")
    height, width, channels = view.draft.hwc
    if cin != channels:
        raise NodeError(node, f"weights for {cin} channels on {channels}", "export the model again")
    # The vendor's layer has no pads and one length; which samples it keeps of a longer result isn't known.
    spans = (dh * (kh - 1) + 1, dw_ * (kw - 1) + 1)
    full = tuple((n - 1) * s + span for n, s, span in zip((height, width), (sh, sw), spans, strict=True))
    asked = ("pads", "output_padding", *(("output_shape",) if view.draft.shortened else ()))
    refused = [f"{name} {list(ints(node, name))}" for name in asked if any(ints(node, name))]
    if refused or (not view.draft.shortened and onnx_shape(node.outputs[0])[2:] != full):
        raise NodeError(
            node,
            " and ".join(refused) or f"cuts or pads its result to {list(onnx_shape(node.outputs[0])[2:])}",
            "write it without, and crop or pad the result on the host, or write its polyphase form",
        )
    kernel = weight.reshape(groups, cin // groups, cout_group, kh, kw).transpose(3, 4, 1, 0, 2)
    kernel = kernel.reshape(kh, kw, cin // groups, cout)
    params = _params((kh, kw, cin, cout), (sh, sw), (dh, dw_), "DECONV", groups)
    size = (height * sh, width * sw, cout)
    draft = drafting.add(node, "deconv", [view.draft], size, params, _weights(node, kernel, cout))
    draft.shortened |= full != size[:2]
    drafting.emit(node, draft, nchw_labels(draft))


def pad(drafting: Drafting, node: ir.Node) -> None:
    """Pad with zeros along H or W -> `external_pad` (params t, b, l, r; the layer is known, not observed here)."""
    view = drafting.view(node, 0)
    mode = node.attributes.get_string("mode", "constant")
    if mode != "constant":
        raise NodeError(node, f"mode {mode}", "pad with zeros, or on the host")
    amounts = constant(node, 1)
    flat = [int(v) for v in amounts.ravel()] if amounts is not None else list(ints(node, "pads"))
    filler = constant(node, 2)
    value = float(filler.ravel()[0]) if filler is not None and filler.size else node.attributes.get_float("value", 0.0)
    if value != 0.0:
        raise NodeError(node, f"pads with {value:g}", "pad with zeros")
    rank = len(view.labels)
    axes = constant(node, 3)
    axis_list = [int(a) % rank for a in axes.ravel()] if axes is not None else list(range(rank))
    sides: dict[str, tuple[int, int]] = {}
    for place, axis in enumerate(axis_list):
        before, after = flat[place], flat[place + len(axis_list)]
        if not before and not after:
            continue
        label = view.labels[axis]
        if label is None and rank == 4 and axis >= 2:
            require_nchw(node, view)
            label = "HW"[axis - 2]
        if label not in {"H", "W"}:
            raise NodeError(node, f"pads axis {axis}, which isn't height or width", "pad along time only")
        sides[label] = (before, after)
    top, bottom = sides.get("H", (0, 0))
    left, right = sides.get("W", (0, 0))
    if min(top, bottom, left, right) < 0:
        raise NodeError(node, "negative pads", "crop with a Slice")
    if not sides:
        drafting.emit(node, view.draft, view.labels)
        return
    draft = external_pad(drafting, node, view.draft, (top, bottom, left, right))
    if rank == 4:
        require_nchw(node, view)
    drafting.emit(node, draft, nchw_labels(draft) if rank == 4 else view.labels)


def _weight(node: ir.Node) -> Array:
    weight = constant(node, 1)
    if weight is None:
        raise NodeError(node, "its weights are computed by the graph", "export with the weights as constants")
    if weight.ndim != 4:
        raise NodeError(
            node,
            f"its weights are rank {weight.ndim}: the {weight.ndim - 2}D form is not supported",
            "write a Conv1d of kernel k as a Conv2d of kernel (1, k)",
        )
    return weight


def _weights(node: ir.Node, kernel: Array, cout: int) -> dict[str, Array]:
    bias = constant(node, 2)
    if bias is None and len(node.inputs) > 2 and node.inputs[2] is not None:
        raise NodeError(node, "its bias is computed by the graph", "export with the bias as a constant")
    flat = np.zeros(cout, np.float32) if bias is None else bias.astype(np.float32).ravel()
    return {
        "kernel": np.ascontiguousarray(kernel, np.float32),
        "bias": flat,
        "padding_const_value": np.zeros((), np.float32),
    }


def _pair(node: ir.Node, name: str) -> tuple[int, int]:
    values = ints(node, name, (1, 1))
    return values[0], values[1]


def pads_of(
    node: ir.Node,
    size: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
) -> Pads:
    """The pads of a convolution's or pool's window, whichever attribute gives them."""
    auto = node.attributes.get_string("auto_pad", "NOTSET")
    if auto in {"SAME_UPPER", "SAME_LOWER"}:
        sides: list[int] = []
        for n, k, s, d in zip(size, kernel, stride, dilation, strict=True):
            whole = max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0)
            small, large = whole // 2, whole - whole // 2
            sides += [small, large] if auto == "SAME_UPPER" else [large, small]
        return (sides[0], sides[1], sides[2], sides[3])
    if auto == "VALID":
        return (0, 0, 0, 0)
    first0, first1, last0, last1 = ints(node, "pads", (0, 0, 0, 0))
    return (first0, last0, first1, last1)


def _padding(pads: Pads, kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]) -> str | None:
    """The vendor's word for these pads, or None if there is none."""
    if not any(pads):
        return "VALID"
    spans = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    sides = ((pads[0], pads[1]), (pads[2], pads[3]))
    if all(side == (span // 2, span - span // 2) for side, span in zip(sides, spans, strict=True)):
        if stride == (1, 1):
            return "SAME_TENSORFLOW"
        if all(span % 2 == 0 for span in spans):
            return "SAME"
    return None


def external_pad(drafting: Drafting, node: ir.Node, source: Draft, pads: Pads) -> Draft:
    """Zeros around a layer's output, as a layer of their own (known, not observed here)."""
    top, bottom, left, right = pads
    height, width, channels = source.hwc
    size = (height + top + bottom, width + left + right, channels)
    return drafting.add(node, "external_pad", [source], size, {"t": top, "b": bottom, "l": left, "r": right})


def _params(
    kernel: tuple[int, int, int, int], stride: tuple[int, int], dilation: tuple[int, int], padding: str, groups: int
) -> dict[str, Any]:
    return {
        "kernel_shape": list(kernel),
        "strides": [1, *stride, 1],
        "dilations": [1, *dilation, 1],
        "padding": padding,
        "groups": groups,
        "layer_disparity": 1,
        "input_disparity": 1,
        "batch_norm": False,
        "elementwise_add": False,
        "activation": "linear",
    }


RULES = {"Conv": conv, "ConvTranspose": conv_transpose, "Pad": pad}
