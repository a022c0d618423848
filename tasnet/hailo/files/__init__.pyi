from . import har as har
from .har_archive import HarError as HarError
from .hef import PER_FEATURE as PER_FEATURE
from .hef import EdgeLayer as EdgeLayer
from .hef import Hef as Hef
from .hef import HefError as HefError
from .hef import NetworkGroup as NetworkGroup
from .hef import read_hef as read_hef
from .hef import runs_on as runs_on
from .hef_layers import edges_in_order as edges_in_order
from .hef_layers import hef_mismatch as hef_mismatch
from .hef_layers import quantize_values as quantize_values
from .hef_layers import shape_differences as shape_differences
from .hn import Assumption as Assumption
from .hn import AssumptionKind as AssumptionKind
from .hn import Figures as Figures
from .hn import Layer as Layer
from .hn import Network as Network
from .hn import Shape as Shape
from .hn import figures_of as figures_of
from .hn import hn_dict as hn_dict
from .hn import is_hn as is_hn
from .hn import read_hn as read_hn
from .hn import row_elements as row_elements
from .hn import total_figures as total_figures
from .hn import widest_shape as widest_shape
from .hn_checks import MAX_AXIS_SIZE as MAX_AXIS_SIZE
from .hn_checks import HNError as HNError
from .hn_checks import check_network as check_network
from .listing import network_json as network_json
from .listing import network_lines as network_lines
from .protowire import LENGTH_DELIMITED as LENGTH_DELIMITED
from .protowire import WireError as WireError
from .protowire import read_message as read_message

__all__ = [
    "LENGTH_DELIMITED",
    "MAX_AXIS_SIZE",
    "PER_FEATURE",
    "Assumption",
    "AssumptionKind",
    "EdgeLayer",
    "Figures",
    "HNError",
    "HarError",
    "Hef",
    "HefError",
    "Layer",
    "Network",
    "NetworkGroup",
    "Shape",
    "WireError",
    "check_network",
    "edges_in_order",
    "figures_of",
    "har",
    "hef_mismatch",
    "hn_dict",
    "is_hn",
    "network_json",
    "network_lines",
    "quantize_values",
    "read_hef",
    "read_hn",
    "read_message",
    "row_elements",
    "runs_on",
    "shape_differences",
    "total_figures",
    "widest_shape",
]
