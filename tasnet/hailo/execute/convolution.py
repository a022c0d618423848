"""`conv`, `dw`, `deconv`, `dense` and `external_pad`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from tasnet.hailo.execute.context import Kernel, RunContext, layer_error, param, refuse
from tasnet.hailo.files import Layer

Sides = tuple[int, int, int, int]
"""padding: top, bottom, left, right"""

_PLAIN = {"batch_norm": False, "elementwise_add": False}


def conv(layer: Layer, inputs: Sequence[Tensor], context: RunContext) -> Tensor:
    """[B, H, W, cin] by a kernel [kh, kw, cin / groups, cout], and a bias [cout]."""
    refuse(layer, _PLAIN)
    (x,) = inputs
    kh, kw, cin, cout = _kernel_shape(layer, x)
    groups = _groups(layer, cin, cout)
    kernel, bias = context.array(layer, "kernel", kh, kw, cin // groups, cout), context.array(layer, "bias", cout)
    strides, dilations = _pair(layer, "strides"), _pair(layer, "dilations")
    sides = padded_sides(layer, x, (kh, kw), strides, dilations)
    if kh == kw == groups == 1 and strides == (1, 1):
        return _pointwise(x.reshape(-1, cin), kernel[0, 0], bias).reshape(*x.shape[:3], cout)
    x = padded(x, sides, context.number(layer, "padding_const_value", 0.0))
    # NHWC memory seen as NCHW is torch's channels_last: the result comes back in the same order
    result = F.conv2d(x.permute(0, 3, 1, 2), kernel.permute(3, 2, 0, 1), bias, strides, 0, dilations, groups)
    return result.permute(0, 2, 3, 1)


def _pointwise(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """[n, cin] by [cin, cout] plus [cout]: most of a Conv-TasNet's time.

    oneDNN adds the bias while a tile is in the registers; BLAS writes the bias first, and reads it again. oneDNN would
    clip there too, but its ReLU turns NaN into 0, and a broken weight would never be seen.
    """
    if x.dtype is torch.float32 and _ONEDNN is not None:
        result: Tensor = _ONEDNN(x, kernel.t(), bias, "none", [], "")
        return result
    return torch.addmm(bias, x, kernel)


def _onednn() -> Any:
    """torch's own fused product, which has no public name; None where torch was built without it."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return None
    return getattr(torch.ops.mkldnn, "_linear_pointwise", None)


_ONEDNN = _onednn()


def dw(layer: Layer, inputs: Sequence[Tensor], context: RunContext) -> Tensor:
    """[B, H, W, c] by a kernel [kh, kw, c, 1], and a bias [c].

    The library's kernel where nothing is dilated; else, where it is three to seventy times slower, one
    multiplication and addition of whole rows per tap, on the positions that it reaches.
    """
    refuse(layer, _PLAIN)
    (x,) = inputs
    kh, kw, channels, _ = _kernel_shape(layer, x)
    kernel, bias = context.array(layer, "kernel", kh, kw, channels, 1), context.array(layer, "bias", channels)
    strides, dilations = _pair(layer, "strides"), _pair(layer, "dilations")
    sides = padded_sides(layer, x, (kh, kw), strides, dilations)
    if filler := context.number(layer, "padding_const_value", 0.0):
        x, sides = padded(x, sides, filler), (0, 0, 0, 0)
    if dilations == (1, 1) and sides[::2] == sides[1::2]:
        planes, taps4 = x.permute(0, 3, 1, 2), kernel.permute(2, 3, 0, 1)
        result = F.conv2d(planes, taps4, bias, strides, (sides[0], sides[2]), dilations, channels)
        return result.permute(0, 2, 3, 1)
    size = tuple(
        (n + sum(pads) - d * (k - 1) - 1) // s + 1
        for n, pads, d, k, s in zip(x.shape[1:3], (sides[:2], sides[2:]), dilations, (kh, kw), strides, strict=True)
    )
    taps = []
    for row in range(kh):
        for column in range(kw):
            rows = _reach(row * dilations[0] - sides[0], strides[0], x.shape[1], size[0])
            columns = _reach(column * dilations[1] - sides[2], strides[1], x.shape[2], size[1])
            taps.append((rows, columns, kernel[row, column, :, 0]))
    whole = (slice(0, size[0]), slice(0, size[1]))
    first = next((i for i, (rows, columns, _) in enumerate(taps) if (rows[0], columns[0]) == whole), None)
    if first is None:
        result = bias.expand(x.shape[0], *size, channels).clone()
    else:
        rows, columns, tap = taps.pop(first)
        result = torch.addcmul(bias, x[:, rows[1], columns[1]], tap)
    for rows, columns, tap in taps:
        result[:, rows[0], columns[0]].addcmul_(x[:, rows[1], columns[1]], tap)
    return result


