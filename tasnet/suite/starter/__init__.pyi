from .making import StartedSuite as StartedSuite
from .making import start_suite as start_suite

__all__ = [
    "StartedSuite",
    "start_suite",
]
