from . import checkpoint as checkpoint
from . import rewrites as rewrites
from .checkpoint import Checkpoint as Checkpoint
from .checkpoint import load as load
from .convtasnet import Block as Block
from .convtasnet import Conv as Conv
from .convtasnet import build as build
from .convtasnet import output_names as output_names
from .convtasnet import to_host_input as to_host_input
from .convtasnet import to_waveform as to_waveform
from .export import module_to_onnx as module_to_onnx
from .export import save as save
from .export import save_shared as save_shared
from .export import to_onnx as to_onnx
from .norms import Norm as Norm
from .variant import AXES as AXES
from .variant import EXACT as EXACT
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
from .weights import asteroid_shapes as asteroid_shapes
from .weights import seeded as seeded
from .weights import with_heads as with_heads

__all__ = [
    "AXES",
    "EXACT",
    "MASK_ACTIVATIONS",
    "MOST_ELEMENTS",
    "Block",
    "Checkpoint",
    "Conv",
    "Norm",
    "Size",
    "Variant",
    "VariantError",
    "Weights",
    "asteroid_shapes",
    "build",
    "checkpoint",
    "count",
    "counted",
    "load",
    "module_to_onnx",
    "output_names",
    "parse_blocks",
    "rewrites",
    "save",
    "save_shared",
    "seeded",
    "set_axis",
    "to_host_input",
    "to_onnx",
    "to_waveform",
    "with_heads",
]
