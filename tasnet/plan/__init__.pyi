from .candidates import Bounds as Bounds
from .cuts import Plan as Plan
from .cuts import Segment as Segment
from .cuts import read as read
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
from .run import estimates as estimates
from .run import separate as separate
from .search import OBJECTIVES as OBJECTIVES

__all__ = [
    "EXECUTORS",
    "OBJECTIVES",
    "SHIPPED",
    "Bounds",
    "Made",
    "Plan",
    "PlanError",
    "Segment",
    "Trained",
    "estimates",
    "host_weights",
    "of_checkpoint",
    "of_variant",
    "plan_of",
    "profile",
    "read",
    "separate",
    "write",
]
