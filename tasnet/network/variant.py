"""Variant: one choice per axis of Conv-TasNet, its normal form, and whether it is still the same function.

A variant says *which form* of the network is meant; `Size` says how large it is. Neither holds weights.
Two variants whose normal forms are equal export the same graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any

from tasnet.common import TasnetError

AXES: Mapping[str, tuple[str, ...]] = {
    "expansion": ("concat", "repeat", "project", "split"),
    "mask": ("normal", "bypass"),
    "sources": ("all", "first"),
    "skip": ("on", "off"),
    "decoder": (
        "grouped",
        "ungrouped_blockdiag",
        "reduced_deconv_128",
        "reduced_deconv_64",
        "conv1x1_head",
        "polyphase",
    ),
    "encoder": ("strided", "polyphase"),
    "blocks": ("all",),
    "activation": ("prelu", "prelu_maxmin", "leaky_relu", "relu"),
    "norm": ("gln", "gln_pool", "cgln", "cln", "channel", "affine", "identity"),
    "layout": ("horizontal", "vertical"),
    "causal": ("off", "pad", "taps"),
}
"""Every axis and its values. `blocks` takes `all` or a count of TCN blocks kept.

Causal networks pad their depthwise convolutions on the left only, as Asteroid's `causal=True`: `pad` with a Pad,
`taps` as 'same' convolutions whose taps right of the middle are zero.
"""

EXACT: Mapping[str, frozenset[str]] = {
    "expansion": frozenset({"concat", "repeat", "project", "split"}),
    "mask": frozenset({"normal"}),
    "sources": frozenset({"all"}),
    "skip": frozenset({"on"}),
    "decoder": frozenset({"grouped", "ungrouped_blockdiag", "polyphase"}),
    "encoder": frozenset({"strided", "polyphase"}),
    "activation": frozenset({"prelu", "prelu_maxmin", "leaky_relu"}),
    "norm": frozenset({"gln", "gln_pool"}),
    "layout": frozenset({"horizontal", "vertical"}),
    "causal": frozenset({"off"}),
}
"""The values that keep the function of a published network (PReLU, gLN, all blocks), up to noise and layout.

Of a network that was trained with another norm, or to look at no later frame, `exact_values` has those of it.
"""


MAX_SIZES: Mapping[str, int] = MappingProxyType(
    {"N": 8192, "L": 1024, "B": 8192, "H": 8192, "Sc": 8192, "P": 127, "X": 16, "R": 64, "n_src": 16}
)
"""The largest value of each size: some sixteen times the paper's. The last of X blocks is dilated by 2^(X-1) frames."""

MAX_BLOCKS = 128
"""of R * X; the paper's largest network has 32, and a graph of 128 takes ten seconds to write"""

MAX_WEIGHTS = 1 << 26
"""thirteen times the paper's best network; a graph of so many is written in less than two gigabytes of memory"""

MAX_ELEMENTS = 1 << 25
"""of the widest activation: sixteen times that of two seconds at the paper's sizes, 128 MiB in float32"""


MASK_ACTIVATIONS = ("relu", "sigmoid")
"""What the masks may end in; a checkpoint's, and no axis: it comes with the weights."""


class VariantError(TasnetError, ValueError):
    """A variant that names an unknown axis or value. The message says which, and what is known."""


