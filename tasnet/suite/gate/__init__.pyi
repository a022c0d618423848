from .judging import Order as Order
from .markdown import lines as lines
from .result import as_json as as_json
from .run import gate as gate

__all__ = ["Order", "as_json", "gate", "lines"]
