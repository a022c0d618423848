"""`maxpool`, `avgpool`, `reduce_mean` and `reduce_max`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor
from torch.nn import functional as F

from tasnet.hailo.execute.errors import ExecuteError
from tasnet.hailo.execute.scope import Kernel, Scope, param, refuse
from tasnet.hailo.hn import Layer


def avgpool(layer: Layer, inputs: Sequence[Tensor], scope: Scope) -> Tensor:
    """The mean of every window [kh, kw]; padding VALID alone."""
    (x,) = inputs
    kernel, strides = _window(layer, x)
    if kernel == tuple(x.shape[1:3]):
        # torch's mean adds in a tree: its error doesn't grow with the length as a running sum's does
        return x.mean((1, 2), keepdim=True)
    return F.avg_pool2d(x.permute(0, 3, 1, 2), kernel, strides).permute(0, 2, 3, 1)


def maxpool(layer: Layer, inputs: Sequence[Tensor], scope: Scope) -> Tensor:
    """The largest of every window [kh, kw]; padding VALID alone."""
    (x,) = inputs
    kernel, strides = _window(layer, x)
    return F.max_pool2d(x.permute(0, 3, 1, 2), kernel, strides).permute(0, 2, 3, 1)


def reduce_mean(layer: Layer, inputs: Sequence[Tensor], scope: Scope) -> Tensor:
    """The mean over `reduce_axes` of NHWC, which stay as ones."""
    refuse(layer, {"groups": 1, "height_groups": 1})
    axes = [int(axis) for axis in param(layer, "reduce_axes")]
    if not axes or not set(axes) <= {1, 2, 3}:
        raise ExecuteError(f"layer {layer.name} (reduce_mean): reduce_axes {axes}: some of 1, 2 and 3 are needed")
    return inputs[0].mean(axes, keepdim=True)


def reduce_max(layer: Layer, inputs: Sequence[Tensor], scope: Scope) -> Tensor:
    """[B, H, W, groups * n] -> [B, H, W, groups]: the largest of each run of n neighbouring channels."""
    refuse(layer, {"reduce_axes": [3]})
    (x,) = inputs
    groups = int(layer.params.get("groups", 1))
    if groups < 1 or x.shape[3] % groups:
        raise ExecuteError(f"layer {layer.name} (reduce_max): {groups} groups don't divide {x.shape[3]} channels")
    return x.reshape(*x.shape[:3], groups, -1).amax(4)


def _window(layer: Layer, x: Tensor) -> tuple[tuple[int, int], tuple[int, int]]:
    """Kernel and strides of a pool."""
    refuse(layer, {"padding": "VALID"})
    _, kh, kw, _ = (int(v) for v in param(layer, "kernel_shape", 4))
    _, sh, sw, _ = (int(v) for v in param(layer, "strides", 4))
    if kh > x.shape[1] or kw > x.shape[2]:
        raise ExecuteError(f"layer {layer.name} ({layer.type}): a window of {kh}x{kw} on {x.shape[1]}x{x.shape[2]}")
    return (kh, kw), (sh, sw)


KERNELS: Mapping[str, Kernel] = {
    "avgpool": avgpool,
    "maxpool": maxpool,
    "reduce_mean": reduce_mean,
    "reduce_max": reduce_max,
}
