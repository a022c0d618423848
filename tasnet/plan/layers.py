"""The layers of a segment, by shapes alone: what the translator would make of its graph, without a graph.

Held against the translated graphs by the tests. With them come the figures (`figures_of`) and the constraints' verdict.
Every rule of the constraints reads one layer at a time, so layers that are alike are judged once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from tasnet.hailo import Certainty
from tasnet.hailo.files import Figures, Layer, Network, Shape, figures_of, row_elements, widest_shape
from tasnet.hailo.predict import PUBLIC_RECORD, Observations, Prediction, PredictionKind, predict_network
from tasnet.plan.cut import CHAIN, CHIP, PIECES, POINTWISE, Cut, ports
from tasnet.plan.function import GLOBAL_NORM, SPANNING_NORMS, Function


@dataclass(frozen=True)
class Kind:
    """A layer of any width: its type, channels in (one for each input) and out, its kernel's taps."""

    type: str
    given: tuple[int, ...]
    made: int
    taps: int = 1
    dilation: int = 1


@dataclass(frozen=True)
class Facts:
    """A segment's figures for one invocation. `layers` are those at work; rows and activations are in elements."""

    layers: int
    macs: int
    weights: int
    widest_row: int
    activations_in: int
    activations_out: int


def facts(function: Function, cut: Cut) -> Facts:
    """The figures of a cut's graph, from those of one pixel and of two.

    MACs and activations grow with the pixels; of some layers MACs are half the operations, rounded down, so that an odd
    pixel may lose a half.
    """
    one, two = _of_pixels(function, replace(cut, width=1, height=1))
    pixels = cut.height * cut.width
    return Facts(
        one.layers,
        pixels // 2 * two.macs + pixels % 2 * one.macs,
        one.weights,
        one.widest_row * cut.width,
        one.activations_in * pixels,
        one.activations_out * pixels,
    )


@lru_cache(maxsize=1 << 14)
def _of_pixels(function: Function, cut: Cut) -> tuple[Facts, Facts]:
    """The figures of a cut's graph for one pixel and for two, counted layer by layer."""
    kinds = list(_kinds(function, _shape_of(function, cut)))
    given, made = (sum(port.channels for port in side) for side in ports(function, cut))
    found = []
    for pixels in (1, 2):
        layers, macs, weights, widest_row = 0, 0, 0, 0
        for kind, times in kinds:
            each, row = _of_layer(kind, pixels)
            layers, macs, weights = layers + times, macs + each.macs * times, weights + each.weights * times
            widest_row = max(widest_row, row)
        found.append(Facts(layers, macs, weights, widest_row, pixels * given, pixels * made))
    return found[0], found[1]


@lru_cache(maxsize=1 << 12)
def _of_layer(kind: Kind, width: int) -> tuple[Figures, int]:
    """The figures of a layer on one row of this width, and the elements of its widest row."""
    layer = _layer(kind, "layer", 1, width)
    return figures_of(layer), row_elements(widest_shape(layer))


def has_layers_of(function: Function, cut: Cut, inner: Cut) -> bool:
    """Whether a segment has every layer of another, dilations counted, on rows of whatever width."""
    layers = dict(_kinds(function, _shape_of(function, cut)))
    return all(layers.get(kind, 0) >= times for kind, times in _kinds(function, _shape_of(function, inner)))


def graph_shape(function: Function, cut: Cut) -> tuple[object, ...]:
    """Equal for cuts of one function whose graphs differ in their weights alone: no rule can tell them apart."""
    return _shape_of(function, cut), cut.width, cut.height


def verdict(function: Function, cut: Cut, arch: str, known: Observations = PUBLIC_RECORD) -> Prediction:
    """What the constraints say of a cut's graph, its count of layers left aside."""
    return checker(function, arch, known)(cut)


