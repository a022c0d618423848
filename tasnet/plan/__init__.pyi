from .candidates import Bounds as Bounds
from .cuts import read_plan as read_plan
from .drawing import drawing_lines as drawing_lines
from .drawing import drawing_svg as drawing_svg
from .function import TrainedFunction as TrainedFunction
from .function import function_of_checkpoint as function_of_checkpoint
from .function import function_of_variant as function_of_variant
from .hardware import read_profile as read_profile
from .make import Made as Made
from .make import make_plan as make_plan
from .make import write_plan as write_plan
from .on_wav import separate_wav as separate_wav
from .search import OBJECTIVES as OBJECTIVES
from .sensitivity import swings as swings
from .table import front_lines as front_lines
from .table import plan_lines as plan_lines
from .table import swing_lines as swing_lines

__all__ = [
    "OBJECTIVES",
    "Bounds",
    "Made",
    "TrainedFunction",
    "drawing_lines",
    "drawing_svg",
    "front_lines",
    "function_of_checkpoint",
    "function_of_variant",
    "make_plan",
    "plan_lines",
    "read_plan",
    "read_profile",
    "separate_wav",
    "swing_lines",
    "swings",
    "write_plan",
]
