from .calibration import segment_inputs as segment_inputs
from .candidates import Bounds as Bounds
from .compiled import check_files as check_files
from .compiled import name_hefs as name_hefs
from .compiled import network_name as network_name
from .compiled import plan_without as plan_without
from .compiled import refused_of as refused_of
from .compiled import trained_of_plan as trained_of_plan
from .cut import FORMS as FORMS
from .cut import Cut as Cut
from .cut import Refused as Refused
from .cuts import Plan as Plan
from .cuts import Segment as Segment
from .cuts import cut_from_segment as cut_from_segment
from .cuts import plan_json as plan_json
from .cuts import read_plan as read_plan
from .drawing import drawing_lines as drawing_lines
from .drawing import drawing_svg as drawing_svg
from .function import PlanError as PlanError
from .function import TrainedFunction as TrainedFunction
from .function import function_of_checkpoint as function_of_checkpoint
from .function import function_of_variant as function_of_variant
from .hardware import read_profile as read_profile
from .layers import graph_shape as graph_shape
from .make import Made as Made
from .make import check_place as check_place
from .make import make_plan as make_plan
from .make import make_stream_plan as make_stream_plan
from .make import move_plan as move_plan
from .make import write_plan as write_plan
from .measure import measure_profile as measure_profile
from .measure import profile_toml as profile_toml
from .on_stream import separate_stream as separate_stream
from .on_wav import SeparationResult as SeparationResult
from .on_wav import separate_wav as separate_wav
from .runtime import runtime_source as runtime_source
from .search import OBJECTIVES as OBJECTIVES
from .segment_graph import to_onnx as to_onnx
from .segments import verdict_of_segment as verdict_of_segment
from .sensitivity import sensitivities as sensitivities
from .simulated import simulate as simulate
from .table import front_lines as front_lines
from .table import option_lines as option_lines
from .table import plan_lines as plan_lines
from .table import sensitivity_lines as sensitivity_lines
from .table import weakest_evidence as weakest_evidence

__all__ = [
    "FORMS",
    "OBJECTIVES",
    "Bounds",
    "Cut",
    "Made",
    "Plan",
    "PlanError",
    "Refused",
    "Segment",
    "SeparationResult",
    "TrainedFunction",
    "check_files",
    "check_place",
    "cut_from_segment",
    "drawing_lines",
    "drawing_svg",
    "front_lines",
    "function_of_checkpoint",
    "function_of_variant",
    "graph_shape",
    "make_plan",
    "make_stream_plan",
    "measure_profile",
    "move_plan",
    "name_hefs",
    "network_name",
    "option_lines",
    "plan_json",
    "plan_lines",
    "plan_without",
    "profile_toml",
    "read_plan",
    "read_profile",
    "refused_of",
    "runtime_source",
    "segment_inputs",
    "sensitivities",
    "sensitivity_lines",
    "separate_stream",
    "separate_wav",
    "simulate",
    "to_onnx",
    "trained_of_plan",
    "verdict_of_segment",
    "weakest_evidence",
    "write_plan",
]
