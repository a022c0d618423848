"""8 bits, simulated: what quantization would do to a network, without the compiler and without the chip.

    quantized = quantize(network, signals, Scheme(sixteen=frozenset({"conv1"}), equalize=True))
    (estimate,) = simulate(quantized, mix)
    layer_figures(quantized, mix)        # per layer: range, SNR, clipped share, shift
    failures(quantized)                  # `negative_slope`, where it is expected
    keep_16(quantized, mix, score)       # which layers to keep at 16 bits

Activations are asymmetric per tensor, weights symmetric per tensor or per channel, biases four times as wide.
Everything it says is predicted. Like `execute`, it needs torch.
"""

from tasnet.hailo.quantize.calibrate import Calibration, Range, calibrate
from tasnet.hailo.quantize.equalize import equalize
from tasnet.hailo.quantize.mixed import Point, keep_16, mean_bits
from tasnet.hailo.quantize.report import LayerFigures, layer_figures
from tasnet.hailo.quantize.scheme import Clipping, Grid, QuantizeError, Scheme, grid
from tasnet.hailo.quantize.shift import Shift, failures, shifts
from tasnet.hailo.quantize.simulate import Quantized, quantize, simulate, with_calibration

__all__ = [
    "Calibration",
    "Clipping",
    "Grid",
    "LayerFigures",
    "Point",
    "QuantizeError",
    "Quantized",
    "Range",
    "Scheme",
    "Shift",
    "calibrate",
    "equalize",
    "failures",
    "grid",
    "keep_16",
    "layer_figures",
    "mean_bits",
    "quantize",
    "shifts",
    "simulate",
    "with_calibration",
]
