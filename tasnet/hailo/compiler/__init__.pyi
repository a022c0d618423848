from .dfc import Dfc as Dfc
from .dfc import connect as connect
from .limits import Limits as Limits
from .limits import load as load

__all__ = ["Dfc", "Limits", "connect", "load"]
