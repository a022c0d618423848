"""A cut: which stages of the network a segment computes, in which form, on rows of what width; its ports.

The stages are the head (norm over the encoding, 1x1 to the bottleneck), each TCN block, and the tail (masks). A
segment works on *rows*: stretches of `width` frames of the sequence of every `phase`-th frame, `height` of them side
by side as the rows of one image. Blocks whose dilations are multiples of `phase` run with dilations divided by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

from tasnet.plan.function import GLOBAL_NORM, Function

CHAIN, SCALED, POINTWISE = "chain", "scaled", "pointwise"
"""The forms of a segment: stages one after another with norms inside; one block of a gLN or cgLN network whose
scalars come from the host; the 1x1 convolutions between two depthwise ones, everything else on the host."""

PIECE_IN, PIECE_OUT = "piece-in", "piece-out"
"""Some channels of one 1x1 convolution: a stage's first (head, block or tail), or a block's res and skip as one.

Partial sums and all else are the host's. This is what layers that were seen to compile alone can be made of."""

PIECES = frozenset({PIECE_IN, PIECE_OUT})

FORMS = (CHAIN, SCALED, POINTWISE, PIECE_IN, PIECE_OUT)

HOST, CHIP = "host", "chip"
"""Where something is computed."""


@dataclass(frozen=True)
class Port:
    """An input or output of a segment: `[1, channels, height, width]`. The role says what of the network it is."""

    role: str
    channels: int


@dataclass(frozen=True)
class Cut:
    """Stages `start` to `stop` (not included) as one segment.

    A pointwise one at stage i lies between the depthwise convolutions of the blocks i - 1 and i (counted from 0):
    start is i, stop i + 1. `coders` says where the encoder, the mask's product and the decoder are.
    """

    form: str
    start: int
    stop: int
    phase: int
    width: int
    height: int
    coders: str = HOST
    takes: tuple[int, int] = (0, 0)
    """of a piece: the input channels from and to (not included)"""
    gives: tuple[int, int] = (0, 0)
    """of a piece: the output channels"""

    def blocks(self, function: Function) -> range:
        """The TCN blocks whose depthwise convolution is inside."""
        if self.form == POINTWISE or self.form in PIECES:
            return range(0)
        return range(max(self.start, 1) - 1, min(self.stop, function.stages - 1) - 1)

    def has_head(self) -> bool:
        """Whether it reads the encoding."""
        return self.start == 0

    def has_tail(self, function: Function) -> bool:
        """Whether it gives the masks or the estimates."""
        return self.form == CHAIN and self.stop == function.stages

    def halo(self, function: Function) -> tuple[int, int]:
        """Frames of a row, before and behind, that are spent on the convolutions' reach."""
        return function.halo(self.blocks(function), self.phase)


@dataclass(frozen=True)
class Refused:
    """A segment that a compiler refused, at which stage and why, and who said so."""

    cut: Cut
    stage: str
    why: str
    told_by: str


def phases(function: Function, blocks: range) -> list[int]:
    """The phases that blocks can run in: the divisors of all their dilations. Without a block there is one."""
    largest = gcd(*(function.dilation(block) for block in blocks)) if blocks else 1
    return [2**power for power in range(largest.bit_length()) if largest % 2**power == 0]


def ports(function: Function, cut: Cut) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    """What a segment takes and gives, in the order of its graph's inputs and outputs."""
    if cut.form in PIECES:
        return (Port("taken", cut.takes[1] - cut.takes[0]),), (Port("given", cut.gives[1] - cut.gives[0]),)
    return {CHAIN: _chain, SCALED: _scaled, POINTWISE: _pointwise}[cut.form](function, cut)


def piece_channels(function: Function, form: str, stage: int) -> tuple[int, int]:
    """Channels in and out of the whole convolution that pieces of a stage are cut from."""
    size, final = function.size, function.stages - 1
    if form == PIECE_OUT:
        return size.H, size.Sc if stage == function.blocks else size.B + size.Sc
    if stage == 0:
        return size.N, size.B
    return (size.Sc, size.n_src * size.N) if stage == final else (size.B, size.H)


def _chain(function: Function, cut: Cut) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    size, blocks, tail = function.size, cut.blocks(function), cut.has_tail(function)
    given, made = [], []
    if cut.coders == CHIP and (cut.has_head() or tail):
        given.append(Port("frames", size.L))
    elif cut.has_head():
        given.append(Port("encoded", size.N))
    if not cut.has_head() and blocks:
        given.append(Port("stream", size.B))
    if tail and cut.start > 1:
        given.append(Port("skips", size.Sc))
    if cut.stop < function.stages - 1:
        made.append(Port("stream", size.B))
    if blocks and not tail:
        made.append(Port("skips", size.Sc))
    if tail:
        role, channels = ("estimate", size.L) if cut.coders == CHIP else ("mask", size.N)
        made += [Port(f"{role}{source + 1}", channels) for source in range(size.n_src)]
    return tuple(given), tuple(made)


def _scaled(function: Function, cut: Cut) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    size = function.size
    last = cut.stop == function.stages - 1
    scalars = (Port("scalars", 2),) if function.norm == GLOBAL_NORM else (Port("mean", 1), Port("scale", 1))
    given = (Port("encoded", size.N) if cut.has_head() else Port("stream", size.B), *scalars)
    stream = (Port("stream", size.B),) if cut.has_head() else ()
    moments = tuple(Port(role, 1) for role in ("mean1", "square1", "mean2", "square2"))
    return given, (*stream, Port("product", size.Sc if last else size.B + size.Sc), *moments)


def _pointwise(function: Function, cut: Cut) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    size = function.size
    if cut.has_head():
        return (Port("encoded", size.N),), (Port("stream", size.B), Port("hidden", size.H))
    if cut.stop == function.stages - 1:
        return (Port("hidden", size.H),), (Port("skips", size.Sc),)
    made = (Port("stream", size.B), Port("skips", size.Sc), Port("hidden", size.H))
    return (Port("hidden", size.H), Port("stream", size.B)), made
