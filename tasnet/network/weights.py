"""The weights of a network: a mapping from Asteroid's names to tensors, drawn from a seed or read.

All networks of this package are built from such a mapping, whatever their variant, so two variants of one
seed hold the same numbers. The names and shapes are those of `asteroid.models.ConvTasNet.state_dict()`
(asteroid 0.7), and beside them the heads of the two inexact decoders, which no checkpoint has.
"""

from __future__ import annotations

import hashlib
import math
from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from tasnet.network.variant import Size

Shape = tuple[int, ...]
Weights = Mapping[str, torch.Tensor]


def asteroid_shapes(size: Size) -> dict[str, Shape]:
    """Name -> shape of every tensor in Asteroid's state dict, in its order.

    Convolutions are Conv1d's (out, in / groups, kernel); the decoder is ConvTranspose1d's (in, out, kernel).
    """
    shapes: dict[str, Shape] = {"encoder.filterbank._filters": (size.N, 1, size.L)}

    def add_norm(name: str, channels: int) -> None:
        shapes.update({f"{name}.{part}": (channels,) for part in ("gamma", "beta")})

    def add_conv(name: str, *shape: int) -> None:
        shapes.update({f"{name}.weight": shape, f"{name}.bias": shape[:1]})

    add_norm("masker.bottleneck.0", size.N)
    add_conv("masker.bottleneck.1", size.B, size.N, 1)
    for block in range(size.total_blocks):
        name = f"masker.TCN.{block}"
        add_conv(f"{name}.shared_block.0", size.H, size.B, 1)
        shapes[f"{name}.shared_block.1.weight"] = (1,)
        add_norm(f"{name}.shared_block.2", size.H)
        add_conv(f"{name}.shared_block.3", size.H, 1, size.P)
        shapes[f"{name}.shared_block.4.weight"] = (1,)
        add_norm(f"{name}.shared_block.5", size.H)
        add_conv(f"{name}.res_conv", size.B, size.H, 1)
        add_conv(f"{name}.skip_conv", size.Sc, size.H, 1)
    shapes["masker.mask_net.0.weight"] = (1,)
    add_conv("masker.mask_net.1", size.n_src * size.N, size.Sc, 1)
    shapes["decoder.filterbank._filters"] = (size.N, 1, size.L)
    return shapes


def head_shapes(size: Size) -> dict[str, Shape]:
    """Name -> shape of the heads that no trained model has: the reduced decoders, the frame-rate head."""
    mixed = size.n_src * size.N
    shapes: dict[str, Shape] = {}
    for width in (128, 64):
        shapes[f"reduced_{width}.pre.weight"] = (width, mixed, 1)
        shapes[f"reduced_{width}.deconv.weight"] = (width, size.n_src, size.L)
    shapes["conv1x1_head.weight"] = (size.n_src, mixed, 1)
    return shapes


@dataclass(frozen=True)
class SeededWeights(Mapping[str, torch.Tensor]):
    """Tensors drawn when they are first asked for; see `seeded_weights`. Holds each one it has drawn, and no more."""

    shapes: Mapping[str, Shape]
    seed: int
    _drawn: dict[str, torch.Tensor] = field(default_factory=dict, repr=False, compare=False)

    def __getitem__(self, key: str) -> torch.Tensor:
        if key not in self._drawn:
            self._drawn[key] = _draw(self.seed, key, self.shapes[key])
        return self._drawn[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.shapes)

    def __len__(self) -> int:
        return len(self.shapes)


def seeded_weights(size: Size, seed: int = 0) -> SeededWeights:
    """Weights of a network of this size, float32 on the CPU; also those of `head_shapes`.

    A tensor depends on (seed, name, shape) alone: not on the order of asking, the other tensors, or the
    version of torch. Scaled by fan-in so that activations stay of order 1 through 24 blocks with or without
    norms; gammas, betas, biases and PReLU slopes are all different and none is trivial.
    """
    return SeededWeights({**asteroid_shapes(size), **head_shapes(size)}, seed)


def with_drawn_heads(weights: Weights, size: Size, seed: int = 0) -> Weights:
    """A checkpoint's weights, and drawn ones for the heads that a checkpoint doesn't have."""
    return ChainMap(dict(weights), SeededWeights(head_shapes(size), seed))  # type: ignore[arg-type]


def _draw(seed: int, key: str, shape: Shape) -> torch.Tensor:
    digest = hashlib.sha256(f"{seed}/{key}/{'x'.join(map(str, shape))}".encode()).digest()
    count = math.prod(shape)
    # The raw stream of PCG64 is fixed for good; numpy's distributions on top of it may change.
    raw = np.random.PCG64(int.from_bytes(digest, "little")).random_raw((count + 1) // 2)
    words = raw.astype("<u8").view("<u4")[:count]
    # 24 bits are what a float32 holds: the quotient is exact, and so the same everywhere.
    unit = (words >> 8).astype(np.float32) / np.float32(1 << 23) - np.float32(1)
    centre, spread = _scale(key, shape)
    values = np.float32(centre) + np.float32(spread) * unit
    return torch.from_numpy(values.reshape(shape))


def _scale(key: str, shape: Shape) -> tuple[float, float]:
    """Centre and half-width of the uniform distribution of a tensor."""
    if key.endswith("gamma"):
        return 1.0, 0.2
    if key.endswith(("beta", "bias")):
        return 0.0, 0.1
    if shape == (1,):
        return 0.25, 0.1
    unit_variance = math.sqrt(3.0)
    if "decoder" in key or ".deconv" in key:
        # Each sample of a transposed convolution sums two frames of every input channel.
        return 0.0, unit_variance / math.sqrt(2 * shape[0])
    spread = unit_variance / math.sqrt(math.prod(shape[1:]))
    if "res_conv" in key or "skip_conv" in key:
        # Summed over the blocks: a fifth of unit gain keeps 24 of them of order 1.
        return 0.0, 0.2 * spread
    if "shared_block" in key:
        # Half of the variance is lost in the activation that follows.
        return 0.0, math.sqrt(2.0) * spread
    return 0.0, spread
