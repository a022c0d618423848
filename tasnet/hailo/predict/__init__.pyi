from .constraints import ROW_FAIL as ROW_FAIL
from .constraints import ROW_PASS as ROW_PASS
from .constraints import Kind as Kind
from .constraints import Verdict as Verdict
from .constraints import judge as judge
from .reference import Reference as Reference
from .reference import is_onnx as is_onnx
from .reference import network as network
from .reference import verdict as verdict

__all__ = ["ROW_FAIL", "ROW_PASS", "Kind", "Reference", "Verdict", "is_onnx", "judge", "network", "verdict"]
