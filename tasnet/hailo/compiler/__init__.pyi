from .dfc import Dfc as Dfc
from .dfc import connect_compiler as connect_compiler
from .limits import CompilerLimits as CompilerLimits
from .limits import read_limits as read_limits

__all__ = ["CompilerLimits", "Dfc", "connect_compiler", "read_limits"]
