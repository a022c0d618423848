from .errors import NodeError as NodeError
from .errors import TranslationError as TranslationError
from .proto_size import too_much as too_much
from .translator import translate as translate

__all__ = ["NodeError", "TranslationError", "too_much", "translate"]
