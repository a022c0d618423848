"""`ew_add`, `ew_sub`, `ew_mult`, `feature_multiplier` and `normalization`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from tasnet.hailo.execute.context import Kernel, RunContext, layer_error, refuse
from tasnet.hailo.files import Layer


def ew_add(layer: Layer, inputs: Sequence[Tensor], context: RunContext) -> Tensor:
    """The sum of two tensors."""
    return torch.add(*_operands(layer, inputs))


def ew_sub(layer: Layer, inputs: Sequence[Tensor], context: RunContext) -> Tensor:
    """The first tensor less the second."""
    return torch.sub(*_operands(layer, inputs))


def ew_mult(layer: Layer, inputs: Sequence[Tensor], context: RunContext) -> Tensor:
    """The product of two tensors."""
    refuse(layer, {"is_softmax_mask": False})
    return torch.mul(*_operands(layer, inputs))


def feature_multiplier(layer: Layer, inputs: Sequence[Tensor], context: RunContext) -> Tensor:
    """The square."""
    refuse(layer, {"feature_multiplier_type": "square"})
    return inputs[0].square()


def normalization(layer: Layer, inputs: Sequence[Tensor], context: RunContext) -> Tensor:
    """[B, H, W, c] by a kernel [1, 1, c, 1], plus a bias [c]."""
    refuse(layer, {"elementwise_add": False})
    (x,) = inputs
    channels = x.shape[3]
    kernel, bias = context.array(layer, "kernel", 1, 1, channels, 1), context.array(layer, "bias", channels)
    return torch.addcmul(bias, x, kernel.reshape(channels))


def _operands(layer: Layer, inputs: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Both operands, each repeated as `input_repeats` ([[h, w, c], [h, w, c]]) says."""
    repeats = layer.params.get("input_repeats") or [[1, 1, 1]] * 2
    if len(repeats) != 2 or any(len(each) != 3 for each in repeats):
        raise layer_error(layer, f"input_repeats {repeats}: [h, w, c] twice are needed")
    left, right = (repeated(x, [int(v) for v in each]) for x, each in zip(inputs, repeats, strict=True))
    if left.shape != right.shape:
        raise layer_error(
            layer, f"its operands are {list(left.shape)} and {list(right.shape)}; translate the model again"
        )
    return left, right


def repeated(x: Tensor, times: Sequence[int]) -> Tensor:
    """[B, H, W, C] repeated `times` along H, W and C; takes no memory for an axis of size 1."""
    sizes = [n * t if n == 1 else n for n, t in zip(x.shape[1:], times, strict=True)]
    left = [1 if n == 1 else t for n, t in zip(x.shape[1:], times, strict=True)]
    x = x.expand(-1, *sizes)
    return x if left == [1, 1, 1] else x.repeat(1, *left)


KERNELS: Mapping[str, Kernel] = {
    "ew_add": ew_add,
    "ew_sub": ew_sub,
    "ew_mult": ew_mult,
    "feature_multiplier": feature_multiplier,
    "normalization": normalization,
}
