from .case import BASE_ARCH as BASE_ARCH
from .case import SEGMENT_PARTS as SEGMENT_PARTS
from .case import SIZE_LETTERS as SIZE_LETTERS
from .case import AnyCase as AnyCase
from .case import Case as Case
from .case import CaseError as CaseError
from .case import SegmentCase as SegmentCase
from .case import graph_case as graph_case
from .case import graph_key as graph_key
from .function import axes_function as axes_function
from .function import case_function as case_function
from .named import named_cases as named_cases
from .named import why_not_run as why_not_run
from .named import without_keyword as without_keyword
from .names import MAX_ID_CHARS as MAX_ID_CHARS
from .names import check_blocks as check_blocks
from .names import parse_any_case as parse_any_case
from .names import parse_case as parse_case
from .outcome import DOUBLE_SUFFIX as DOUBLE_SUFFIX
from .outcome import LEARNED_NOTHING as LEARNED_NOTHING
from .outcome import STAGES as STAGES
from .outcome import Outcome as Outcome
from .outcome import Provenance as Provenance
from .outcome import Stage as Stage
from .outcome import Status as Status
from .profiles import NOTES_TAGS as NOTES_TAGS
from .profiles import PLANNED as PLANNED
from .profiles import PLANS as PLANS
from .profiles import PROFILE_MEANINGS as PROFILE_MEANINGS
from .profiles import PROFILE_NAMES as PROFILE_NAMES
from .profiles import PROFILES as PROFILES
from .profiles import PlannedNetwork as PlannedNetwork
from .profiles import profile_cases as profile_cases
from .verdict import VERDICT_WORDS as VERDICT_WORDS
from .verdict import Verdict as Verdict
from .verdict import severity as severity
from .verdict import verdict_of as verdict_of

__all__ = [
    "BASE_ARCH",
    "DOUBLE_SUFFIX",
    "LEARNED_NOTHING",
    "MAX_ID_CHARS",
    "NOTES_TAGS",
    "PLANNED",
    "PLANS",
    "PROFILES",
    "PROFILE_MEANINGS",
    "PROFILE_NAMES",
    "SEGMENT_PARTS",
    "SIZE_LETTERS",
    "STAGES",
    "VERDICT_WORDS",
    "AnyCase",
    "Case",
    "CaseError",
    "Outcome",
    "PlannedNetwork",
    "Provenance",
    "SegmentCase",
    "Stage",
    "Status",
    "Verdict",
    "axes_function",
    "case_function",
    "check_blocks",
    "graph_case",
    "graph_key",
    "named_cases",
    "parse_any_case",
    "parse_case",
    "profile_cases",
    "severity",
    "verdict_of",
    "why_not_run",
    "without_keyword",
]
