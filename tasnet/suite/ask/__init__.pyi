from .answers import Asker as Asker
from .answers import Budget as Budget
from .bracket import moved_bracket as moved_bracket
from .by_evidence import by_case as by_case
from .by_evidence import evidence_on_case as evidence_on_case
from .by_evidence import survey_of_run as survey_of_run
from .by_evidence import with_evidence as with_evidence
from .chances import yes_chances as yes_chances
from .changes import Change as Change
from .changes import Removals as Removals
from .changes import removals as removals
from .deciding import Asked as Asked
from .deciding import ask_here as ask_here
from .deciding import ask_on_workers as ask_on_workers
from .deciding import decide as decide
from .isolated_files import check_folder as check_folder
from .isolated_files import folder_of as folder_of
from .isolated_files import repeat_commands as repeat_commands
from .isolated_files import size_line as size_line
from .isolated_files import write_isolated as write_isolated
from .isolation import Isolated as Isolated
from .isolation import isolate as isolate
from .knowledge import Knowledge as Knowledge
from .knowledge import Reply as Reply
from .knowledge import known_from as known_from
from .known import embedded_toolchain as embedded_toolchain
from .known import known_observations as known_observations
from .known import open_informed_pipeline as open_informed_pipeline
from .monotonicity import ASSUMED as ASSUMED
from .news import NOTHING as NOTHING
from .news import news_lines as news_lines
from .question import Question as Question
from .question import rule_verdict as rule_verdict
from .questions_page import next_rows as next_rows
from .questions_page import write_questions_page as write_questions_page
from .ranking import rank as rank
from .suggesting import suggest as suggest
from .suggesting import suggested_json as suggested_json
from .suggesting import suggested_lines as suggested_lines
from .survey import Survey as Survey
from .survey_maker import SurveyMaker as SurveyMaker
from .survey_maker import sweep_lines as sweep_lines
from .vacuous import dead_nodes as dead_nodes
from .vacuous import vacuous_by_key as vacuous_by_key
from .vacuous import vacuous_in_graphs as vacuous_in_graphs

__all__ = [
    "ASSUMED",
    "NOTHING",
    "Asked",
    "Asker",
    "Budget",
    "Change",
    "Isolated",
    "Knowledge",
    "Question",
    "Removals",
    "Reply",
    "Survey",
    "SurveyMaker",
    "ask_here",
    "ask_on_workers",
    "by_case",
    "check_folder",
    "dead_nodes",
    "decide",
    "embedded_toolchain",
    "evidence_on_case",
    "folder_of",
    "isolate",
    "known_from",
    "known_observations",
    "moved_bracket",
    "news_lines",
    "next_rows",
    "open_informed_pipeline",
    "rank",
    "removals",
    "repeat_commands",
    "rule_verdict",
    "size_line",
    "suggest",
    "suggested_json",
    "suggested_lines",
    "survey_of_run",
    "sweep_lines",
    "vacuous_by_key",
    "vacuous_in_graphs",
    "with_evidence",
    "write_isolated",
    "write_questions_page",
    "yes_chances",
]
