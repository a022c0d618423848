from .base_ledger import ledger_at as ledger_at
from .checking import LedgerFinding as LedgerFinding
from .checking import check_ledger as check_ledger
from .checking import entries_out_of_scope as entries_out_of_scope
from .explaining import explain_case as explain_case
from .explaining import explanation_json as explanation_json
from .explaining import explanation_lines as explanation_lines
from .rejudging import FlakyHistory as FlakyHistory
from .rejudging import flaky_history as flaky_history
from .rejudging import history_of_case as history_of_case
from .rejudging import last_whole_runs as last_whole_runs
from .rejudging import latest_run as latest_run
from .rejudging import named_or_last_run as named_or_last_run
from .rejudging import records_beside as records_beside
from .rejudging import same_setup_as as same_setup_as
from .updating import LedgerUpdate as LedgerUpdate
from .updating import plan_update as plan_update
from .updating import update_ledger as update_ledger

__all__ = [
    "FlakyHistory",
    "LedgerFinding",
    "LedgerUpdate",
    "check_ledger",
    "entries_out_of_scope",
    "explain_case",
    "explanation_json",
    "explanation_lines",
    "flaky_history",
    "history_of_case",
    "last_whole_runs",
    "latest_run",
    "ledger_at",
    "named_or_last_run",
    "plan_update",
    "records_beside",
    "same_setup_as",
    "update_ledger",
]
