"""The activations that a layer ends with, by the names in `params.activation`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf

import torch
from torch import Tensor
from torch.nn import functional as F

from tasnet.hailo.execute.context import RunContext, layer_error
from tasnet.hailo.files import Layer

_IN_PLACE = {
    "relu": torch.relu_,
    "sigmoid": torch.sigmoid_,
    "tanh": torch.tanh_,
    "sqrt": torch.Tensor.sqrt_,
    "inv": torch.Tensor.reciprocal_,
}
_NEW: Mapping[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "silu": F.silu,
    "hardswish": F.hardswish,
}
ACTIVATIONS = (
    *("linear", "relu6", "leaky", "prelu", "inv_sqrt", "elu", "hardsigmoid", "clip"),
    *_IN_PLACE,
    *_NEW,
)


def activate(layer: Layer, x: Tensor, context: RunContext, *, own: bool) -> Tensor:
    """The layer's activation of `x`; overwrites `x` where it is the layer's `own` memory.

    `leaky` reads `leaky_alpha` [1], `elu` `elu_alpha` [1], `hardsigmoid` its `_alpha` and `_beta` [1], which give
    max(0, min(1, alpha x + beta)), `clip` its `_min` and `_max` [1], where it has any, `prelu` a slope per channel
    `prelu_slope` [C], `inv_sqrt` an `epsilon` [1] that is added first (0 if there is none): 1 / sqrt(x + epsilon).
    """
    name = str(layer.params.get("activation", "linear"))
    if name == "linear":
        return x
    if name not in ACTIVATIONS:
        raise layer_error(layer, f"activation {name} can't be run; {', '.join(ACTIVATIONS)} can")
    if name in _NEW:
        return _NEW[name](x)
    x = x if own else x.clone()
    if name == "elu":
        return F.elu_(x, float(context.array(layer, "elu_alpha", 1)[0]))
    if name == "hardsigmoid":
        by, plus = (float(context.array(layer, f"hardsigmoid_{each}", 1)[0]) for each in ("alpha", "beta"))
        return x.mul_(by).add_(plus).clamp_(0.0, 1.0)
    if name == "clip":
        return x.clamp_(context.number(layer, "clip_min", -inf), context.number(layer, "clip_max", inf))
    if name == "relu6":
        return x.clamp_(0.0, 6.0)
    if name == "leaky":
        return F.leaky_relu_(x, float(context.array(layer, "leaky_alpha", 1)[0]))
    if name == "prelu":
        slope = context.array(layer, "prelu_slope", x.shape[3])
        if bool((slope == slope[0]).all()) and float(slope[0]) >= 0:
            # one slope for all, as in Conv-TasNet: one pass over the memory instead of three
            return F.leaky_relu_(x, float(slope[0]))
        return x.clamp(min=0).addcmul_(x.clamp_(max=0), slope)
    if name == "inv_sqrt":
        return x.add_(context.number(layer, "epsilon", 0.0)).rsqrt_()
    return _IN_PLACE[name](x)
