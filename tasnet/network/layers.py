"""Layers of Conv-TasNet beside its norms, in rank-4 form: convolutions along time in both layouts, PReLU, padding."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tasnet.network import rewrites


class Conv(nn.Module):
    """A convolution along time, stride 1 unless said. `weight` is Conv1d's, [out, in / groups, kernel]."""

    weight: Tensor
    bias: Tensor | None

    def __init__(
        self,
        layout: str,
        weight: Tensor,
        bias: Tensor | None = None,
        *,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        groups: int = 1,
    ) -> None:
        super().__init__()
        self.register_buffer("weight", rewrites.to_rank4(weight, layout))
        self.register_buffer("bias", bias)
        self.stride = rewrites.along_time(layout, stride, 1)
        self.padding = rewrites.along_time(layout, padding, 0)
        self.dilation = rewrites.along_time(layout, dilation, 1)
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class LeftPad(nn.Module):
    """Zeros before the first frame, as many as a causal convolution looks back. ONNX: Pad."""

    def __init__(self, layout: str, frames: int) -> None:
        super().__init__()
        self.before = rewrites.along_time(layout, frames, 0)

    def forward(self, x: Tensor) -> Tensor:
        if torch.onnx.is_in_onnx_export():
            return _PadNode.apply(x, self.before)  # type: ignore[no-any-return, no-untyped-call]
        return _padded(x, self.before)


def _padded(x: Tensor, before: tuple[int, int]) -> Tensor:
    return F.pad(x, (before[1], 0, before[0], 0))


class _PadNode(torch.autograd.Function):
    """Writes one Pad: the exporter's own computes its amounts in the graph, where no shape is known behind them."""

    @staticmethod
    def forward(_: Any, x: Tensor, before: tuple[int, int]) -> Tensor:
        return _padded(x, before)

    @staticmethod
    def symbolic(graph: Any, x: Any, before: tuple[int, int]) -> Any:
        return graph.op("Pad", x, graph.op("Constant", value_t=torch.tensor([0, 0, *before, 0, 0, 0, 0])))


class Deconv(nn.Module):
    """A transposed convolution along time, no bias. `weight` is ConvTranspose1d's: [in, out / groups, k]."""

    weight: Tensor

    def __init__(self, layout: str, weight: Tensor, stride: int, groups: int = 1) -> None:
        super().__init__()
        self.register_buffer("weight", rewrites.to_rank4(weight, layout))
        self.stride = rewrites.along_time(layout, stride, 1)
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        return F.conv_transpose2d(x, self.weight, None, self.stride, groups=self.groups)


class PRelu(nn.Module):
    """PReLU with one slope for the layer, [1]. ONNX: PRelu."""

    weight: Tensor

    def __init__(self, slope: Tensor) -> None:
        super().__init__()
        self.register_buffer("weight", slope)

    def forward(self, x: Tensor) -> Tensor:
        return F.prelu(x, self.weight)


class MaxMinPRelu(nn.Module):
    """PReLU as max(0, x) + slope * min(0, x), with the zeros as a tensor [1, C, 1, 1]. Exact.

    ONNX: Max and Min with the constant as first operand, Mul, Add: how the notes' exporter wrote PReLU.
    """

    weight: Tensor
    zero: Tensor

    def __init__(self, slope: Tensor, channels: int) -> None:
        super().__init__()
        self.register_buffer("weight", slope.reshape(1, 1, 1, 1))
        self.register_buffer("zero", torch.zeros(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.maximum(self.zero, x) + self.weight * torch.minimum(self.zero, x)
