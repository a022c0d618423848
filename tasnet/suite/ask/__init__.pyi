from .bracket import moved_bracket as moved_bracket
from .chances import chances as chances
from .knowledge import Knowledge as Knowledge
from .knowledge import Reply as Reply
from .knowledge import knowledge as knowledge
from .question import Question as Question
from .question import Source as Source
from .question import foreseen as foreseen
from .ranking import rank as rank

__all__ = ["Knowledge", "Question", "Reply", "Source", "chances", "foreseen", "knowledge", "moved_bracket", "rank"]