def _reach(offset: int, stride: int, size: int, out: int) -> tuple[slice, slice]:
    """Output positions i whose input position i * stride + offset exists, and those input positions."""
    low = max(0, -(offset // stride))
    high = max(low, min(out, (size - 1 - offset) // stride + 1))
    start = low * stride + offset
    return slice(low, high), slice(start, max(start, start + (high - low - 1) * stride + 1), stride)


def deconv(layer: Layer, inputs: Sequence[Tensor], context: RunContext) -> Tensor:
    """[B, H, W, cin] by a kernel [kh, kw, cin / groups, cout], and a bias [cout]; length as `context.deconv` says."""
    refuse(layer, {**_PLAIN, "padding": "DECONV"})
    (x,) = inputs
    kh, kw, cin, cout = _kernel_shape(layer, x)
    groups = _groups(layer, cin, cout)
    kernel, bias = context.array(layer, "kernel", kh, kw, cin // groups, cout), context.array(layer, "bias", cout)
    (sh, sw), (dh, dw_) = _pair(layer, "strides"), _pair(layer, "dilations")
    batch, height, width, _ = x.shape
    full = (height - 1) * sh + dh * (kh - 1) + 1, (width - 1) * sw + dw_ * (kw - 1) + 1
    size = (max(full[0], height * sh), max(full[1], width * sw))
    result = bias.expand(batch, *size, cout).clone()
    each_in, each_out = cin // groups, cout // groups
    for group in range(groups):
        outs = slice(group * each_out, (group + 1) * each_out)
        taps = kernel[..., outs].permute(2, 0, 1, 3).reshape(each_in, -1)
        # every frame by every tap in one product, then one strided addition per tap
        planes = (x[..., group * each_in : (group + 1) * each_in].reshape(-1, each_in) @ taps).reshape(
            batch, height, width, kh, kw, each_out
        )
        for row in range(kh):
            for column in range(kw):
                rows = slice(row * dh, row * dh + (height - 1) * sh + 1, sh)
                columns = slice(column * dw_, column * dw_ + (width - 1) * sw + 1, sw)
                result[:, rows, columns, outs] += planes[:, :, :, row, column]
    if context.deconv == "onnx":
        return result[:, : full[0], : full[1]]
    top = max(full[0] - height * sh, 0) // 2 if context.deconv == "vendor_centred" else 0
    left = max(full[1] - width * sw, 0) // 2 if context.deconv == "vendor_centred" else 0
    return result[:, top : top + height * sh, left : left + width * sw]


def dense(layer: Layer, inputs: Sequence[Tensor], context: RunContext) -> Tensor:
    """[B, H, W, c] -> [B, 1, 1, cout] by a kernel [H * W * c, cout], rows in NHWC order, and a bias [cout]."""
    refuse(layer, {"batch_norm": False})
    (x,) = inputs
    rows, cout = (int(v) for v in param(layer, "kernel_shape", 2))
    if rows != x[0].numel():
        raise layer_error(layer, f"{rows} rows of weights on {x[0].numel()} features")
    kernel, bias = context.array(layer, "kernel", rows, cout), context.array(layer, "bias", cout)
    return torch.addmm(bias, x.reshape(x.shape[0], rows), kernel).reshape(-1, 1, 1, cout)


def external_pad(layer: Layer, inputs: Sequence[Tensor], context: RunContext) -> Tensor:
    """Zeros around: t and b rows, l and r columns."""
    top, bottom, left, right = (int(param(layer, side)) for side in "tblr")
    return padded(inputs[0], (top, bottom, left, right), 0.0)


def _kernel_shape(layer: Layer, x: Tensor) -> tuple[int, int, int, int]:
    kh, kw, cin, cout = (int(v) for v in param(layer, "kernel_shape", 4))
    if cin != x.shape[3]:
        raise layer_error(layer, f"a kernel for {cin} channels on {x.shape[3]}")
    return kh, kw, cin, cout


def _groups(layer: Layer, cin: int, cout: int) -> int:
    groups = int(layer.params.get("groups", 1))
    if groups < 1 or cin % groups or cout % groups:
        raise layer_error(layer, f"{groups} groups don't divide {cin} or {cout} channels")
    return groups


def _pair(layer: Layer, name: str) -> tuple[int, int]:
    _, along_h, along_w, _ = param(layer, name, 4)
    return int(along_h), int(along_w)


def padded_sides(
    layer: Layer, x: Tensor, kernel: tuple[int, int], strides: tuple[int, int], dilations: tuple[int, int]
) -> Sides:
    """The padding of the layer: top, bottom, left, right. Raises ExecuteError if the kernel doesn't fit."""
    padding = str(param(layer, "padding"))
    sides: list[int] = []
    for n, k, s, d in zip(x.shape[1:3], kernel, strides, dilations, strict=True):
        span = d * (k - 1) + 1
        if padding == "SAME_TENSORFLOW":
            total = max((-(-n // s) - 1) * s + span - n, 0)
            sides += [total // 2, total - total // 2]
        elif padding == "SAME":
            sides += [(span - 1) // 2] * 2
        elif padding == "VALID":
            sides += [0, 0]
        else:
            raise layer_error(layer, f"padding {padding} can't be run")
        if n + sides[-1] + sides[-2] < span:
            raise layer_error(layer, f"a kernel of {span} on {n} positions; give it a longer input")
    return sides[0], sides[1], sides[2], sides[3]


def padded(x: Tensor, sides: Sides, value: float) -> Tensor:
    """[B, H, W, C] with `value` around it."""
    top, bottom, left, right = sides
    return F.pad(x, (0, 0, left, right, top, bottom), value=value) if any(sides) else x


KERNELS: Mapping[str, Kernel] = {
    "conv": conv,
    "dw": dw,
    "deconv": deconv,
    "dense": dense,
    "external_pad": external_pad,
}
