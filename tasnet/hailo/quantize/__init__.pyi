from .layer_figures import QuantizationFigures as QuantizationFigures
from .layer_figures import quantization_figures as quantization_figures
from .mixed_precision import PrecisionPoint as PrecisionPoint
from .mixed_precision import choose_16_bit_layers as choose_16_bit_layers
from .scheme import QuantizeError as QuantizeError
from .scheme import Scheme as Scheme
from .shift import negative_slope_failures as negative_slope_failures
from .shift import required_shifts as required_shifts
from .simulation import Quantized as Quantized
from .simulation import quantize_network as quantize_network
from .simulation import run_quantized as run_quantized

__all__ = [
    "PrecisionPoint",
    "QuantizationFigures",
    "QuantizeError",
    "Quantized",
    "Scheme",
    "choose_16_bit_layers",
    "negative_slope_failures",
    "quantization_figures",
    "quantize_network",
    "required_shifts",
    "run_quantized",
]
