from .browser import photograph as photograph
from .failing import lines as lines
from .progress import Bar as Bar
from .progress import Lines as Lines
from .run_folder import new_folder as new_folder
from .run_folder import write_run as write_run
from .runs_page import page as page
from .runs_page import write as write
from .sources import gather as gather
from .support import COMMAND as COMMAND
from .support import as_it_is as as_it_is
from .support import difference as difference
from .support import document as document
from .support import last_runs as last_runs
from .support import observed_runs as observed_runs
from .terminal import ending as ending
from .terminal import title as title

__all__ = [
    "COMMAND",
    "Bar",
    "Lines",
    "as_it_is",
    "difference",
    "document",
    "ending",
    "gather",
    "last_runs",
    "lines",
    "new_folder",
    "observed_runs",
    "page",
    "photograph",
    "title",
    "write",
    "write_run",
]
