"""Which layers to keep at 16 bits: the curve of a score over the mean bits."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass, replace
from math import prod

from tasnet.hailo.execute import Array, Inputs, RunContext, input_tensors, output_tensors, run_network
from tasnet.hailo.files import Layer
from tasnet.hailo.quantize.scheme import Scheme
from tasnet.hailo.quantize.simulation import (
    WITH_KERNEL,
    Quantized,
    keeps_operand_grid,
    quantize_with_ranges,
    rounding_hook,
    run_quantized,
)

PROGRESS_EVERY = 25
"""layers"""

Score = Callable[[tuple[Array, ...], tuple[Array, ...]], float]
"""Quantized outputs and float outputs -> a figure, the higher the better (SI-SDR in dB)"""


@dataclass(frozen=True)
class PrecisionPoint:
    """A choice of layers at 16 bits: the mean bits of all numbers that are kept or moved, and its score.

    `added` is what this point has more than the one before it, `sixteen` everything so far.
    """

    added: tuple[str, ...]
    sixteen: frozenset[str]
    mean_bits: float
    score: float


def choose_16_bit_layers(
    quantized: Quantized,
    signals: Inputs,
    score: Score,
    *,
    points: int = 12,
    chosen_on: Inputs | None = None,
    gains: MutableMapping[str, float] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[PrecisionPoint, ...]:
    """The curve from nothing but 8 bits to nothing but 16, layers taken in by what they give for what they cost.

    A layer's gain is the noise that it alone brings to the outputs at 8 bits, all others being float; its cost
    the bytes more of its weights and its result. One run per layer, then one per point: greedy, and blind to how
    errors of two layers meet. The gains are measured on `chosen_on` (default: `signals`), the points judged on
    `signals`. `gains` by layer are taken as known and added to as they are found, for whoever keeps them; `say` is
    called with the progress.
    """
    reference = quantized.reference
    layers = [layer for layer in reference if not keeps_operand_grid(layer) and layer.name in quantized.grids]
    choosing = signals if chosen_on is None else chosen_on
    chosen_exact = run_network(reference, choosing)
    gain = {} if gains is None else gains
    for number, layer in enumerate(layers, 1):
        if layer.name not in gain:
            gain[layer.name] = _noise_of(quantized, layer, choosing, chosen_exact) / _cost(layer)
        if number % PROGRESS_EVERY == 0:
            say(f"{number} of {len(layers)} layers alone at 8 bits")
    exact = chosen_exact if chosen_on is None else run_network(reference, signals)
    order = sorted((layer.name for layer in layers), key=lambda name: gain[name], reverse=True)
    made = []
    previous = 0
    for count in _counts(len(order), points):
        say(f"{count} of {len(order)} layers at 16 bits")
        sixteen = frozenset(order[:count])
        scheme = replace(quantized.scheme, sixteen=sixteen)
        chosen = quantize_with_ranges(reference, quantized.calibration, scheme)
        made.append(
            PrecisionPoint(
                tuple(order[previous:count]),
                sixteen,
                mean_bits(layers, scheme),
                score(run_quantized(chosen, signals), exact),
            )
        )
        previous = count
    return tuple(made)


def mean_bits(layers: Sequence[Layer], scheme: Scheme) -> float:
    """Bits per number over all weights and results of the layers."""
    costs = {layer.name: _cost(layer) for layer in layers}
    return sum(cost * (scheme.bits(name) or 32) for name, cost in costs.items()) / sum(costs.values())


def _cost(layer: Layer) -> int:
    """Numbers of a layer that have bits: its kernel's and its result's."""
    shape = layer.params.get("kernel_shape", ()) if layer.type in WITH_KERNEL else ()
    return prod(int(n) for n in shape) * bool(shape) + prod(layer.output_shape[1:])


def _counts(layers: int, points: int) -> list[int]:
    """0, 1, 2, 4, … and all, about `points` of them: the first layers give the most."""
    steps = [round((layers + 1) ** (i / max(1, points - 1))) - 1 for i in range(points)]
    return sorted({0, layers, *steps})


def _noise_of(quantized: Quantized, layer: Layer, signals: Inputs, exact: tuple[Array, ...]) -> float:
    """Energy of the outputs' error with this layer at 8 bits and all others in float."""
    others = frozenset(other.name for other in quantized.reference) - {layer.name}
    alone = quantize_with_ranges(quantized.reference, quantized.calibration, Scheme(floating=others))
    scope = RunContext(alone.network)
    outputs = output_tensors(scope, input_tensors(alone.network, signals), after=rounding_hook(alone))
    return sum(float(((a.numpy().astype("f8") - b) ** 2).sum()) for a, b in zip(outputs, exact, strict=True))
