"""The activations that a layer ends with, by the names in `params.activation`."""

from __future__ import annotations

import torch
from torch import Tensor

from tasnet.hailo.execute.errors import ExecuteError
from tasnet.hailo.execute.scope import Scope
from tasnet.hailo.hn import Layer

_IN_PLACE = {
    "relu": torch.relu_,
    "sigmoid": torch.sigmoid_,
    "tanh": torch.tanh_,
    "sqrt": torch.Tensor.sqrt_,
    "inv": torch.Tensor.reciprocal_,
}
ACTIVATIONS = ("linear", "relu6", "leaky", "prelu", "inv_sqrt", *_IN_PLACE)

HOMOGENEOUS = frozenset({"linear", "relu", "leaky", "prelu"})
"""f(s x) = s f(x) for s > 0"""


def activate(layer: Layer, x: Tensor, scope: Scope, *, own: bool) -> Tensor:
    """The layer's activation of `x`; overwrites `x` where it is the layer's `own` memory.

    `leaky` reads `leaky_alpha` [1], `prelu` a slope per channel `prelu_slope` [C], `inv_sqrt` an `epsilon` [1]
    that is added first (0 if there is none): 1 / sqrt(x + epsilon).
    """
    name = str(layer.params.get("activation", "linear"))
    if name == "linear":
        return x
    if name not in ACTIVATIONS:
        raise ExecuteError(
            f"layer {layer.name} ({layer.type}): activation {name} can't be run; {', '.join(ACTIVATIONS)} can"
        )
    x = x if own else x.clone()
    if name == "relu6":
        return x.clamp_(0.0, 6.0)
    if name == "leaky":
        return torch.nn.functional.leaky_relu_(x, float(scope.array(layer, "leaky_alpha", 1)[0]))
    if name == "prelu":
        slope = scope.array(layer, "prelu_slope", x.shape[3])
        if bool((slope == slope[0]).all()) and float(slope[0]) >= 0:
            # one slope for all, as in Conv-TasNet: one pass over the memory instead of three
            return torch.nn.functional.leaky_relu_(x, float(slope[0]))
        return x.clamp(min=0).addcmul_(x.clamp_(max=0), slope)
    if name == "inv_sqrt":
        return x.add_(scope.number(layer, "epsilon", 0.0)).rsqrt_()
    return _IN_PLACE[name](x)
