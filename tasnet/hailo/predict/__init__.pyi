from .bracket import PUBLIC_BRACKET as PUBLIC_BRACKET
from .bracket import ROW_FAIL as ROW_FAIL
from .bracket import ROW_PASS as ROW_PASS
from .bracket import Bracket as Bracket
from .constraints import SEEN_POINTWISE as SEEN_POINTWISE
from .constraints import Prediction as Prediction
from .constraints import PredictionKind as PredictionKind
from .constraints import predict_network as predict_network
from .demands import LINEAR as LINEAR
from .demands import SEEN_KIND as SEEN_KIND
from .demands import SIZES as SIZES
from .demands import Demand as Demand
from .demands import Demands as Demands
from .demands import LayerKind as LayerKind
from .demands import demands_from_json as demands_from_json
from .demands import demands_json as demands_json
from .demands import demands_of as demands_of
from .observations import PUBLIC_RECORD as PUBLIC_RECORD
from .observations import Observations as Observations
from .reference import Reference as Reference
from .reference import is_onnx as is_onnx
from .reference import predict_file as predict_file
from .reference import read_network as read_network

__all__ = [
    "LINEAR",
    "PUBLIC_BRACKET",
    "PUBLIC_RECORD",
    "ROW_FAIL",
    "ROW_PASS",
    "SEEN_KIND",
    "SEEN_POINTWISE",
    "SIZES",
    "Bracket",
    "Demand",
    "Demands",
    "LayerKind",
    "Observations",
    "Prediction",
    "PredictionKind",
    "Reference",
    "demands_from_json",
    "demands_json",
    "demands_of",
    "is_onnx",
    "predict_file",
    "predict_network",
    "read_network",
]