@dataclass(frozen=True)
class Size:
    """The sizes of a Conv-TasNet, by the letters of Luo & Mesgarani 2019, table I.

    N filters, L filter length in samples (stride L/2), B bottleneck, H hidden and Sc skip channels,
    P kernel of the depthwise convolutions, X blocks per repeat, R repeats, n_src sources.
    """

    N: int = 512
    L: int = 16
    B: int = 128
    H: int = 512
    Sc: int = 128
    P: int = 3
    X: int = 8
    R: int = 3
    n_src: int = 2

    def __post_init__(self) -> None:
        for field in fields(self):
            value, most = getattr(self, field.name), MAX_SIZES[field.name]
            if value < 1:
                raise VariantError(f"size {field.name}={value}: must be at least 1")
            if value > most:
                raise VariantError(
                    f"size {field.name}={count_text(value)}: more than {most}, the largest that is built"
                )
        if self.L % 2:
            raise VariantError(f"size L={self.L}: the stride is L/2, so L must be even")
        if self.total_blocks > MAX_BLOCKS:
            raise VariantError(f"sizes R={self.R} X={self.X}: R * X is {self.total_blocks}, at most {MAX_BLOCKS}")
        if self.weights > MAX_WEIGHTS:
            named = " ".join(f"{name}={getattr(self, name)}" for name in MAX_SIZES)
            raise VariantError(
                f"sizes {named}: {self.weights:,} weights; at most {MAX_WEIGHTS:,} are built, 13 times the paper's"
            )

    @property
    def weights(self) -> int:
        """The weights of the largest form at this size, biases and norms left out: by these the memory is bounded."""
        coders = self.N * self.L * (1 + self.n_src**2)
        block = self.H * (2 * self.B + self.Sc + self.P)
        masks = self.n_src * self.N * (self.Sc + self.N)
        return coders + self.N * self.B + self.total_blocks * block + masks

    @property
    def stride(self) -> int:
        """Samples between two frames: L/2."""
        return self.L // 2

    @property
    def total_blocks(self) -> int:
        """TCN blocks of the untruncated network: R * X."""
        return self.R * self.X

    def elements(self, length: int) -> int:
        """The elements of the widest activation for `length` samples: all sources' masked frames, or a block's."""
        return self.frames(length) * max(self.n_src * self.N, self.H, self.Sc, self.B)

    def frames(self, length: int) -> int:
        """Frames of the encoder for `length` samples without padding; a length below L is an error."""
        if length < self.L:
            raise VariantError(f"length {length}: shorter than the encoder's kernel of {self.L} samples")
        return (length - self.L) // self.stride + 1


@dataclass(frozen=True)
class TrainedForm:
    """How a network was trained, where those of one size differ: a value of the axis `norm`, and whether causal."""

    norm: str = "gln"
    causal: bool = False


PUBLISHED = TrainedForm()
"""as all published networks were trained, and what is meant where no checkpoint says otherwise"""


def exact_values(trained: TrainedForm) -> Mapping[str, frozenset[str]]:
    """Axis -> its values that keep the function of a network trained so, up to noise and layout."""
    norm = EXACT["norm"] if trained.norm in EXACT["norm"] else frozenset({trained.norm})
    causal = frozenset({"pad", "taps"}) if trained.causal else EXACT["causal"]
    return {**EXACT, "norm": norm, "causal": causal}


@dataclass(frozen=True)
class Variant:
    """One value per axis. `blocks` counts the TCN blocks kept from the start; 0 keeps all."""

    expansion: str = "concat"
    mask: str = "normal"
    sources: str = "all"
    skip: str = "on"
    decoder: str = "grouped"
    encoder: str = "strided"
    blocks: int = 0
    activation: str = "relu"
    norm: str = "identity"
    layout: str = "horizontal"
    causal: str = "off"

    def __post_init__(self) -> None:
        for axis, values in AXES.items():
            value = getattr(self, axis)
            if axis == "blocks":
                if value < 0:
                    raise VariantError(f"blocks={value}: 'all' or a count of at least 1")
                if value > MAX_BLOCKS:
                    raise VariantError(
                        f"blocks={count_text(value)}: no network has more than {MAX_BLOCKS}; 'all' keeps all"
                    )
            elif value not in values:
                raise VariantError(f"{axis}={value}: unknown value; one of {', '.join(values)}")

    @property
    def blocks_text(self) -> str:
        """`all`, or `kN` for the first N blocks."""
        return f"k{self.blocks}" if self.blocks else "all"

    def axes(self) -> dict[str, str]:
        """Axis -> value as text, in the order of `AXES`; blocks as `all` or a number."""
        values = {axis: str(getattr(self, axis)) for axis in AXES}
        values["blocks"] = str(self.blocks) if self.blocks else "all"
        return values

    def inexact_axes(self, size: Size, trained: TrainedForm = PUBLISHED) -> tuple[str, ...]:
        """The axes on which this variant is another function than a network trained so (default: as published).

        In `AXES` order. Without masks the masker is dead, and none of its axes is named.
        """
        exact = exact_values(trained)
        gone = {axis for axis, values in exact.items() if getattr(self, axis) not in values}
        if self.canonical(size).blocks:
            gone.add("blocks")
        if self.mask == "bypass":
            gone -= MASKER_AXES
        if size.n_src == 1:
            gone.discard("sources")
        if size.P == 1:
            gone.discard("causal")
        return tuple(axis for axis in AXES if axis in gone)

    def keeps_function(self, size: Size, trained: TrainedForm = PUBLISHED) -> bool:
        """True when the variant computes what the network computes as it was trained, up to float noise and layout."""
        return not self.inexact_axes(size, trained)

    def check(self, size: Size) -> None:
        """Raises VariantError for an even kernel where the padding is 'same'."""
        if self.causal == "off":
            check_kernel(size)

    def canonical(self, size: Size) -> Variant:
        """The representative of all variants that export this variant's graph at this size.

        - Without the mask product the masker is dead: truncation, skips, activation, norm and padding change nothing.
        - With one source there is nothing to expand, and a grouped decoder has one group.
        - With one product per source, each source has its own decoder: grouped and block-diagonal are one.
        - Keeping all blocks, or more than there are, is keeping all.
        - A kernel of one frame looks at no other: it is padded nowhere.
        """
        v = self
        if v.blocks >= size.total_blocks:
            v = replace(v, blocks=0)
        if size.n_src == 1:
            v = replace(v, sources="all")
        if v.sources == "first" or size.n_src == 1:
            v = replace(v, expansion="concat")
        if v.decoder == "ungrouped_blockdiag" and (v.sources == "first" or size.n_src == 1 or v.expansion == "split"):
            v = replace(v, decoder="grouped")
        if v.mask == "bypass":
            v = replace(v, blocks=0, skip="on", activation="relu", norm="identity", causal="off")
        if size.P == 1:
            v = replace(v, causal="off")
        return v


