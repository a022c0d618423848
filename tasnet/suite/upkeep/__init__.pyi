from .again import Past as Past
from .again import last_run as last_run
from .again import latest as latest
from .again import of_case as of_case
from .again import past_of as past_of
from .again import whole_runs as whole_runs
from .base import at as at
from .checking import Finding as Finding
from .checking import check as check
from .checking import not_spoken_of as not_spoken_of
from .explaining import as_json as as_json
from .explaining import explain as explain
from .explaining import lines as lines
from .updating import Update as Update
from .updating import update as update
from .updating import write as write

__all__ = [
    "Finding",
    "Past",
    "Update",
    "as_json",
    "at",
    "check",
    "explain",
    "last_run",
    "latest",
    "lines",
    "not_spoken_of",
    "of_case",
    "past_of",
    "update",
    "whole_runs",
    "write",
]
