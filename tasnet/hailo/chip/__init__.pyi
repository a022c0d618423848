from .detection import Detection as Detection
from .detection import detect_chip as detect_chip
from .failure import hailort_call as hailort_call
from .runtime import ChipInference as ChipInference
from .runtime import ChipMeasurement as ChipMeasurement
from .runtime import infer_on_chip as infer_on_chip
from .switching import FrameTimes as FrameTimes
from .switching import time_switches as time_switches

__all__ = [
    "ChipInference",
    "ChipMeasurement",
    "Detection",
    "FrameTimes",
    "detect_chip",
    "hailort_call",
    "infer_on_chip",
    "time_switches",
]