MASKER_AXES = frozenset({"skip", "blocks", "activation", "norm", "causal"})
"""the axes of what makes the masks"""


def check_kernel(size: Size) -> None:
    """Raises VariantError for the size of a network that isn't causal, and whose kernel has no middle."""
    if size.P % 2 == 0:
        raise VariantError(f"size P={size.P}: 'same' padding needs an odd kernel; a causal network has any")


def parse_blocks(text: str) -> int:
    """`all` | `0` | `N` | `kN` -> blocks kept, 0 for all."""
    if text == "all":
        return 0
    digits = text[1:] if text.startswith("k") else text
    blocks = parse_count(digits)
    if blocks is None:
        raise VariantError(f"blocks={text}: 'all' or a count such as k4")
    return blocks


def parse_count(digits: str) -> int | None:
    """The number that digits mean, None for what is none; past 18 digits some number past every limit."""
    if not (digits.isascii() and digits.isdecimal()):
        return None
    return int(digits[:19]) if len(digits) > 18 else int(digits)


def count_text(value: int) -> str:
    """A number for a message: past 18 digits it is no longer written out."""
    return str(value) if abs(value) < 10**18 else "10^18 or more"


_ALIASES = {
    "skip_topology_mode": "expansion",
    "mask_mul_mode": "mask",
    "deconv_mode": "decoder",
    "truncate_k_blocks": "blocks",
}
_SWITCHES = {
    "bypass_concat": ("expansion", "repeat"),
    "force_n_src_1": ("sources", "first"),
    "disable_skip": ("skip", "off"),
}
_TRUE, _FALSE = {"true", "1", "yes"}, {"false", "0", "no"}


def set_axis(variant: Variant, name: str, value: str) -> Variant:
    """`variant` with one axis set; `name` is an axis or the conversion notes' name for it, in any case.

    The notes' switches (`bypass_concat`, `force_n_src_1`, `disable_skip`) take true or false; false changes
    nothing. Raises VariantError for an unknown name or value.
    """
    key = name.strip().lower()
    value = value.strip()
    if key in _SWITCHES:
        if value.lower() in _FALSE:
            return variant
        if value.lower() not in _TRUE:
            raise VariantError(f"{name}={value}: true or false")
        axis, value = _SWITCHES[key]
    else:
        axis = _ALIASES.get(key, key)
    if axis not in AXES:
        raise VariantError(f"{name}: unknown axis; one of {', '.join((*AXES, *_ALIASES, *_SWITCHES))}")
    if axis == "blocks":
        return replace(variant, blocks=parse_blocks(value))
    # The notes write `skip_topology_mode=concat` beside `bypass_concat=true`: the switch is the later word.
    if key == "skip_topology_mode" and value == "concat" and variant.expansion == "repeat":
        return variant
    changes: dict[str, Any] = {axis: value}
    return replace(variant, **changes)
