"""The same layers with gradients that cost less on a CPU, and a batch shared by threads: a step takes less than half.

The gradients of a PReLU's slope and of a depthwise kernel are sums over everything that went through. torch writes the
terms of such a sum out before it adds them up; and gLN, written as the chip needs it, keeps five tensors of the size
of its input. Here are the same functions and the same gradients, up to the order of the sums.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tasnet.network.layers import Conv, PRelu
from tasnet.network.norms import EPS, Norm

THREADS = 2
"""that share the mixtures of a step, each through the whole network: they wait for each other once a step"""


def gradient(
    pool: Executor,
    loss: Callable[[Tensor], Tensor],
    weights: Sequence[Tensor],
    sources: npt.NDArray[np.float32],
) -> tuple[float, list[Tensor | None]]:
    """The sum of `loss` [M] over `sources` [M, ...], divided by M, and its gradient; None where it has no part in it.

    The batch is always parted in the same way and the parts are added in order: equal inputs, equal results.
    """

    def part(rows: npt.NDArray[np.float32]) -> tuple[Tensor, tuple[Tensor | None, ...]]:
        lost = loss(torch.from_numpy(rows)).sum() / len(sources)
        return lost.detach(), torch.autograd.grad(lost, weights, allow_unused=True)

    parts = list(pool.map(part, np.array_split(sources, min(THREADS, len(sources)))))
    summed: list[Tensor | None] = []
    for each in zip(*(found for _, found in parts), strict=True):
        terms = [tensor for tensor in each if tensor is not None]
        summed.append(sum(terms[1:], terms[0]) if terms else None)
    return sum(lost.item() for lost, _ in parts), summed


def quicken(network: nn.Module) -> nn.Module:
    """`network` itself, its PReLUs, gLNs and depthwise convolutions along time replaced by those of this module."""
    for module in network.modules():
        forward: Any = None
        if isinstance(module, PRelu):
            forward = partial(_prelu, module.weight)
        elif isinstance(module, Norm) and module.kind in ("gln", "gln_pool"):
            forward = partial(_gln, module.gamma.reshape(-1), module.beta.reshape(-1))
        elif isinstance(module, Conv) and module.weight.shape[1:] == (1, 1, 3) and module.groups > 1:
            forward = partial(_depthwise, module.weight.reshape(-1, 3), module.bias, module.dilation[1])
        if forward:
            module.forward = forward
    return network


def _prelu(slope: Tensor, x: Tensor) -> Tensor:
    return _Prelu.apply(x, slope)


def _gln(gamma: Tensor, beta: Tensor, x: Tensor) -> Tensor:
    return F.group_norm(x, 1, gamma, beta, EPS)


def _depthwise(weight: Tensor, bias: Tensor, dilation: int, x: Tensor) -> Tensor:
    return _Depthwise.apply(x, weight, bias, dilation)


class _Prelu(torch.autograd.Function):
    """x where x > 0, else slope * x; slope [1]."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, slope: Tensor) -> Tensor:
        ctx.save_for_backward(x, slope)
        return F.leaky_relu(x, slope.item())

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        x, slope = ctx.saved_tensors
        of_slope = torch.dot(grad.flatten(), x.clamp(max=0).flatten()).reshape(1)
        return torch.ops.aten.leaky_relu_backward(grad, x, slope.item(), False), of_slope


class _Depthwise(torch.autograd.Function):
    """x [M, C, 1, T], weight [C, 3], bias [C] -> [M, C, 1, T]: three taps, `dilation` apart, zeros around x."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, dilation: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.dilation = dilation
        return _taps(x, weight, dilation, bias)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        (x, weight), dilation = ctx.saved_tensors, ctx.dilation
        products = (
            x[..., :-dilation] * grad[..., dilation:],
            x * grad,
            x[..., dilation:] * grad[..., :-dilation],
        )
        of_weight = torch.stack([product.sum((0, 2, 3)) for product in products], 1)
        return _taps(grad, weight.flip(1), dilation), of_weight, grad.sum((0, 2, 3)), None


def _taps(x: Tensor, weight: Tensor, dilation: int, bias: Tensor | None = None) -> Tensor:
    first, middle, last = (column[:, None, None] for column in weight.unbind(1))
    made = x * middle if bias is None else torch.addcmul(bias[:, None, None], x, middle)
    made[..., dilation:].addcmul_(x[..., :-dilation], first)
    made[..., :-dilation].addcmul_(x[..., dilation:], last)
    return made
