"""What is to be planned: a network's function, and the weights that make it one.

A plan is exact, so only what changes the function is kept here; how a case would lay the network out for one compile
(source expansion, decoder, layout) is the plan's own business.
"""

from __future__ import annotations

import hashlib
from collections import ChainMap
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from tasnet.common import TasnetError
from tasnet.network import EXACT, Size, Variant

if TYPE_CHECKING:
    from tasnet.network import Checkpoint, Weights

LOCAL_NORMS = frozenset({"identity", "affine", "cln"})
"""Norms whose value at a frame needs no other frame."""

GLOBAL_NORM = "gln"
"""The norm whose statistics are two scalars over all channels and frames."""

SPANNING_NORMS = frozenset({GLOBAL_NORM, "cgln"})
"""Norms whose scalars, one pair or a pair for each frame, can come from the host into a segment of one block."""


class PlanError(TasnetError, ValueError):
    """What can't be planned, read, written or run as a plan. One line: what is wrong, and what to do."""


@dataclass(frozen=True)
class Function:
    """A Conv-TasNet's function without its numbers: `blocks` are the TCN blocks kept, `norm` a value of that axis.

    A `causal` one looks at no later frame: its depthwise convolutions are padded on the left only.
    """

    size: Size
    blocks: int
    norm: str
    activation: str
    mask_activation: str
    causal: bool = False

    @property
    def stages(self) -> int:
        """The head (norm and bottleneck), each block, the tail (masks): what a depth cut may fall between."""
        return self.blocks + 2

    def dilation(self, block: int) -> int:
        """Frames between the taps of a block's depthwise convolution."""
        return int(2 ** (block % self.size.X))

    @property
    def taps(self) -> int:
        """Of a depthwise convolution with 'same' padding: a causal one has zeros behind its own."""
        return 2 * self.size.P - 1 if self.causal else self.size.P

    def halo(self, blocks: range, phase: int = 1) -> tuple[int, int]:
        """Frames of every `phase`-th, before and behind, that the blocks' convolutions reach to."""
        reach = sum(self.dilation(block) // phase for block in blocks) * (self.size.P - 1)
        return (reach, 0) if self.causal else (reach // 2, reach // 2)

    @property
    def reach(self) -> tuple[int, int]:
        """Frames before and behind that a frame of the output depends on, by the convolutions alone."""
        return self.halo(range(self.blocks))


@dataclass(frozen=True)
class TrainedFunction:
    """A function with its weights, under Asteroid's names.

    `padding` zeros are set before and behind the wave and cropped from the estimates (torchaudio's model does so).
    `sample_rate` in Hz; None where nothing says it.
    """

    function: Function
    weights: Weights
    sample_rate: float | None = None
    padding: int = 0

    @cached_property
    def digest(self) -> str:
        """sha256 of the weights' names, shapes and float32 values: equal for equal weights from anywhere."""
        # Only now: whoever reads a plan needs no torch.
        from tasnet.network import asteroid_shapes

        found = hashlib.sha256()
        for name in sorted(asteroid_shapes(self.function.size)):
            tensor = self.weights[name].detach().float().contiguous()
            found.update(f"{name} {tuple(tensor.shape)} ".encode())
            found.update(tensor.numpy().astype("<f4").tobytes())
        return found.hexdigest()


def function_of_variant(
    variant: Variant, size: Size, weights: Weights, mask_activation: str = "relu"
) -> TrainedFunction:
    """The function that a variant computes. Raises PlanError for one without masks, skips or the trained decoder."""
    variant.check(size)
    if variant.mask != "normal":
        raise PlanError(f"mask={variant.mask}: without masks there is no network to cut; plan a case with mask=normal")
    if variant.skip != "on":
        raise PlanError(f"skip={variant.skip}: plans are made of networks with skip connections; use skip=on")
    if variant.decoder not in EXACT["decoder"]:
        raise PlanError(
            f"decoder={variant.decoder}: not the trained decoder; use one of {', '.join(sorted(EXACT['decoder']))}"
        )
    if variant.sources == "first" and size.n_src > 1:
        names = ("masker.mask_net.1.weight", "masker.mask_net.1.bias")
        weights = ChainMap({name: weights[name][: size.N] for name in names}, dict(weights))
        size = replace(size, n_src=1)
    function = Function(
        size=size,
        blocks=min(variant.blocks or size.total_blocks, size.total_blocks),
        norm={"gln_pool": GLOBAL_NORM}.get(variant.norm, variant.norm),
        activation="prelu" if variant.activation in EXACT["activation"] else variant.activation,
        mask_activation=mask_activation,
        causal=variant.canonical(size).causal != "off",
    )
    return TrainedFunction(function, weights)


def function_of_checkpoint(checkpoint: Checkpoint) -> TrainedFunction:
    """A checkpoint's own function: its norm and its PReLUs."""
    size = checkpoint.size
    return TrainedFunction(
        Function(size, size.total_blocks, checkpoint.norm, "prelu", checkpoint.mask_activation, checkpoint.causal),
        checkpoint.weights,
        checkpoint.sample_rate,
        size.stride if checkpoint.source == "torchaudio" else 0,
    )
