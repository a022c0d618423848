from .classification import LogEnd as LogEnd
from .classification import LogError as LogError
from .classification import LogSummary as LogSummary
from .classification import classify_failure as classify_failure
from .classification import read_log as read_log
from .faults import may_pass as may_pass
from .faults import remedy as remedy
from .key_lines import key_trace_lines as key_trace_lines
from .key_lines import outcome_lines as outcome_lines
from .lines import MAX_LINE_BYTES as MAX_LINE_BYTES
from .lines import without_escapes as without_escapes

__all__ = [
    "MAX_LINE_BYTES",
    "LogEnd",
    "LogError",
    "LogSummary",
    "classify_failure",
    "key_trace_lines",
    "may_pass",
    "outcome_lines",
    "read_log",
    "remedy",
    "without_escapes",
]