@lru_cache(maxsize=64)
def checker(function: Function, arch: str, known: Observations = PUBLIC_RECORD) -> Callable[[Cut], Prediction]:
    """`verdict` of one function, for very many cuts: a layer is judged once at a width.

    No rule sees a dilation along the width, nor more of the height than whether it is 1. What was seen of a layer
    beside the public record was seen at all of its sizes.
    """
    sized = bool(known.compiled or known.failed)
    kinds_of: dict[tuple[object, ...], frozenset[Kind]] = {}
    told: dict[tuple[frozenset[Kind], int, int], Prediction] = {}

    def check(cut: Cut) -> Prediction:
        stretch = (cut.form, cut.start, cut.stop, cut.coders, cut.takes, cut.gives)
        kinds = kinds_of.get(stretch)
        if kinds is None:
            found_kinds = [kind for kind, _ in _kinds(function, _shape_of(function, cut))]
            kinds = frozenset(kind if sized else replace(kind, dilation=1) for kind in found_kinds)
            kinds_of[stretch] = kinds
        height = cut.height if sized else min(cut.height, 2)
        key = (kinds, cut.width, height)
        found = told.get(key)
        if found is None:
            found = told[key] = _together([_verdict(kind, height, cut.width, arch, known) for kind in kinds])
        return found

    return check


def _together(verdicts: list[Prediction]) -> Prediction:
    """The verdict on a graph of layers that were judged alone, as `judge` draws it."""
    blockers = tuple(each for one in verdicts for each in one.blockers)
    doubts = tuple(each for one in verdicts for each in one.doubts)
    kind = PredictionKind.BLOCKED if blockers else PredictionKind.UNKNOWN if doubts else PredictionKind.CLEAR
    observed = [one.certainty is Certainty.OBSERVED for one in verdicts if one.kind is kind]
    seen = all(observed) if kind is PredictionKind.CLEAR else any(observed)
    return Prediction(kind, Certainty.OBSERVED if seen else Certainty.EXTRAPOLATED, blockers, doubts)


@dataclass(frozen=True)
class _Shape:
    """What of a cut decides its layers' kinds."""

    form: str
    head: bool
    tail: bool
    first: int
    blocks: int
    phase: int
    last: bool
    takes_skips: bool
    chip: bool
    piece: tuple[int, int]
    """channels in and out of a piece"""


def _shape_of(function: Function, cut: Cut) -> _Shape:
    blocks = cut.blocks(function)
    first = cut.start if cut.form == POINTWISE else blocks.start if blocks else 0
    # Blocks are alike but for their dilations, which come round.
    return _Shape(
        cut.form,
        cut.has_head(),
        cut.has_tail(function),
        first % function.size.X if cut.form != POINTWISE else min(first, 1),
        len(blocks),
        cut.phase,
        cut.stop >= function.stages - 1,
        cut.has_tail(function) and cut.start > 1,
        cut.coders == CHIP,
        (cut.takes[1] - cut.takes[0], cut.gives[1] - cut.gives[0]),
    )


@lru_cache(maxsize=4096)
def _kinds(function: Function, shape: _Shape) -> tuple[tuple[Kind, int], ...]:
    """The layers at work, alike ones counted."""
    if shape.form in PIECES:
        return ((_conv(*shape.piece), 1),)
    maker = {CHAIN: _chain, POINTWISE: _pointwise}.get(shape.form, _scaled)
    return tuple(Counter(maker(function, shape)).items())


@cache
def _conv(given: int, made: int) -> Kind:
    return Kind("conv", (given,), made)


@cache
def _norm(norm: str, channels: int) -> tuple[Kind, ...]:
    if norm == "affine":
        return (Kind("normalization", (channels,), channels),)
    if norm == "cln":
        mean = Kind("reduce_mean", (channels,), 1)
        return (
            *(mean, mean),
            Kind("ew_sub", (channels, 1), channels),
            Kind("feature_multiplier", (channels,), channels),
            Kind("activation", (1,), 1),
            Kind("ew_mult", (channels, 1), channels),
            Kind("normalization", (channels,), channels),
        )
    if norm not in {"identity", *SPANNING_NORMS}:
        raise ValueError(f"{norm}: no norm of a segment")
    return ()


