from .memory_slots import hold_memory as hold_memory
from .run import Message as Message
from .run import ProcessEnd as ProcessEnd
from .run import Resource as Resource
from .run import run_process as run_process
from .run import signal_name as signal_name

__all__ = ["Message", "ProcessEnd", "Resource", "hold_memory", "run_process", "signal_name"]
