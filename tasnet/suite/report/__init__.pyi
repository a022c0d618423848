from .browser import screenshot as screenshot
from .failing import failing_lines as failing_lines
from .page import is_report as is_report
from .page import page_html as page_html
from .page import write_page as write_page
from .progress import ProgressBar as ProgressBar
from .progress import ProgressLines as ProgressLines
from .run_folder import new_folder as new_folder
from .run_folder import write_run as write_run
from .sources import gather_runs as gather_runs
from .support import SUPPORT_COMMAND as SUPPORT_COMMAND
from .support import current_support_text as current_support_text
from .support import observed_runs as observed_runs
from .support import predicted_runs as predicted_runs
from .support import support_diff as support_diff
from .support import support_document as support_document
from .terminal import summary_text as summary_text
from .terminal import summary_title as summary_title

__all__ = [
    "SUPPORT_COMMAND",
    "ProgressBar",
    "ProgressLines",
    "current_support_text",
    "failing_lines",
    "gather_runs",
    "is_report",
    "new_folder",
    "observed_runs",
    "page_html",
    "predicted_runs",
    "screenshot",
    "summary_text",
    "summary_title",
    "support_diff",
    "support_document",
    "write_page",
    "write_run",
]
