from . import unfinished as unfinished
from . import yaml_file as yaml_file
from .ansi import without_ansi as without_ansi
from .bounded import open_regular as open_regular
from .bounded import read_bytes as read_bytes
from .bounded import read_text as read_text
from .bounded import why_no_file as why_no_file
from .bounded import why_no_folder as why_no_folder
from .errors import TasnetError as TasnetError
from .errors import cause_line as cause_line
from .errors import error_line as error_line
from .errors import named_error_line as named_error_line
from .files import sha256 as sha256
from .garbage import collect_garbage_rarely as collect_garbage_rarely
from .git_command import GitError as GitError
from .git_command import git as git
from .git_command import git_environment as git_environment
from .locks import PATIENCE_SECONDS as PATIENCE_SECONDS
from .locks import Notify as Notify
from .locks import lock_holder as lock_holder
from .locks import locked as locked
from .locks import notify_on_stderr as notify_on_stderr
from .locks import sign_lock as sign_lock
from .pages import render_page as render_page
from .plain_signs import in_ascii as in_ascii
from .plain_signs import write_plainly as write_plainly
from .printing import MAX_LINE_CHARS as MAX_LINE_CHARS
from .printing import print_line as print_line
from .printing import printable as printable
from .seals import checksum as checksum
from .seals import sealed as sealed
from .seals import unsealed as unsealed
from .settings import settings_table as settings_table
from .sources import PACKAGE as PACKAGE
from .sources import source_digest as source_digest
from .today import utc_today as utc_today
from .verified import NotAStoredFile as NotAStoredFile
from .verified import has_content as has_content
from .verified import stored_bytes as stored_bytes
from .verified import weights_beside as weights_beside
from .wav_file import open_wav as open_wav
from .wav_file import resample as resample
from .whole import write_whole as write_whole
from .words import counted as counted
from .words import folded_name as folded_name
from .words import labelled_line as labelled_line
from .words import labelled_paragraph as labelled_paragraph
from .words import natural_order as natural_order
from .words import short_layers as short_layers
from .words import table_lines as table_lines

__all__ = [
    "MAX_LINE_CHARS",
    "PACKAGE",
    "PATIENCE_SECONDS",
    "GitError",
    "NotAStoredFile",
    "Notify",
    "TasnetError",
    "cause_line",
    "checksum",
    "collect_garbage_rarely",
    "counted",
    "error_line",
    "folded_name",
    "git",
    "git_environment",
    "has_content",
    "in_ascii",
    "labelled_line",
    "labelled_paragraph",
    "lock_holder",
    "locked",
    "named_error_line",
    "natural_order",
    "notify_on_stderr",
    "open_regular",
    "open_wav",
    "print_line",
    "printable",
    "read_bytes",
    "read_text",
    "render_page",
    "sealed",
    "settings_table",
    "sha256",
    "short_layers",
    "sign_lock",
    "source_digest",
    "stored_bytes",
    "table_lines",
    "unfinished",
    "unsealed",
    "utc_today",
    "weights_beside",
    "why_no_file",
    "why_no_folder",
    "without_ansi",
    "write_plainly",
    "write_whole",
    "yaml_file",
]
