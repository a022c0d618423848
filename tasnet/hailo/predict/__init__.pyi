from .constraints import ROW_FAIL as ROW_FAIL
from .constraints import ROW_PASS as ROW_PASS
from .constraints import Prediction as Prediction
from .constraints import PredictionKind as PredictionKind
from .constraints import predict_network as predict_network
from .reference import Reference as Reference
from .reference import is_onnx as is_onnx
from .reference import predict_file as predict_file
from .reference import read_network as read_network

__all__ = [
    "ROW_FAIL",
    "ROW_PASS",
    "Prediction",
    "PredictionKind",
    "Reference",
    "is_onnx",
    "predict_file",
    "predict_network",
    "read_network",
]
