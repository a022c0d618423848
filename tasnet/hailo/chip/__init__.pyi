from .detection import Detection as Detection
from .detection import detect as detect
from .runtime import Inference as Inference
from .runtime import Measurement as Measurement
from .runtime import infer as infer

__all__ = ["Detection", "Inference", "Measurement", "detect", "infer"]
