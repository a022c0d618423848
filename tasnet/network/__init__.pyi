from . import checkpoint as checkpoint
from .checkpoint import load as load
from .convtasnet import build as build
from .convtasnet import output_names as output_names
from .convtasnet import to_host_input as to_host_input
from .convtasnet import to_waveform as to_waveform
from .export import save as save
from .export import save_shared as save_shared
from .export import to_onnx as to_onnx
from .variant import AXES as AXES
from .variant import MASK_ACTIVATIONS as MASK_ACTIVATIONS
from .variant import MOST_ELEMENTS as MOST_ELEMENTS
from .variant import Size as Size
from .variant import Variant as Variant
from .variant import VariantError as VariantError
from .variant import count as count
from .variant import counted as counted
from .variant import parse_blocks as parse_blocks
from .variant import set_axis as set_axis
from .weights import Weights as Weights
from .weights import seeded as seeded
from .weights import with_heads as with_heads

__all__ = [
    "AXES",
    "MASK_ACTIVATIONS",
    "MOST_ELEMENTS",
    "Size",
    "Variant",
    "VariantError",
    "Weights",
    "build",
    "checkpoint",
    "count",
    "counted",
    "load",
    "output_names",
    "parse_blocks",
    "save",
    "save_shared",
    "seeded",
    "set_axis",
    "to_host_input",
    "to_onnx",
    "to_waveform",
    "with_heads",
]
