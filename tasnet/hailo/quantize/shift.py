"""The shift that a layer's sums need, against the bits of its data: `negative_slope`, predicted.

The Dataflow Compiler ends an optimization with `Quantization failed in layer …/ne_activation_avgpool6 due to
unsupported required slope. Desired shift is 10.0, but op has only 8 data bits.` How it gets the 10 is not
published. The rule here is a hypothesis, built on that one message:

    A sum of products is held in 16 bits (32 at a16_w16). It spans (high - low) / (input step * kernel step)
    integers. The bits above 16 are shifted away, and with more of them than the data has, nothing is left.

An average over n positions is a kernel of n equal weights 1/n, each at the top of its 7-bit grid: over the 1999
frames of T=16000 its sums span up to 1999 * 127 * 255, 25.9 bits, so a shift of 10: the printed figure. That
needs values whose mean lies near the top of their range, as uniform noise in [0, 1) makes them in a network that
was drawn or trained for something else. With drawn weights gLN needs 10 on such noise, up to 7 on speech and up
to 8 on noise around zero. A network that was trained to separate, `tasnet:small`, needs 9 on speech too, in five
averages: by this rule its gLN is refused whatever calibrates it. An average over up to 517 positions, or a sum of so
many products, never gets past 8.

What would refute it: the message for an average over fewer than 517 positions, with a figure above
log2(n * 127 * 255) - 16, or under a calibration for which this rule stays at 8 or below; a network that this rule
refuses and the compiler takes. The notes name gLN and noise, not which noise, nor whether theirs was of mean 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log2

from tasnet.hailo import Certainty, Failure
from tasnet.hailo.files import Layer
from tasnet.hailo.quantize.simulation import WITH_KERNEL, Quantized, kernel_step

ACCUMULATOR_FACTOR = 2
"""bits of a sum, in bits of its data; by hypothesis"""


@dataclass(frozen=True)
class RequiredShift:
    """What one layer needs (0 for most) and what its data has."""

    layer: str
    needed: int
    bits: int

    @property
    def fits(self) -> bool:
        """Whether it can be quantized, by the hypothesis."""
        return self.needed <= self.bits


def required_shifts(quantized: Quantized) -> tuple[RequiredShift, ...]:
    """The shift of every layer that sums products, in the graph's order."""
    found = []
    for layer in quantized.network:
        bits = quantized.scheme.bits(layer.name)
        before = quantized.grids.get(layer.inputs[0]) if layer.inputs else None
        if bits is None or before is None:
            continue
        kernel = _kernel_step(quantized, layer, bits)
        if kernel is None:
            continue
        span = quantized.calibration.sums[layer.name]
        whole = (max(span.high, 0.0) - min(span.low, 0.0)) / (before.step * kernel)
        needed = max(0, ceil(log2(whole) - ACCUMULATOR_FACTOR * bits)) if whole > 0 else 0
        found.append(RequiredShift(layer.name, needed, bits))
    return tuple(found)


def negative_slope_failures(quantized: Quantized) -> tuple[Failure, ...]:
    """A `negative_slope` at optimize for every layer whose shift exceeds its data's bits: extrapolated."""
    return tuple(
        Failure(
            stage="optimize",
            family="negative_slope",
            message=(
                f"Quantization failed in layer {quantized.network.name}/ne_activation_{shift.layer} due to unsupported "
                f"required slope. Desired shift is {shift.needed}.0, but op has only {shift.bits} data bits."
            ),
            layers=(shift.layer,),
            figures={"shift_bits": shift.needed, "data_bits": shift.bits},
            evidence="a hypothesis on one message of the conversion notes, 17 February 2026, DFC 3.33.0",
            certainty=Certainty.EXTRAPOLATED,
        )
        for shift in required_shifts(quantized)
        if not shift.fits
    )


def _kernel_step(quantized: Quantized, layer: Layer, bits: int) -> float | None:
    """The step of the kernel's grid; an average's is 1/n at the top of it. None for a layer without products."""
    if layer.type == "avgpool":
        return 1 / (layer.kernel[0] * layer.kernel[1]) / float((1 << bits - 1) - 1)
    if layer.type == "reduce_mean":
        return 1 / layer.input_shapes[0][3] / float((1 << bits - 1) - 1)
    kernel = quantized.reference.weight(layer.name, "kernel")
    if layer.type not in WITH_KERNEL or kernel is None:
        return None
    return float(kernel_step(kernel, bits))
