from .entry import Entry as Entry
from .entry import Ledger as Ledger
from .entry import LedgerError as LedgerError
from .entry import ToolchainScope as ToolchainScope
from .entry import claims as claims
from .entry import covers as covers
from .entry import entries_without_cases as entries_without_cases
from .entry import in_scope as in_scope
from .flaky import FailureCount as FailureCount
from .flaky import RateError as RateError
from .judgement import PASSING_KINDS as PASSING_KINDS
from .judgement import BlockedStage as BlockedStage
from .judgement import Blocker as Blocker
from .judgement import Judgement as Judgement
from .judgement import JudgementKind as JudgementKind
from .judgement import blocked_stages as blocked_stages
from .judgement import due_for_review as due_for_review
from .judgement import judge as judge
from .model import json_schema as json_schema
from .pattern import Pattern as Pattern
from .reading import ledger_text as ledger_text
from .reading import parse_ledger as parse_ledger
from .reading import read_ledger as read_ledger
from .root import LEDGER_FILE as LEDGER_FILE
from .root import from_here as from_here
from .root import ledger_of as ledger_of
from .root import nearest_root as nearest_root
from .root import other_package as other_package
from .root import root_folder as root_folder
from .where import COUNT_AXES as COUNT_AXES
from .where import NOT as NOT
from .where import SEGMENT as SEGMENT
from .where import WORD_AXES as WORD_AXES
from .where import Axes as Axes
from .where import Claim as Claim
from .where import Condition as Condition
from .where import Count as Count
from .where import Not as Not
from .where import Without as Without
from .where import count_of as count_of
from .where import holds as holds
from .where import is_segment as is_segment
from .where import reaches as reaches
from .where import read_where as read_where
from .where import value_of as value_of
from .where import where_matches as where_matches
from .where_yaml import flow_yaml as flow_yaml
from .where_yaml import one_or_list as one_or_list
from .where_yaml import plain_claim as plain_claim
from .where_yaml import plain_condition as plain_condition
from .where_yaml import where_text as where_text
from .why import closest_mismatch as closest_mismatch
from .why import conditions_met as conditions_met
from .why import conditions_unmet as conditions_unmet
from .why import nearest_entries as nearest_entries

__all__ = [
    "COUNT_AXES",
    "LEDGER_FILE",
    "NOT",
    "PASSING_KINDS",
    "SEGMENT",
    "WORD_AXES",
    "Axes",
    "BlockedStage",
    "Blocker",
    "Claim",
    "Condition",
    "Count",
    "Entry",
    "FailureCount",
    "Judgement",
    "JudgementKind",
    "Ledger",
    "LedgerError",
    "Not",
    "Pattern",
    "RateError",
    "ToolchainScope",
    "Without",
    "blocked_stages",
    "claims",
    "closest_mismatch",
    "conditions_met",
    "conditions_unmet",
    "count_of",
    "covers",
    "due_for_review",
    "entries_without_cases",
    "flow_yaml",
    "from_here",
    "holds",
    "in_scope",
    "is_segment",
    "json_schema",
    "judge",
    "ledger_of",
    "ledger_text",
    "nearest_entries",
    "nearest_root",
    "one_or_list",
    "other_package",
    "parse_ledger",
    "plain_claim",
    "plain_condition",
    "reaches",
    "read_ledger",
    "read_where",
    "root_folder",
    "value_of",
    "where_matches",
    "where_text",
]
