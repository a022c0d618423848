from .context import DeconvLength as DeconvLength
from .context import ExecuteError as ExecuteError
from .context import RunContext as RunContext
from .running import Array as Array
from .running import Inputs as Inputs
from .running import input_tensors as input_tensors
from .running import run_network as run_network
from .running import visit_layers as visit_layers
from .traversal import ResultHook as ResultHook
from .traversal import layer_tensors as layer_tensors
from .traversal import output_tensors as output_tensors

__all__ = [
    "Array",
    "DeconvLength",
    "ExecuteError",
    "Inputs",
    "ResultHook",
    "RunContext",
    "input_tensors",
    "layer_tensors",
    "output_tensors",
    "run_network",
    "visit_layers",
]
