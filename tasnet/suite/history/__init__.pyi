from . import device as device
from .comparison import compare_runs as compare_runs
from .device import DeviceCheck as DeviceCheck
from .device import DeviceRecord as DeviceRecord
from .device import DeviceRow as DeviceRow
from .device import device_rows as device_rows
from .empty_store import no_runs as no_runs
from .lines import comparison_json as comparison_json
from .lines import comparison_lines as comparison_lines
from .lines import run_json as run_json
from .lines import runs_json as runs_json
from .lines import runs_lines as runs_lines
from .lines import trend_json as trend_json
from .lines import trend_lines as trend_lines
from .origins import RunOrigin as RunOrigin
from .origins import find_origin as find_origin
from .plans import HEADS as HEADS
from .plans import PlanChange as PlanChange
from .plans import PlanRecord as PlanRecord
from .plans import plan_change as plan_change
from .records import ByEvidence as ByEvidence
from .records import CaseRecord as CaseRecord
from .records import EvidenceWord as EvidenceWord
from .records import case_record as case_record
from .run import RECORDS as RECORDS
from .run import ParityFigure as ParityFigure
from .run import RunError as RunError
from .run import RunHead as RunHead
from .run import StoredRun as StoredRun
from .run import UnreadableRun as UnreadableRun
from .run import check_run as check_run
from .run import find_run as find_run
from .run import latest_records as latest_records
from .run import read_run as read_run
from .run import run_folders as run_folders
from .run import run_heads as run_heads
from .same_kind import run_before as run_before
from .trends import find_trend as find_trend
from .writer import RunWriter as RunWriter
from .writer import begin_run as begin_run

__all__ = [
    "HEADS",
    "RECORDS",
    "ByEvidence",
    "CaseRecord",
    "DeviceCheck",
    "DeviceRecord",
    "DeviceRow",
    "EvidenceWord",
    "ParityFigure",
    "PlanChange",
    "PlanRecord",
    "RunError",
    "RunHead",
    "RunOrigin",
    "RunWriter",
    "StoredRun",
    "UnreadableRun",
    "begin_run",
    "case_record",
    "check_run",
    "compare_runs",
    "comparison_json",
    "comparison_lines",
    "device",
    "device_rows",
    "find_origin",
    "find_run",
    "find_trend",
    "latest_records",
    "no_runs",
    "plan_change",
    "read_run",
    "run_before",
    "run_folders",
    "run_heads",
    "run_json",
    "runs_json",
    "runs_lines",
    "trend_json",
    "trend_lines",
]
