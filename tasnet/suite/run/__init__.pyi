from .calibration import calibration_lines as calibration_lines
from .calibration import load_calibration as load_calibration
from .calibration import save_calibration as save_calibration
from .case_in_onnx import ModelFunction as ModelFunction
from .case_in_onnx import function_of_file as function_of_file
from .case_in_onnx import note_case as note_case
from .case_in_onnx import told_function as told_function
from .graph_stages import GraphToCompile as GraphToCompile
from .graph_stages import compile_graph as compile_graph
from .har_graph import stored_graph as stored_graph
from .options import RunOptions as RunOptions
from .options import check_writable as check_writable
from .options import store_root as store_root
from .pipeline import Pipeline as Pipeline
from .pipeline import onnx_bytes as onnx_bytes
from .plan_compile import compile_plan as compile_plan
from .plans import KeptPlan as KeptPlan
from .plans import cases_of as cases_of
from .plans import plan_record as plan_record
from .plans import read_kept as read_kept
from .recipe import Recipe as Recipe
from .recipe_weights import RecipeWeights as RecipeWeights
from .recipe_weights import load_weights as load_weights
from .store import DamagedArtifact as DamagedArtifact
from .store import DamageWarning as DamageWarning
from .store import Store as Store
from .store import StoreError as StoreError
from .store import content_key as content_key
from .store import content_of as content_of
from .store import file_sha256 as file_sha256
from .store import open_store as open_store
from .toolchains import ToolchainOptions as ToolchainOptions
from .toolchains import open_compiler as open_compiler
from .toolchains import open_pipeline as open_pipeline

__all__ = [
    "DamageWarning",
    "DamagedArtifact",
    "GraphToCompile",
    "KeptPlan",
    "ModelFunction",
    "Pipeline",
    "Recipe",
    "RecipeWeights",
    "RunOptions",
    "Store",
    "StoreError",
    "ToolchainOptions",
    "calibration_lines",
    "cases_of",
    "check_writable",
    "compile_graph",
    "compile_plan",
    "content_key",
    "content_of",
    "file_sha256",
    "function_of_file",
    "load_calibration",
    "load_weights",
    "note_case",
    "onnx_bytes",
    "open_compiler",
    "open_pipeline",
    "open_store",
    "plan_record",
    "read_kept",
    "save_calibration",
    "store_root",
    "stored_graph",
    "told_function",
]
