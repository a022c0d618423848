"""The lines of a compiler's log that tell how it ended, with their numbers: the notes' `key_trace`."""

from __future__ import annotations

import re
from collections import deque
from pathlib import Path

from tasnet.hailo.logs.event import clean, event_of, exception_of, level
from tasnet.hailo.logs.messages import RULES
from tasnet.hailo.logs.phases import mark_of

_HINTS = tuple(dict.fromkeys((*(rule.hint.encode() for rule in RULES), b" Success", b" Failed", b"[TIMEOUT]")))
_TELLING = re.compile(rb" Success| Failed|\[TIMEOUT\]|rror|xception|" + b"|".join(map(re.escape, _HINTS)))
_ESCAPE = re.compile(r"\x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]")
_SCRIPTS = re.compile(r" Success| Failed|\[TIMEOUT\]")
_SHOWN = 160
"""characters of a line"""


def telling(log: Path, count: int = 3) -> tuple[tuple[int, str], ...]:
    """The last `count` telling lines of a log as (line number from 1, text). Raises OSError."""
    last: deque[tuple[int, bytes]] = deque(maxlen=count)
    with log.open("rb") as file:
        for number, line in enumerate(file, 1):
            # A line may be a whole progress bar's life; what counts stands near one of its ends.
            if any(_TELLING.search(end) and _tells(end) for end in (line[:4096], line[-4096:])):
                last.append((number, line[:4096]))
    return tuple((number, _shown(line)) for number, line in last)


def _tells(data: bytes) -> bool:
    """Whether a reader of logs makes something of the line; a search's own word tells of nothing."""
    text = clean(_ESCAPE.sub("", data.decode("utf-8", "replace")))
    if mark_of(text) or _SCRIPTS.search(text):
        return True
    return level(text) not in ("info", "debug") and bool(event_of(text) or exception_of(text))


def _shown(line: bytes) -> str:
    text = " ".join(_ESCAPE.sub("", line.decode("utf-8", "replace")).split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
