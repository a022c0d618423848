"""What the host computes of a network, on arrays [C, frames]. numpy and nothing else.

Weights are under Asteroid's names. Every function is the whole network's own layer at any length, and keeps the
precision it is given (float32, or float64 for a reference); statistics are summed in float64.

A causal network's layers can be given a signal a block at a time: `past` then holds what they know of the blocks
before, by their names, and is changed.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

import numpy as np

Array = Any
Weights = Mapping[str, Array]
Past = MutableMapping[str, Any]

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


def depthwise(
    weights: Weights, name: str, x: Array, dilation: int, causal: bool = False, past: Past | None = None
) -> Array:
    """Depthwise convolution with zero padding; the last tap reads the frame itself if `causal`, else the middle one."""
    taps = weights[f"{name}.weight"][:, 0]
    made = np.empty_like(x)
    made[:] = weights[f"{name}.bias"][:, None]
    frames, middle = x.shape[1], taps.shape[1] - 1 if causal else taps.shape[1] // 2
    if past is not None:
        whole = remembered(past, name, x, middle * dilation)
        whole = np.pad(whole, ((0, 0), (middle * dilation + frames - whole.shape[1], 0)))
        for tap in range(taps.shape[1]):
            made += taps[:, tap, None] * whole[:, tap * dilation : tap * dilation + frames]
        return made
    for tap in range(taps.shape[1]):
        shift = (tap - middle) * dilation
        if abs(shift) >= frames:
            continue
        low, high = max(0, -shift), frames - max(0, shift)
        made[:, low:high] += taps[:, tap, None] * x[:, low + shift : high + shift]
    return made


def remembered(past: Past, name: str, x: Array, frames: int) -> Array:
    """[C, new] -> [C, old + new]: before it the last frames of the blocks before, at most `frames`. Keeps its end."""
    whole = np.concatenate([past[name], x], axis=1) if name in past else x
    past[name] = whole[:, max(0, whole.shape[1] - frames) :].copy()
    return whole


def apply_activation(weights: Weights, name: str, x: Array, activation: str) -> Array:
    """ReLU, or the PReLU of that name."""
    if activation == "relu":
        return np.maximum(x, 0)
    made = np.minimum(x, 0)
    made *= weights[f"{name}.weight"]
    made += np.maximum(x, 0)
    return made


def activate_masks(x: Array, activation: str) -> Array:
    """The masks' own activation."""
    if activation == "relu":
        return np.maximum(x, 0)
    # In two halves, so that neither overflows.
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small)).astype(x.dtype)


def apply_norm(weights: Weights, name: str, x: Array, norm: str, past: Past | None = None) -> Array:
    """Any norm of the axis `norm`, over all the frames that are given. A block at a time: local norms and cgLN."""
    if norm == "identity":
        return x
    gamma, beta = weights[f"{name}.gamma"][:, None], weights[f"{name}.beta"][:, None]
    if norm == "affine":
        return x * gamma + beta
    if norm == "gln":
        scale, mean = gln_scalars(x.mean(dtype=np.float64), np.einsum("cf,cf->", x, x, dtype=np.float64) / x.size)
        # In place: a whole signal's would be there three times.
        made = x - x.dtype.type(mean)
        made *= gamma * x.dtype.type(scale)
        made += beta
        return made
    if norm == "cgln":
        return cumulative(x, gamma, beta, {} if past is None else past, name)
    axis = {"cln": 0, "channel": 1}[norm]
    centred = x - x.mean(axis, keepdims=True)
    variance = np.square(centred).mean(axis, keepdims=True)
    return centred / np.sqrt(variance + EPS) * gamma + beta


def gln_scalars(mean: float, square: float) -> tuple[float, float]:
    """The mean of all values and of their squares -> the norm's scale 1 / sqrt(variance + eps), and its mean."""
    return float(1 / np.sqrt(max(square - mean * mean, 0.0) + EPS)), float(mean)


def cumulative(x: Array, gamma: Array, beta: Array, past: Past, name: str) -> Array:
    """Over channels and all frames so far (Asteroid's cgLN)."""
    mean, scale = cumulated(x.mean(0, dtype=np.float64), np.square(x, dtype=np.float64).mean(0), past, name)
    return (x - mean.astype(x.dtype)) * scale.astype(x.dtype) * gamma + beta


def cumulated(mean: Array, square: Array, past: Past, name: str) -> tuple[Array, Array]:
    """The channels' mean and mean square at each frame -> cgLN's mean and scale there.

    What is kept: frames, sum and sum of squares so far.
    """
    frames, means, squares = past.get(name, np.zeros(3))
    count = frames + np.arange(1, len(mean) + 1, dtype=np.float64)
    sums, powers = means + np.cumsum(mean, dtype=np.float64), squares + np.cumsum(square, dtype=np.float64)
    past[name] = np.array([count[-1], sums[-1], powers[-1]])
    mean = sums / count
    return mean, 1 / np.sqrt(np.maximum(powers / count - mean**2, 0) + EPS)


def block(weights: Weights, function: Any, index: int, x: Array, past: Past | None = None) -> Any:
    """One TCN block: the stream -> the stream after it, which the last block leaves as it is, and its skip."""
    name = f"masker.TCN.{index}"
    hidden = conv1x1(weights, f"{name}.shared_block.0", x)
    hidden = block_inner(weights, function, index, hidden, past)
    stream = x + conv1x1(weights, f"{name}.res_conv", hidden) if index + 1 < function.blocks else x
    return stream, conv1x1(weights, f"{name}.skip_conv", hidden)


def block_inner(weights: Weights, function: Any, index: int, hidden: Array, past: Past | None = None) -> Array:
    """What a block does between its 1x1 convolutions: activation, norm, depthwise, activation, norm."""
    name, norm, dilation = f"masker.TCN.{index}.shared_block", function.norm, int(2 ** (index % function.size.X))
    hidden = apply_norm(
        weights, f"{name}.2", apply_activation(weights, f"{name}.1", hidden, function.activation), norm, past
    )
    hidden = depthwise(weights, f"{name}.3", hidden, dilation, function.causal, past)
    return apply_norm(
        weights, f"{name}.5", apply_activation(weights, f"{name}.4", hidden, function.activation), norm, past
    )


def masks(weights: Weights, skips: Array, activation: str, mask_activation: str) -> Array:
    """The sum of the skips [Sc, frames] -> [sources * N, frames]."""
    active = apply_activation(weights, "masker.mask_net.0", skips, activation)
    return activate_masks(conv1x1(weights, "masker.mask_net.1", active), mask_activation)
