from . import rewrites as rewrites
from .checkpoint import Checkpoint as Checkpoint
from .checkpoint import CheckpointError as CheckpointError
from .checkpoint import load_checkpoint as load_checkpoint
from .convtasnet import TcnBlock as TcnBlock
from .convtasnet import build_network as build_network
from .convtasnet import output_names as output_names
from .export import module_to_onnx as module_to_onnx
from .export import to_onnx as to_onnx
from .export import write_onnx as write_onnx
from .export import write_shared_onnx as write_shared_onnx
from .host_side import to_host_input as to_host_input
from .host_side import to_waveform as to_waveform
from .layers import Conv as Conv
from .norms import Norm as Norm
from .same_function import UNKNOWN_FUNCTION as UNKNOWN_FUNCTION
from .same_function import FunctionKept as FunctionKept
from .same_function import SameFunction as SameFunction
from .same_function import function_kept as function_kept
from .shipped import SMALL as SMALL
from .shipped import checkpoint_file as checkpoint_file
from .shipped import checkpoint_name as checkpoint_name
from .variant import AXES as AXES
from .variant import EXACT as EXACT
from .variant import MASK_ACTIVATIONS as MASK_ACTIVATIONS
from .variant import MAX_ELEMENTS as MAX_ELEMENTS
from .variant import PUBLISHED as PUBLISHED
from .variant import Size as Size
from .variant import TrainedForm as TrainedForm
from .variant import Variant as Variant
from .variant import VariantError as VariantError
from .variant import count_text as count_text
from .variant import parse_blocks as parse_blocks
from .variant import parse_count as parse_count
from .variant import set_axis as set_axis
from .weights import Weights as Weights
from .weights import asteroid_shapes as asteroid_shapes
from .weights import seeded_weights as seeded_weights
from .weights import with_drawn_heads as with_drawn_heads

__all__ = [
    "AXES",
    "EXACT",
    "MASK_ACTIVATIONS",
    "MAX_ELEMENTS",
    "PUBLISHED",
    "SMALL",
    "UNKNOWN_FUNCTION",
    "Checkpoint",
    "CheckpointError",
    "Conv",
    "FunctionKept",
    "Norm",
    "SameFunction",
    "Size",
    "TcnBlock",
    "TrainedForm",
    "Variant",
    "VariantError",
    "Weights",
    "asteroid_shapes",
    "build_network",
    "checkpoint_file",
    "checkpoint_name",
    "count_text",
    "function_kept",
    "load_checkpoint",
    "module_to_onnx",
    "output_names",
    "parse_blocks",
    "parse_count",
    "rewrites",
    "seeded_weights",
    "set_axis",
    "to_host_input",
    "to_onnx",
    "to_waveform",
    "with_drawn_heads",
    "write_onnx",
    "write_shared_onnx",
]
