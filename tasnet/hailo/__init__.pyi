from .failures import FAMILIES as FAMILIES
from .failures import MACHINES_FAULT as MACHINES_FAULT
from .failures import SAYS_NOTHING as SAYS_NOTHING
from .failures import SETUPS_FAULT as SETUPS_FAULT
from .failures import Certainty as Certainty
from .failures import Failure as Failure
from .toolchain import ARCHITECTURES as ARCHITECTURES
from .toolchain import TOOLCHAINS as TOOLCHAINS
from .toolchain import Ended as Ended
from .toolchain import Report as Report
from .toolchain import Toolchain as Toolchain

__all__ = [
    "ARCHITECTURES",
    "FAMILIES",
    "MACHINES_FAULT",
    "SAYS_NOTHING",
    "SETUPS_FAULT",
    "TOOLCHAINS",
    "Certainty",
    "Ended",
    "Failure",
    "Report",
    "Toolchain",
]
