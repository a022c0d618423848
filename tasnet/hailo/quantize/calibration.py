"""Calibration: the range of every layer's result on a set of signals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from tasnet.hailo.execute import ExecuteError, Inputs, RunContext, input_tensors, layer_tensors
from tasnet.hailo.files import Layer, Network
from tasnet.hailo.quantize.scheme import PERCENTILE, Clipping, QuantizeError

BINS = 2048


@dataclass(frozen=True)
class Range:
    """What a tensor's values lie between."""

    low: float
    high: float


@dataclass(frozen=True)
class CalibratedRanges:
    """The ranges of results by layer; `sums` are those ahead of the activation: what an accumulator must hold.

    `count` signals were seen. One is enough to go on with, but its ranges are its own: others will clip.
    """

    ranges: Mapping[str, Range]
    sums: Mapping[str, Range]
    count: int


def calibrated_ranges(network: Network, signals: Inputs, clipping: Clipping = "minmax") -> CalibratedRanges:
    """The ranges of `network`, run in float on `signals`: [count, H, W, C], or one such array per input layer.

    Silence is a range of nothing, and quantizes to silence. Raises QuantizeError for no signals, an input without
    any or with another count than its neighbours, another shape (another length or sampling rate, say), or values
    that aren't finite.
    """
    count = _count(signals)
    results: dict[str, Range] = {}
    sums: dict[str, Range] = {}
    scope = RunContext(network)

    def widen(ranges: dict[str, Range], layer: Layer, x: Tensor) -> Tensor:
        low, high = (float(v) for v in torch.aminmax(x))
        known = ranges.get(layer.name, Range(low, high))
        ranges[layer.name] = Range(min(known.low, low), max(known.high, high))
        return x

    for signal in signal_inputs(network, signals):
        for layer, x in layer_tensors(scope, signal, before=partial(widen, sums)):
            widen(results, layer, x)
    ranges = {layer.name: results[layer.name] for layer in network}
    if clipping != "minmax":
        histograms = _histograms(network, signals, ranges, scope)
        cut = _percentile if clipping == "percentile" else _least_error
        ranges = {name: cut(histograms[name], found) for name, found in ranges.items()}
    return CalibratedRanges(ranges, sums, count)


def signal_inputs(network: Network, signals: Inputs) -> Iterator[dict[str, Tensor]]:
    """The signals one by one, as inputs of a run. Raises QuantizeError as `calibrated_ranges` does."""
    for index in range(_count(signals)):
        try:
            yield input_tensors(network, stretch_of(signals, index, index + 1))
        except ExecuteError as error:
            raise QuantizeError(f"calibration signal {index}: {error}") from None


def stretch_of(signals: Inputs, start: int, stop: int) -> Inputs:
    """The signals from `start` to before `stop`, of every input."""
    if isinstance(signals, Mapping):
        return {name: np.asarray(array)[start:stop] for name, array in signals.items()}
    return np.asarray(signals)[start:stop]


def _count(signals: Inputs) -> int:
    """How many signals there are. Raises QuantizeError for none, or where the inputs differ in it."""
    named = signals if isinstance(signals, Mapping) else {"": signals}
    counts = {}
    for name, given in named.items():
        array = np.asarray(given)
        if array.ndim != 4 or not len(array):
            raise QuantizeError(
                f"calibration set{f' of {name}' if name else ''} of shape {list(array.shape)}: "
                "[count, height, width, channels] is needed, one signal at least"
            )
        counts[name] = len(array)
    if not counts:
        raise QuantizeError("calibration set: names no input; give an array for each input layer")
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise QuantizeError(f"calibration set: as many signals are needed for each input; it has {told}")
    return next(iter(counts.values()))


def _histograms(network: Network, signals: Inputs, ranges: Mapping[str, Range], scope: RunContext) -> dict[str, Tensor]:
    found = {name: torch.zeros(BINS) for name in ranges}
    for signal in signal_inputs(network, signals):
        for layer, x in layer_tensors(scope, signal):
            span = ranges[layer.name]
            if span.high > span.low:
                found[layer.name] += torch.histc(x, BINS, span.low, span.high)
    return found


def _edges(span: Range) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.linspace(span.low, span.high, BINS + 1)


def _percentile(histogram: Tensor, span: Range) -> Range:
    counts = histogram.double().numpy()
    total = counts.sum()
    if not total:
        return span
    edges, share = _edges(span), np.cumsum(counts) / total
    cut = (100 - PERCENTILE) / 200
    return Range(float(edges[np.searchsorted(share, cut)]), float(edges[np.searchsorted(share, 1 - cut) + 1]))


def _least_error(histogram: Tensor, span: Range) -> Range:
    counts = histogram.double().numpy()
    if not counts.sum():
        return span
    edges = _edges(span)
    centres = (edges[1:] + edges[:-1]) / 2

    def error(factor: float) -> float:
        low, high = min(span.low * factor, 0.0), max(span.high * factor, 0.0)
        step = (high - low) / 255 or 1.0
        rounded = np.clip(np.rint(centres / step) * step, low, high)
        return float(counts @ np.square(rounded - centres))

    best = min((float(f) for f in np.linspace(0.05, 1.0, 96)), key=error)
    return Range(span.low * best, span.high * best)
