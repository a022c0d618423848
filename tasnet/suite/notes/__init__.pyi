from .night_run import write_runs as write_runs
from .old_runs import import_runs as import_runs
from .summary_tsv import timed_out as timed_out
from .summary_tsv import write_summary as write_summary

__all__ = ["import_runs", "timed_out", "write_runs", "write_summary"]
