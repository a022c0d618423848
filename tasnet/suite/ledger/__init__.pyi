from .entry import Entry as Entry
from .entry import Ledger as Ledger
from .entry import LedgerError as LedgerError
from .entry import claims as claims
from .entry import covers as covers
from .entry import in_scope as in_scope
from .entry import stale as stale
from .flaky import Seen as Seen
from .judgement import PASSING as PASSING
from .judgement import Blocked as Blocked
from .judgement import Judgement as Judgement
from .judgement import Kind as Kind
from .judgement import Upstream as Upstream
from .judgement import due as due
from .judgement import judge as judge
from .judgement import upstream as upstream
from .model import json_schema as json_schema
from .reading import parse as parse
from .reading import read as read
from .reading import text_of as text_of
from .where import COUNTS as COUNTS
from .where import NOT as NOT
from .where import WORDS as WORDS
from .where import AnyOf as AnyOf
from .where import Axes as Axes
from .where import Claim as Claim
from .where import Condition as Condition
from .where import Count as Count
from .where import Not as Not
from .where import Without as Without
from .where import Word as Word
from .where import count_of as count_of
from .where import holds as holds
from .where import matches as matches
from .where import read_where as read_where
from .why import difference as difference
from .why import held as held
from .why import near as near
from .why import text as text
from .why import unmet as unmet
from .why import where_text as where_text

__all__ = [
    "COUNTS",
    "NOT",
    "PASSING",
    "WORDS",
    "AnyOf",
    "Axes",
    "Blocked",
    "Claim",
    "Condition",
    "Count",
    "Entry",
    "Judgement",
    "Kind",
    "Ledger",
    "LedgerError",
    "Not",
    "Seen",
    "Upstream",
    "Without",
    "Word",
    "claims",
    "count_of",
    "covers",
    "difference",
    "due",
    "held",
    "holds",
    "in_scope",
    "json_schema",
    "judge",
    "matches",
    "near",
    "parse",
    "read",
    "read_where",
    "stale",
    "text",
    "text_of",
    "unmet",
    "upstream",
    "where_text",
]
