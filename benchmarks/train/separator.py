"""The package's own Conv-TasNet as a function of its weights, so that a gradient comes through in any variant."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from tasnet.network.convtasnet import ConvTasNet
from tasnet.network.variant import Size, Variant
from tasnet.network.weights import asteroid_shapes, head_shapes, seeded

SMALL = Size(N=128, L=16, B=64, H=128, Sc=64, P=3, X=6, R=2)
"""0.33 M parameters"""
TRAINED = Variant(expansion="split", activation="prelu", norm="gln")
"""the form that is trained: as published, one mask head per source"""

Leaves = Mapping[str, Tensor]


def leaves(size: Size, start: Mapping[str, Tensor] | None = None, seed: int = 0) -> dict[str, Tensor]:
    """Every weight by Asteroid's name, the reduced decoders' heads too: from `start` where it has it, else drawn."""
    known = seeded(size, seed)
    names = [*asteroid_shapes(size), *head_shapes(size)]
    chosen = {name: (start[name] if start and name in start else known[name]) for name in names}
    return {name: tensor.detach().clone().requires_grad_() for name, tensor in chosen.items()}


def separate(weights: Leaves, variant: Variant, size: Size, mix: Tensor) -> Tensor:
    """Mixtures [M, T] -> estimates [M, sources, T]. T is a multiple of the stride."""
    # Put together anew at each step: in every variant the layers' tensors are functions of the named weights.
    network = ConvTasNet(variant, size, weights, "relu")
    outputs = network(mix[:, None, None, :])
    return torch.cat([output.flatten(2) for output in outputs], 1)


def pit_si_sdr(estimates: Tensor, sources: Tensor) -> Tensor:
    """SI-SDR in dB of each mixture [M], over the better of both ways to pair two estimates with two sources."""
    energy = (sources**2).sum(-1) + 1e-8
    pairs = torch.einsum("met,mst->mes", estimates, sources) / energy[:, None, :]
    target = pairs[..., None] * sources[:, None]
    rest = estimates[:, :, None] - target
    db = 10 * torch.log10((target**2).sum(-1) + 1e-8) - 10 * torch.log10((rest**2).sum(-1) + 1e-8)
    straight, crossed = (db[:, 0, 0] + db[:, 1, 1]) / 2, (db[:, 0, 1] + db[:, 1, 0]) / 2
    return torch.maximum(straight, crossed)


def count(size: Size) -> int:
    """Trained parameters."""
    return sum(math.prod(shape) for shape in asteroid_shapes(size).values())
