"""`maxpool`, `avgpool`, `reduce_mean`, `reduce_max` and `softmax`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf

from torch import Tensor
from torch.nn import functional as F

from tasnet.hailo.execute.context import Kernel, RunContext, layer_error, param, refuse
from tasnet.hailo.execute.convolution import Sides, padded, padded_sides
from tasnet.hailo.files import Layer


def avgpool(layer: Layer, inputs: Sequence[Tensor], context: RunContext) -> Tensor:
    """The mean of every window [kh, kw]; positions of the padding count as zeros, or not at all."""
    (x,) = inputs
    kernel, strides, sides = _window(layer, x)
    if kernel == tuple(x.shape[1:3]) and not any(sides):
        # torch's mean adds in a tree: its error doesn't grow with the length as a running sum's does
        return x.mean((1, 2), keepdim=True)
    mean = F.avg_pool2d(padded(x, sides, 0.0).permute(0, 3, 1, 2), kernel, strides)
    if any(sides) and not layer.params.get("count_include_pad", True):
        ones = padded(x.new_ones(1, *x.shape[1:3], 1), sides, 0.0)
        mean = mean / F.avg_pool2d(ones.permute(0, 3, 1, 2), kernel, strides)
    return mean.permute(0, 2, 3, 1)


def maxpool(layer: Layer, inputs: Sequence[Tensor], context: RunContext) -> Tensor:
    """The largest of every window [kh, kw], the padding left out."""
    (x,) = inputs
    kernel, strides, sides = _window(layer, x)
    return F.max_pool2d(padded(x, sides, -inf).permute(0, 3, 1, 2), kernel, strides).permute(0, 2, 3, 1)


def softmax(layer: Layer, inputs: Sequence[Tensor], context: RunContext) -> Tensor:
    """Over the channels, at every position."""
    return inputs[0].softmax(3)


def reduce_mean(layer: Layer, inputs: Sequence[Tensor], context: RunContext) -> Tensor:
    """The mean over `reduce_axes` of NHWC, which stay as ones."""
    refuse(layer, {"groups": 1, "height_groups": 1})
    axes = [int(axis) for axis in param(layer, "reduce_axes")]
    if not axes or not set(axes) <= {1, 2, 3}:
        raise layer_error(layer, f"reduce_axes {axes}: some of 1, 2 and 3 are needed")
    return inputs[0].mean(axes, keepdim=True)


def reduce_max(layer: Layer, inputs: Sequence[Tensor], context: RunContext) -> Tensor:
    """[B, H, W, groups * n] -> [B, H, W, groups]: the largest of each run of n neighbouring channels."""
    refuse(layer, {"reduce_axes": [3]})
    (x,) = inputs
    groups = int(layer.params.get("groups", 1))
    if groups < 1 or x.shape[3] % groups:
        raise layer_error(layer, f"{groups} groups don't divide {x.shape[3]} channels")
    return x.reshape(*x.shape[:3], groups, -1).amax(4)


def _window(layer: Layer, x: Tensor) -> tuple[tuple[int, int], tuple[int, int], Sides]:
    """Kernel, strides and padding (top, bottom, left, right) of a pool."""
    _, kh, kw, _ = (int(v) for v in param(layer, "kernel_shape", 4))
    _, sh, sw, _ = (int(v) for v in param(layer, "strides", 4))
    return (kh, kw), (sh, sw), padded_sides(layer, x, (kh, kw), (sh, sw), (1, 1))


KERNELS: Mapping[str, Kernel] = {
    "avgpool": avgpool,
    "maxpool": maxpool,
    "reduce_mean": reduce_mean,
    "reduce_max": reduce_max,
    "softmax": softmax,
}
