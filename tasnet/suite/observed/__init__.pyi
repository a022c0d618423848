from . import evidence as evidence
from .bit_exact import emulated as emulated
from .bit_exact import write as write
from .confusions import Agreement as Agreement
from .confusions import Compared as Compared
from .confusions import Confusion as Confusion
from .confusions import confusion as confusion
from .confusions import refutation as refutation
from .confusions import refuted as refuted
from .evidence import Evidence as Evidence
from .evidence import everything as everything
from .evidence import keep as keep
from .evidence import keep_run as keep_run
from .evidence import of_cases as of_cases
from .evidence import support as support
from .on_device import DeviceError as DeviceError
from .on_device import hefs as hefs
from .on_device import host_frames as host_frames
from .on_device import keep_observed as keep_observed
from .pair import NO_COMPILER as NO_COMPILER
from .pair import NothingToCompare as NothingToCompare
from .pair import Pair as Pair
from .pair import compared as compared
from .pair import listed as listed
from .pair import table as table
from .pair import told_of_refutation as told_of_refutation
from .sweeping import Done as Done
from .sweeping import Swept as Swept
from .sweeping import graphs as graphs
from .sweeping import sweep as sweep

__all__ = [
    "NO_COMPILER",
    "Agreement",
    "Compared",
    "Confusion",
    "DeviceError",
    "Done",
    "Evidence",
    "NothingToCompare",
    "Pair",
    "Swept",
    "compared",
    "confusion",
    "emulated",
    "everything",
    "evidence",
    "graphs",
    "hefs",
    "host_frames",
    "keep",
    "keep_observed",
    "keep_run",
    "listed",
    "of_cases",
    "refutation",
    "refuted",
    "support",
    "sweep",
    "table",
    "told_of_refutation",
    "write",
]
