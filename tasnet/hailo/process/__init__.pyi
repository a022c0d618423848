from . import memory_slots as memory_slots
from . import run as run
from .run import Cut as Cut
from .run import Finish as Finish
from .run import Message as Message
from .run import signal_name as signal_name

__all__ = ["Cut", "Finish", "Message", "memory_slots", "run", "signal_name"]
