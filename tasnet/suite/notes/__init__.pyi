from .exporting import write_night_run as write_night_run
from .importing import import_night_runs as import_night_runs
from .summary_tsv import timed_out as timed_out
from .summary_tsv import write_summary as write_summary

__all__ = ["import_night_runs", "timed_out", "write_night_run", "write_summary"]
