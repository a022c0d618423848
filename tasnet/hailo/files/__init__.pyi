from . import har as har
from . import hef as hef
from . import hn as hn
from . import hn_whole as hn_whole
from . import listing as listing
from .har_archive import HarError as HarError
from .hef import PER_FEATURE as PER_FEATURE
from .hef import EdgeLayer as EdgeLayer
from .hef import Hef as Hef
from .hef import HefError as HefError
from .hef import NetworkGroup as NetworkGroup
from .hef import compatible as compatible
from .hef import read as read
from .hef_layers import differences as differences
from .hef_layers import in_order_of as in_order_of
from .hef_layers import why_not as why_not
from .hef_quantization import quantize as quantize
from .hn import Assumed as Assumed
from .hn import Assumption as Assumption
from .hn import Layer as Layer
from .hn import Network as Network
from .hn import Shape as Shape
from .hn import row as row
from .hn import to_dict as to_dict
from .hn import total as total
from .hn import widest as widest
from .hn_whole import MOST_SIZE as MOST_SIZE
from .hn_whole import HNError as HNError
from .listing import as_json as as_json
from .protowire import LENGTH as LENGTH
from .protowire import WireError as WireError
from .protowire import collect as collect

__all__ = [
    "LENGTH",
    "MOST_SIZE",
    "PER_FEATURE",
    "Assumed",
    "Assumption",
    "EdgeLayer",
    "HNError",
    "HarError",
    "Hef",
    "HefError",
    "Layer",
    "Network",
    "NetworkGroup",
    "Shape",
    "WireError",
    "as_json",
    "collect",
    "compatible",
    "differences",
    "har",
    "hef",
    "hn",
    "hn_whole",
    "in_order_of",
    "listing",
    "quantize",
    "read",
    "row",
    "to_dict",
    "total",
    "why_not",
    "widest",
]
