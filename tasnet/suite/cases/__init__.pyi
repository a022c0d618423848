from .case import BASE_ARCH as BASE_ARCH
from .case import SIZE_LETTERS as SIZE_LETTERS
from .case import Case as Case
from .case import CaseError as CaseError
from .case import graph as graph
from .case import graph_key as graph_key
from .names import LONGEST_ID as LONGEST_ID
from .names import parse as parse
from .outcome import DOUBLE as DOUBLE
from .outcome import ORDER as ORDER
from .outcome import TRIED_AGAIN as TRIED_AGAIN
from .outcome import Outcome as Outcome
from .outcome import Provenance as Provenance
from .outcome import Stage as Stage
from .outcome import Status as Status
from .profiles import NOTES_TAGS as NOTES_TAGS
from .profiles import PROFILES as PROFILES
from .profiles import profile as profile
from .verdict import WORDS as WORDS
from .verdict import Verdict as Verdict
from .verdict import rank as rank
from .verdict import verdict_of as verdict_of

__all__ = [
    "BASE_ARCH",
    "DOUBLE",
    "LONGEST_ID",
    "NOTES_TAGS",
    "ORDER",
    "PROFILES",
    "SIZE_LETTERS",
    "TRIED_AGAIN",
    "WORDS",
    "Case",
    "CaseError",
    "Outcome",
    "Provenance",
    "Stage",
    "Status",
    "Verdict",
    "graph",
    "graph_key",
    "parse",
    "profile",
    "rank",
    "verdict_of",
]
