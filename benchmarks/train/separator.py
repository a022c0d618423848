"""The package's own Conv-TasNet as a function of its weights, so that a gradient comes through in any variant."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, maximum

from benchmarks.train.quick import quicken
from tasnet.network import Size, Variant, VariantError, build_network, seeded_weights, to_host_input, to_waveform
from tasnet.network.convtasnet import ConvTasNet
from tasnet.network.weights import asteroid_shapes, head_shapes

SMALL = Size(N=128, L=16, B=64, H=128, Sc=64, P=3, X=6, R=2)
"""0.34 M parameters"""
TRAINED = Variant(expansion="split", activation="prelu", norm="gln")
"""the form that is trained: as published, one mask head per source"""

Leaves = Mapping[str, Tensor]


@dataclass(frozen=True)
class Form:
    """Which network is trained. Raises VariantError for one that doesn't give two waveforms."""

    variant: Variant = TRAINED
    size: Size = SMALL
    mask_activation: str = "relu"

    def __post_init__(self) -> None:
        build_network(self.variant, self.size, seeded_weights(self.size), mask_activation=self.mask_activation)
        if self.size.n_src != 2:
            raise VariantError(f"n_src={self.size.n_src}: mixtures are of two voices, take a network with two outputs")
        if self.variant.sources == "first":
            raise VariantError("sources=first: a training needs both outputs, take the form with all of them")
        if self.variant.decoder == "conv1x1_head":
            raise VariantError("decoder=conv1x1_head: one value per frame is no waveform, take another decoder")


def leaves(size: Size, start: Mapping[str, Tensor] | None = None, seed: int = 0) -> dict[str, Tensor]:
    """Every weight by Asteroid's name, the reduced decoders' heads too: from `start` where it has it, else drawn."""
    known = seeded_weights(size, seed)
    names = [*asteroid_shapes(size), *head_shapes(size)]
    chosen = {name: (start[name] if start and name in start else known[name]) for name in names}
    return {name: tensor.detach().clone().requires_grad_() for name, tensor in chosen.items()}


def separate(form: Form, weights: Leaves, mix: Tensor) -> Tensor:
    """Mixtures [M, T] -> estimates [M, 2, T]. T is a multiple of the stride."""
    # Put together anew at each step: in every variant the layers' tensors are functions of the named weights.
    network = quicken(ConvTasNet(form.variant, form.size, weights, form.mask_activation))
    return to_waveform(form.variant, form.size, network(to_host_input(form.variant, form.size, mix)))


def pit_si_sdr(estimates: Tensor, sources: Tensor) -> Tensor:
    """SI-SDR in dB of each mixture [M], over the better of both ways to pair two estimates with two sources."""
    energy = (sources**2).sum(-1) + 1e-8
    pairs = (estimates @ sources.transpose(1, 2)) / energy[:, None, :]
    target = pairs[..., None] * sources[:, None]
    rest = estimates[:, :, None] - target
    db = 10 * ((target**2).sum(-1) + 1e-8).log10() - 10 * ((rest**2).sum(-1) + 1e-8).log10()
    straight, crossed = (db[:, 0, 0] + db[:, 1, 1]) / 2, (db[:, 0, 1] + db[:, 1, 0]) / 2
    return maximum(straight, crossed)


def count(size: Size) -> int:
    """Trained parameters."""
    return sum(math.prod(shape) for shape in asteroid_shapes(size).values())
