from .classification import End as End
from .classification import LogError as LogError
from .classification import Told as Told
from .classification import classify as classify
from .classification import classify_file as classify_file
from .classification import read_log as read_log
from .event import clean as clean
from .event import event_of as event_of
from .event import exception_of as exception_of
from .event import level as level
from .event import rest_of as rest_of
from .faults import passing as passing
from .faults import remedy as remedy
from .key_trace import telling as telling
from .lines import LONGEST as LONGEST
from .lines import Block as Block
from .lines import Line as Line
from .lines import plain as plain
from .lines import telling_lines as telling_lines
from .lines import unwrapped as unwrapped
from .phases import mark_of as mark_of

__all__ = [
    "LONGEST",
    "Block",
    "End",
    "Line",
    "LogError",
    "Told",
    "classify",
    "classify_file",
    "clean",
    "event_of",
    "exception_of",
    "level",
    "mark_of",
    "passing",
    "plain",
    "read_log",
    "remedy",
    "rest_of",
    "telling",
    "telling_lines",
    "unwrapped",
]
