from . import device as device
from .comparison import compare as compare
from .device import Check as Check
from .device import Ran as Ran
from .device import Row as Row
from .device import rows as rows
from .lines import comparison_json as comparison_json
from .lines import comparison_lines as comparison_lines
from .lines import runs_json as runs_json
from .lines import runs_lines as runs_lines
from .lines import trend_json as trend_json
from .lines import trend_lines as trend_lines
from .origins import Origin as Origin
from .origins import origin as origin
from .records import Record as Record
from .records import record as record
from .run import RECORDS as RECORDS
from .run import Head as Head
from .run import Measure as Measure
from .run import Run as Run
from .run import RunError as RunError
from .run import Unreadable as Unreadable
from .run import check as check
from .run import find as find
from .run import folders as folders
from .run import heads as heads
from .run import latest as latest
from .run import read as read
from .trends import trend as trend
from .writer import Writer as Writer
from .writer import begin as begin

__all__ = [
    "RECORDS",
    "Check",
    "Head",
    "Measure",
    "Origin",
    "Ran",
    "Record",
    "Row",
    "Run",
    "RunError",
    "Unreadable",
    "Writer",
    "begin",
    "check",
    "compare",
    "comparison_json",
    "comparison_lines",
    "device",
    "find",
    "folders",
    "heads",
    "latest",
    "origin",
    "read",
    "record",
    "rows",
    "runs_json",
    "runs_lines",
    "trend",
    "trend_json",
    "trend_lines",
]
