from .board import Board as Board
from .board import board as board
from .bracket import moved_bracket as moved_bracket
from .chances import chances as chances
from .graphs import case_questions as case_questions
from .graphs import plan_questions as plan_questions
from .knowledge import Knowledge as Knowledge
from .knowledge import Reply as Reply
from .knowledge import knowledge as knowledge
from .question import Question as Question
from .question import foreseen as foreseen
from .ranking import rank as rank
from .replies import heard as heard
from .suggesting import suggest as suggest
from .suggesting import suggested_json as suggested_json
from .suggesting import suggested_lines as suggested_lines

__all__ = [
    "Board",
    "Knowledge",
    "Question",
    "Reply",
    "board",
    "case_questions",
    "chances",
    "foreseen",
    "heard",
    "knowledge",
    "moved_bracket",
    "plan_questions",
    "rank",
    "suggest",
    "suggested_json",
    "suggested_lines",
]
