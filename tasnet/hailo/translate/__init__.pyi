from .errors import NodeError as NodeError
from .errors import TranslationError as TranslationError
from .external_data import external_files as external_files
from .proto_size import too_large_when_parsed as too_large_when_parsed
from .translator import settled_model as settled_model
from .translator import translate as translate

__all__ = ["NodeError", "TranslationError", "external_files", "settled_model", "too_large_when_parsed", "translate"]
