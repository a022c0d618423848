from .answers import Asker as Asker
from .answers import Budget as Budget
from .board import Board as Board
from .board import board as board
from .bracket import moved_bracket as moved_bracket
from .chances import chances as chances
from .changes import Change as Change
from .changes import Removals as Removals
from .changes import removals as removals
from .graphs import case_questions as case_questions
from .graphs import plan_questions as plan_questions
from .isolated_files import check_folder as check_folder
from .isolated_files import folder_of as folder_of
from .isolated_files import repeat_commands as repeat_commands
from .isolated_files import size_line as size_line
from .isolated_files import write_isolated as write_isolated
from .isolation import Isolated as Isolated
from .isolation import isolate as isolate
from .knowledge import Knowledge as Knowledge
from .knowledge import Reply as Reply
from .knowledge import knowledge as knowledge
from .learning import learned as learned
from .learning import learned_lines as learned_lines
from .question import Question as Question
from .question import foreseen as foreseen
from .ranking import rank as rank
from .replies import heard as heard
from .suggesting import suggest as suggest
from .suggesting import suggested_json as suggested_json
from .suggesting import suggested_lines as suggested_lines
from .vacuous import dead_nodes as dead_nodes
from .vacuous import vacuous_by_key as vacuous_by_key
from .vacuous import vacuous_in_graphs as vacuous_in_graphs

__all__ = [
    "Asker",
    "Board",
    "Budget",
    "Change",
    "Isolated",
    "Knowledge",
    "Question",
    "Removals",
    "Reply",
    "board",
    "case_questions",
    "chances",
    "check_folder",
    "dead_nodes",
    "folder_of",
    "foreseen",
    "heard",
    "isolate",
    "knowledge",
    "learned",
    "learned_lines",
    "moved_bracket",
    "plan_questions",
    "rank",
    "removals",
    "repeat_commands",
    "size_line",
    "suggest",
    "suggested_json",
    "suggested_lines",
    "vacuous_by_key",
    "vacuous_in_graphs",
    "write_isolated",
]
