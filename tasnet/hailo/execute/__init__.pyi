from .activation import HOMOGENEOUS as HOMOGENEOUS
from .errors import ExecuteError as ExecuteError
from .running import Array as Array
from .running import Inputs as Inputs
from .running import inputs_of as inputs_of
from .running import run as run
from .running import visit as visit
from .scope import Deconv as Deconv
from .scope import Scope as Scope
from .walking import Hook as Hook
from .walking import steps as steps
from .walking import walk as walk

__all__ = [
    "HOMOGENEOUS",
    "Array",
    "Deconv",
    "ExecuteError",
    "Hook",
    "Inputs",
    "Scope",
    "inputs_of",
    "run",
    "steps",
    "visit",
    "walk",
]
