"""Small networks for the tests, no two of whose sizes are equal unless they must be."""

from __future__ import annotations

import torch

from tasnet.network.convtasnet import build_network
from tasnet.network.host_side import to_host_input, to_waveform
from tasnet.network.variant import Size, Variant
from tasnet.network.weights import Weights, seeded_weights

SMALL = Size(N=10, L=8, B=6, H=9, Sc=6, P=3, X=2, R=2, n_src=2)
FAITHFUL = Variant(activation="prelu", norm="gln")


def wave(length: int, batch: int = 1, seed: int = 0) -> torch.Tensor:
    """White noise in [-1, 1], [batch, length]."""
    return torch.rand(batch, length, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def separate(
    variant: Variant,
    size: Size,
    mix: torch.Tensor,
    *,
    weights: Weights | None = None,
    mask_activation: str = "relu",
) -> torch.Tensor:
    """What the variant makes of a mix [B, T]: [B, sources, T']."""
    network = build_network(variant, size, weights or seeded_weights(size, 1), mask_activation=mask_activation)
    return to_waveform(variant, size, network(to_host_input(variant, size, mix)))
