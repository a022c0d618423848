from .mixed import Point as Point
from .mixed import keep_16 as keep_16
from .report import LayerFigures as LayerFigures
from .report import layer_figures as layer_figures
from .scheme import QuantizeError as QuantizeError
from .scheme import Scheme as Scheme
from .shift import failures as failures
from .shift import shifts as shifts
from .simulation import Quantized as Quantized
from .simulation import quantize as quantize
from .simulation import simulate as simulate

__all__ = [
    "LayerFigures",
    "Point",
    "QuantizeError",
    "Quantized",
    "Scheme",
    "failures",
    "keep_16",
    "layer_figures",
    "quantize",
    "shifts",
    "simulate",
]
