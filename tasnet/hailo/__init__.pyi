from .failures import FAMILIES as FAMILIES
from .failures import MACHINE_FAMILIES as MACHINE_FAMILIES
from .failures import SETUP_FAMILIES as SETUP_FAMILIES
from .failures import UNINFORMATIVE_FAMILIES as UNINFORMATIVE_FAMILIES
from .failures import UNKNOWN_MESSAGE as UNKNOWN_MESSAGE
from .failures import Certainty as Certainty
from .failures import Failure as Failure
from .toolchain import ARCHITECTURES as ARCHITECTURES
from .toolchain import TOOLCHAINS as TOOLCHAINS
from .toolchain import StageEnd as StageEnd
from .toolchain import StageReport as StageReport
from .toolchain import Toolchain as Toolchain

__all__ = [
    "ARCHITECTURES",
    "FAMILIES",
    "MACHINE_FAMILIES",
    "SETUP_FAMILIES",
    "TOOLCHAINS",
    "UNINFORMATIVE_FAMILIES",
    "UNKNOWN_MESSAGE",
    "Certainty",
    "Failure",
    "StageEnd",
    "StageReport",
    "Toolchain",
]
