"""What the host computes of a network, on arrays [C, frames]. numpy and nothing else.

Weights are under Asteroid's names. Every function is the whole network's own layer at any length, and keeps the
precision it is given (float32, or float64 for a reference); statistics are summed in float64.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

Array = Any
Weights = Mapping[str, Array]

EPS = 1e-8
"""of every norm, as in Asteroid"""


def frames_of(wave: Array, length: int) -> Array:
    """[T] -> [L, frames]: each frame's samples, half of them the next one's too. A view. Samples past the last whole
    frame are left out."""
    return np.lib.stride_tricks.sliding_window_view(wave, length)[:: length // 2].T


def overlapped(frames: Array) -> Array:
    """[L, frames] -> [(frames + 1) * L/2]: each frame's samples added where they lie."""
    half, count = len(frames) // 2, frames.shape[1]
    wave = np.zeros((count + 1, half), frames.dtype)
    wave[:-1] += frames[:half].T
    wave[1:] += frames[half:].T
    return wave.reshape(-1)


def encoded(weights: Weights, frames: Array) -> Array:
    """[L, frames] -> [N, frames]."""
    return weights["encoder.filterbank._filters"][:, 0] @ np.ascontiguousarray(frames)


def decoded(weights: Weights, masked: Array) -> Array:
    """[N, frames] -> [L, frames], to be overlapped."""
    return weights["decoder.filterbank._filters"][:, 0].T @ masked


def conv1x1(weights: Weights, name: str, x: Array) -> Array:
    """A 1x1 convolution with its bias."""
    made = weights[f"{name}.weight"][:, :, 0] @ x
    made += weights[f"{name}.bias"][:, None]
    return made


def depthwise(weights: Weights, name: str, x: Array, dilation: int) -> Array:
    """Each channel's own taps, zeros outside."""
    taps = weights[f"{name}.weight"][:, 0]
    made = np.empty_like(x)
    made[:] = weights[f"{name}.bias"][:, None]
    frames, middle = x.shape[1], taps.shape[1] // 2
    for tap in range(taps.shape[1]):
        shift = (tap - middle) * dilation
        if abs(shift) >= frames:
            continue
        low, high = max(0, -shift), frames - max(0, shift)
        made[:, low:high] += taps[:, tap, None] * x[:, low + shift : high + shift]
    return made


def activated(weights: Weights, name: str, x: Array, activation: str) -> Array:
    """ReLU, or the PReLU of that name."""
    if activation == "relu":
        return np.maximum(x, 0)
    return np.maximum(x, 0) + weights[f"{name}.weight"] * np.minimum(x, 0)


def masked_by(x: Array, activation: str) -> Array:
    """The masks' own activation."""
    if activation == "relu":
        return np.maximum(x, 0)
    # In two halves, so that neither overflows.
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small)).astype(x.dtype)


def normed(weights: Weights, name: str, x: Array, norm: str) -> Array:
    """Any norm of the axis `norm`, over all the frames that are given."""
    if norm == "identity":
        return x
    gamma, beta = weights[f"{name}.gamma"][:, None], weights[f"{name}.beta"][:, None]
    if norm == "affine":
        return x * gamma + beta
    if norm == "gln":
        scale, mean = gln_scalars(x.mean(dtype=np.float64), np.einsum("cf,cf->", x, x, dtype=np.float64) / x.size)
        return (x - x.dtype.type(mean)) * (gamma * x.dtype.type(scale)) + beta
    if norm == "cgln":
        return cumulative(x, gamma, beta)
    axis = {"cln": 0, "channel": 1}[norm]
    centred = x - x.mean(axis, keepdims=True)
    variance = np.square(centred).mean(axis, keepdims=True)
    return centred / np.sqrt(variance + EPS) * gamma + beta


def gln_scalars(mean: float, square: float) -> tuple[float, float]:
    """The mean of all values and of their squares -> the norm's scale 1 / sqrt(variance + eps), and its mean."""
    return float(1 / np.sqrt(max(square - mean * mean, 0.0) + EPS)), float(mean)


def cumulative(x: Array, gamma: Array, beta: Array) -> Array:
    """Over channels and all frames so far (Asteroid's cgLN)."""
    count = len(x) * np.arange(1, x.shape[1] + 1, dtype=np.float64)
    mean = np.cumsum(x.sum(0, dtype=np.float64)) / count
    variance = np.cumsum(np.square(x, dtype=np.float64).sum(0)) / count - mean**2
    scale = 1 / np.sqrt(np.maximum(variance, 0) + EPS)
    return (x - mean.astype(x.dtype)) * scale.astype(x.dtype) * gamma + beta


def block(weights: Weights, index: int, x: Array, dilation: int, norm: str, activation: str, *, res: bool) -> Any:
    """One TCN block: the stream -> the stream after it (or before it, without `res`), and its skip."""
    name = f"masker.TCN.{index}"
    hidden = conv1x1(weights, f"{name}.shared_block.0", x)
    hidden = between(weights, index, hidden, dilation, norm, activation)
    stream = x + conv1x1(weights, f"{name}.res_conv", hidden) if res else x
    return stream, conv1x1(weights, f"{name}.skip_conv", hidden)


def between(weights: Weights, index: int, hidden: Array, dilation: int, norm: str, activation: str) -> Array:
    """What a block does between its 1x1 convolutions: activation, norm, depthwise, activation, norm."""
    name = f"masker.TCN.{index}.shared_block"
    hidden = normed(weights, f"{name}.2", activated(weights, f"{name}.1", hidden, activation), norm)
    hidden = depthwise(weights, f"{name}.3", hidden, dilation)
    return normed(weights, f"{name}.5", activated(weights, f"{name}.4", hidden, activation), norm)


def masks(weights: Weights, skips: Array, activation: str, mask_activation: str) -> Array:
    """The sum of the skips [Sc, frames] -> [sources * N, frames]."""
    active = activated(weights, "masker.mask_net.0", skips, activation)
    return masked_by(conv1x1(weights, "masker.mask_net.1", active), mask_activation)
