from . import bounded as bounded
from . import printable as printable
from . import settings as settings
from . import unfinished as unfinished
from . import yaml_file as yaml_file
from .bounded import contents as contents
from .bounded import no_file as no_file
from .bounded import no_folder as no_folder
from .bounded import opened as opened
from .bounded import text as text
from .errors import MOST as MOST
from .errors import TasnetError as TasnetError
from .errors import one_line as one_line
from .files import sha256 as sha256
from .git_command import GitError as GitError
from .git_command import environment as environment
from .git_command import git as git
from .locks import PATIENCE as PATIENCE
from .locks import Say as Say
from .locks import holder as holder
from .locks import locked as locked
from .locks import on_stderr as on_stderr
from .locks import sign as sign
from .pages import render as render
from .printable import LONGEST as LONGEST
from .printable import line as line
from .printable import say as say
from .seals import checksum as checksum
from .seals import sealed as sealed
from .seals import unsealed as unsealed
from .settings import table as table
from .verified import NoFileOfStore as NoFileOfStore
from .verified import has_content as has_content
from .verified import kept_bytes as kept_bytes
from .verified import weights_beside as weights_beside
from .wav_file import wav as wav
from .whole import write_whole as write_whole
from .words import columns as columns
from .words import labelled as labelled
from .words import natural as natural
from .words import prose as prose
from .words import short_layers as short_layers

__all__ = [
    "LONGEST",
    "MOST",
    "PATIENCE",
    "GitError",
    "NoFileOfStore",
    "Say",
    "TasnetError",
    "bounded",
    "checksum",
    "columns",
    "contents",
    "environment",
    "git",
    "has_content",
    "holder",
    "kept_bytes",
    "labelled",
    "line",
    "locked",
    "natural",
    "no_file",
    "no_folder",
    "on_stderr",
    "one_line",
    "opened",
    "printable",
    "prose",
    "render",
    "say",
    "sealed",
    "settings",
    "sha256",
    "short_layers",
    "sign",
    "table",
    "text",
    "unfinished",
    "unsealed",
    "wav",
    "weights_beside",
    "write_whole",
    "yaml_file",
]
