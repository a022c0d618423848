"""The normalizations of Conv-TasNet and what stands in for them, on rank-4 tensors in both layouts.

gamma and beta are [1, C, 1, 1]; `time` is the axis of time (3 horizontal, 2 vertical), channels are axis 1.
Variances are biased and eps is 1e-8, as in Asteroid. The ONNX nodes named are those of the legacy exporter.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EPS = 1e-8


def gln(x: Tensor, gamma: Tensor, beta: Tensor, time: int) -> Tensor:
    """Global norm: over channels and time, gamma and beta per channel (= GroupNorm(1, C, eps=1e-8)).

    ONNX: ReduceMean over time, ReduceMean over channels, Sub, Pow, the two ReduceMeans again, Add, Sqrt, Div,
    Mul, Add. Two means of one axis each, because the Hailo parser makes another layer of each; so split, the
    float error stays near 1e-6 of the peak from T=1600 to 64000 (measured against float64).
    """
    centred = x - x.mean(time, keepdim=True).mean(1, keepdim=True)
    variance = centred.pow(2).mean(time, keepdim=True).mean(1, keepdim=True)
    return centred / (variance + EPS).sqrt() * gamma + beta


def gln_pool(x: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor) -> Tensor:
    """`gln` with GlobalAveragePool over time and a 1x1 convolution by `mean` ([1, C, 1, 1] of 1/C).

    The same function, with the same float error.
    """
    centred = x - F.conv2d(F.adaptive_avg_pool2d(x, 1), mean)
    variance = F.conv2d(F.adaptive_avg_pool2d(centred.pow(2), 1), mean)
    return centred / (variance + EPS).sqrt() * gamma + beta


def cgln(x: Tensor, gamma: Tensor, beta: Tensor, time: int) -> Tensor:
    """Cumulative norm: over channels and all frames so far (Asteroid's cgLN, the paper's cLN). CumSum."""
    ones = torch.ones(x.shape[time], dtype=x.dtype)
    count = (ones.cumsum(0) * x.shape[1]).reshape([-1 if axis == time else 1 for axis in range(4)])
    mean = x.sum(1, keepdim=True).cumsum(time) / count
    variance = x.pow(2).sum(1, keepdim=True).cumsum(time) / count - mean.pow(2)
    return (x - mean) / (variance + EPS).sqrt() * gamma + beta


def cln(x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    """Per frame, over channels (Asteroid's cLN). ONNX: ReduceMean over channels."""
    return _over_one_axis(x, gamma, beta, 1)


def channel(x: Tensor, gamma: Tensor, beta: Tensor, time: int) -> Tensor:
    """Per channel, over time (Asteroid's fgLN). ONNX: ReduceMean over time."""
    return _over_one_axis(x, gamma, beta, time)


def affine(x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    """Gamma and beta alone: what is left of a norm whose statistics were taken to be 0 and 1."""
    return x * gamma + beta


def _over_one_axis(x: Tensor, gamma: Tensor, beta: Tensor, axis: int) -> Tensor:
    centred = x - x.mean(axis, keepdim=True)
    variance = centred.pow(2).mean(axis, keepdim=True)
    return centred / (variance + EPS).sqrt() * gamma + beta


class Norm(nn.Module):
    """One norm of a network, with its gamma and beta, [C] each. `kind` is a value of the axis `norm`."""

    def __init__(self, kind: str, gamma: Tensor, beta: Tensor, time: int) -> None:
        super().__init__()
        self.kind, self.time = kind, time
        self.register_buffer("gamma", gamma.reshape(1, -1, 1, 1))
        self.register_buffer("beta", beta.reshape(1, -1, 1, 1))
        if kind == "gln_pool":
            self.register_buffer("mean", torch.full((1, len(gamma), 1, 1), 1 / len(gamma)))

    gamma: Tensor
    beta: Tensor
    mean: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, ., .] -> the same shape."""
        gamma, beta = self.gamma, self.beta
        if self.kind == "gln":
            return gln(x, gamma, beta, self.time)
        if self.kind == "gln_pool":
            return gln_pool(x, gamma, beta, self.mean)
        if self.kind == "cgln":
            return cgln(x, gamma, beta, self.time)
        if self.kind == "cln":
            return cln(x, gamma, beta)
        if self.kind == "channel":
            return channel(x, gamma, beta, self.time)
        return affine(x, gamma, beta)
