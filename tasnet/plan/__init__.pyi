from .candidates import Bounds as Bounds
from .cuts import Plan as Plan
from .cuts import Segment as Segment
from .cuts import read as read
from .drawing import svg as svg
from .drawing import terminal as terminal
from .executors import EXECUTORS as EXECUTORS
from .executors import host_weights as host_weights
from .function import PlanError as PlanError
from .function import Trained as Trained
from .function import of_checkpoint as of_checkpoint
from .function import of_variant as of_variant
from .hardware import SHIPPED as SHIPPED
from .hardware import profile as profile
from .make import Made as Made
from .make import plan_of as plan_of
from .make import write as write
from .on_wav import Ran as Ran
from .on_wav import on_wav as on_wav
from .run import estimates as estimates
from .run import separate as separate
from .search import OBJECTIVES as OBJECTIVES
from .sensitivity import swings as swings
from .table import front_lines as front_lines
from .table import lines as lines
from .table import swing_lines as swing_lines

__all__ = [
    "EXECUTORS",
    "OBJECTIVES",
    "SHIPPED",
    "Bounds",
    "Made",
    "Plan",
    "PlanError",
    "Ran",
    "Segment",
    "Trained",
    "estimates",
    "front_lines",
    "host_weights",
    "lines",
    "of_checkpoint",
    "of_variant",
    "on_wav",
    "plan_of",
    "profile",
    "read",
    "separate",
    "svg",
    "swing_lines",
    "swings",
    "terminal",
    "write",
]