def _chain(function: Function, shape: _Shape) -> Iterator[Kind]:
    size = function.size
    if shape.chip and (shape.head or shape.tail):
        yield _conv(size.L, size.N)
    if shape.head:
        yield from _norm(function.norm, size.N)
        yield _conv(size.N, size.B)
    for index in range(shape.first, shape.first + shape.blocks):
        final = shape.last and index == shape.first + shape.blocks - 1
        yield _conv(size.B, size.H)
        yield from _norm(function.norm, size.H)
        yield Kind("dw", (size.H,), size.H, function.taps, function.dilation(index) // shape.phase)
        yield from _norm(function.norm, size.H)
        yield _conv(size.H, size.Sc)
        if not final:
            yield _conv(size.H, size.B)
            yield Kind("ew_add", (size.B, size.B), size.B)
    sums = shape.blocks + shape.takes_skips - 1
    yield from [Kind("ew_add", (size.Sc, size.Sc), size.Sc)] * sums
    if shape.tail:
        # Behind a convolution or a sum the activation is that layer's own.
        if not shape.blocks:
            yield Kind("activation", (size.Sc,), size.Sc)
        for _ in range(size.n_src):
            yield _conv(size.Sc, size.N)
            if shape.chip:
                yield Kind("ew_mult", (size.N, size.N), size.N)
                yield _conv(size.N, size.L)


def _scaled(function: Function, shape: _Shape) -> Iterator[Kind]:
    size = function.size
    dilation = function.dilation(shape.first) // shape.phase
    if shape.head:
        yield _conv(size.N, size.B)
    yield _conv(size.B, size.H)
    if function.norm != GLOBAL_NORM:
        yield Kind("ew_sub", (size.H, 1), size.H)
        yield Kind("ew_mult", (size.H, 1), size.H)
        yield Kind("normalization", (size.H,), size.H)
    yield Kind("dw", (size.H,), size.H, function.taps, dilation)
    if function.norm == GLOBAL_NORM:
        yield Kind("conv", (2,), size.H, function.taps, dilation)
        yield Kind("ew_add", (size.H, size.H), size.H)
    yield _conv(size.H, size.Sc if shape.last else size.B + size.Sc)
    for _ in range(2):
        yield Kind("feature_multiplier", (size.H,), size.H)
        yield from [Kind("reduce_mean", (size.H,), 1)] * 2


def _pointwise(function: Function, shape: _Shape) -> Iterator[Kind]:
    size = function.size
    if shape.head:
        yield _conv(size.N, size.B)
    else:
        yield _conv(size.H, size.Sc)
    if not shape.head and not shape.last:
        yield _conv(size.H, size.B)
        yield Kind("ew_add", (size.B, size.B), size.B)
    if not shape.last:
        yield _conv(size.B, size.H)


@lru_cache(maxsize=1 << 16)
def _verdict(kind: Kind, height: int, width: int, arch: str, known: Observations) -> Prediction:
    return predict_network(Network("segment", (_layer(kind, kind.type, height, width),), ()), arch, known)


def _layer(kind: Kind, name: str, height: int, width: int) -> Layer:
    """The layer as the HN has it, without its neighbours."""

    def shape(channels: int) -> Shape:
        return (-1, height, width, channels)

    params: dict[str, object] = {"activation": "linear"}
    if kind.type in ("conv", "dw"):
        depthwise = kind.type == "dw"
        params |= {
            "kernel_shape": [1, kind.taps, kind.given[0], 1 if depthwise else kind.made],
            "strides": [1, 1, 1, 1],
            "dilations": [1, 1, kind.dilation, 1],
            "groups": 1,
        }
    return Layer(name, kind.type, (), (), tuple(map(shape, kind.given)), (shape(kind.made),), params=params)
