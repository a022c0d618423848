from .bit_exact import emulate_bit_exact as emulate_bit_exact
from .bit_exact import write_emulation as write_emulation
from .confusions import Agreement as Agreement
from .confusions import ConfusionTable as ConfusionTable
from .confusions import VerdictComparison as VerdictComparison
from .confusions import confusion_table as confusion_table
from .confusions import refutation_text as refutation_text
from .confusions import refuted_predictions as refuted_predictions
from .evidence import Evidence as Evidence
from .evidence import all_evidence as all_evidence
from .evidence import evidence_by_entry as evidence_by_entry
from .evidence import evidence_of_cases as evidence_of_cases
from .evidence import is_of_the_network as is_of_the_network
from .evidence import keep_evidence as keep_evidence
from .evidence import keep_run_evidence as keep_run_evidence
from .evidence_file import SharedEvidence as SharedEvidence
from .evidence_file import everything_observed as everything_observed
from .evidence_file import export_evidence as export_evidence
from .evidence_file import import_evidence as import_evidence
from .evidence_file import read_evidence as read_evidence
from .graph_evidence import keep_graph_answer as keep_graph_answer
from .on_device import DeviceError as DeviceError
from .on_device import hefs_by_case as hefs_by_case
from .on_device import keep_device_outcome as keep_device_outcome
from .pair import NothingToCompare as NothingToCompare
from .pair import ToolchainPair as ToolchainPair
from .pair import compare_verdicts as compare_verdicts
from .pair import confusion_lines as confusion_lines
from .pair import first_lines as first_lines
from .pair import refutation_by as refutation_by
from .segment_evidence import evidence_of_plan as evidence_of_plan
from .segment_evidence import keep_segment_evidence as keep_segment_evidence
from .sweeping import cases_by_graph as cases_by_graph
from .sweeping import open_workers as open_workers
from .sweeping import sweep as sweep

__all__ = [
    "Agreement",
    "ConfusionTable",
    "DeviceError",
    "Evidence",
    "NothingToCompare",
    "SharedEvidence",
    "ToolchainPair",
    "VerdictComparison",
    "all_evidence",
    "cases_by_graph",
    "compare_verdicts",
    "confusion_lines",
    "confusion_table",
    "emulate_bit_exact",
    "everything_observed",
    "evidence_by_entry",
    "evidence_of_cases",
    "evidence_of_plan",
    "export_evidence",
    "first_lines",
    "hefs_by_case",
    "import_evidence",
    "is_of_the_network",
    "keep_device_outcome",
    "keep_evidence",
    "keep_graph_answer",
    "keep_run_evidence",
    "keep_segment_evidence",
    "open_workers",
    "read_evidence",
    "refutation_by",
    "refutation_text",
    "refuted_predictions",
    "sweep",
    "write_emulation",
]
