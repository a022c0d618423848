"""What quantization did to each layer: its range, its noise, the share of its values that were clipped."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log10, nan

import torch

from tasnet.hailo.execute import Inputs, RunContext, input_tensors, layer_tensors
from tasnet.hailo.quantize.shift import required_shifts
from tasnet.hailo.quantize.simulation import Quantized, keeps_operand_grid, rounding_hook


@dataclass(frozen=True)
class QuantizationFigures:
    """One layer of a quantized network, judged on given signals.

    `snr` in dB compares the layer's result with the float network's: all errors up to and with this layer.
    `low` and `high` are its grid's ends, `step` the distance of two values on it; None in float.
    `clipped` is the share (0 to 1) of the float network's values that lie outside by more than half a step.
    `shift` is what `shift.py` thinks the layer needs; None where it sums no products.
    """

    layer: str
    type: str
    bits: int | None
    low: float | None
    high: float | None
    step: float | None
    clipped: float
    snr: float
    shift: int | None


def quantization_figures(quantized: Quantized, signals: Inputs) -> tuple[QuantizationFigures, ...]:
    """The figures of every layer on `signals` (as for `quantize_network`), in the order of the run.

    Both networks run side by side, so that no more than two layers' results are compared at a time.
    """
    reference = RunContext(quantized.reference)
    network = RunContext(quantized.network)
    needed = {shift.layer: shift.needed for shift in required_shifts(quantized)}
    given = input_tensors(quantized.network, signals)
    found = []
    sides = zip(
        layer_tensors(reference, given), layer_tensors(network, given, after=rounding_hook(quantized)), strict=True
    )
    for (layer, exact), (_, rounded) in sides:
        if keeps_operand_grid(layer):
            continue
        own = quantized.grids.get(layer.name)
        signal, noise = _energy(exact), _energy(rounded - exact)
        clipped = 0.0
        if own is not None:
            half = own.step / 2
            outside = (exact < own.low - half) | (exact > own.high + half)
            clipped = float(outside.sum()) / exact.numel()
        found.append(
            QuantizationFigures(
                layer=layer.name,
                type=layer.type,
                bits=own.bits if own else None,
                low=own.low if own else None,
                high=own.high if own else None,
                step=own.step if own else None,
                clipped=clipped,
                snr=nan if not signal else inf if not noise else 10 * log10(signal / noise),
                shift=needed.get(layer.name),
            )
        )
    return tuple(found)


def _energy(x: torch.Tensor) -> float:
    return float(x.square().sum(dtype=torch.float64))
