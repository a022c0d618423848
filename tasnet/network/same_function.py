"""Whether a form computes what the trained network computes, by its axes alone: exact, or another function and how.

Exact means: for a clip of the form's length the same samples as the network gives as it was trained, up to the rounding
of floats, the layout of inputs and outputs, and what the host does for the polyphase forms. It says nothing of a longer
recording cut into clips of that length (a global norm looks over the whole clip), nor of 8 bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from tasnet.network.variant import PUBLISHED, Size, TrainedForm, Variant


class SameFunction(str, Enum):
    """The word for it, wherever a case is named."""

    EXACT = "exact"
    ANOTHER = "another function"
    UNKNOWN = "unknown"
    """which case it is isn't known, or it has axes that this version doesn't know"""


@dataclass(frozen=True)
class FunctionKept:
    """The word, and in words each way in which the function is another, in the order of the axes."""

    same: SameFunction
    departures: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """`exact`, `another function: ReLU for PReLU, no norms`, `unknown`."""
        return f"{self.same.value}: {', '.join(self.departures)}" if self.departures else self.same.value


UNKNOWN_FUNCTION = FunctionKept(SameFunction.UNKNOWN)


def function_kept(variant: Variant, size: Size, trained: TrainedForm = PUBLISHED) -> FunctionKept:
    """Whether `variant` computes what a network of `size` computes that was trained as `trained`."""
    gone = tuple(_WORDS[axis](variant, size) for axis in variant.inexact_axes(size, trained))
    return FunctionKept(SameFunction.ANOTHER if gone else SameFunction.EXACT, gone)


_DECODERS = {
    "reduced_deconv_128": "a reduced decoder of 128 channels",
    "reduced_deconv_64": "a reduced decoder of 64 channels",
    "conv1x1_head": "one value a frame and no waveform",
}
_ACTIVATIONS = {"relu": "ReLU"}
_NORMS = {
    "gln": "norms over the clip (gLN)",
    "gln_pool": "norms over the clip (gLN)",
    "cgln": "norms up to now (cgLN)",
    "cln": "norms by frame (cLN)",
    "channel": "norms by channel",
    "affine": "norms without statistics",
    "identity": "no norms",
}
_WORDS: Mapping[str, Callable[[Variant, Size], str]] = {
    "mask": lambda variant, size: "no masks",
    "sources": lambda variant, size: "the first source alone",
    "skip": lambda variant, size: "no skip connections",
    "decoder": lambda variant, size: _DECODERS.get(variant.decoder, variant.decoder),
    "blocks": lambda variant, size: f"{variant.blocks} of {size.total_blocks} blocks",
    "activation": lambda variant, size: f"{_ACTIVATIONS.get(variant.activation, variant.activation)} for PReLU",
    "norm": lambda variant, size: _NORMS.get(variant.norm, f"{variant.norm} norms"),
    "causal": lambda variant, size: "looks ahead" if variant.causal == "off" else "no look ahead",
}
"""axis -> what a form that departs there has, or has not, beside the trained network"""
