from .judging import GateRequest as GateRequest
from .markdown import markdown_lines as markdown_lines
from .result import result_json as result_json
from .run import run_gate as run_gate

__all__ = ["GateRequest", "markdown_lines", "result_json", "run_gate"]
