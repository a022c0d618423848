"""The lines of a log that say how it ended: for the notes' `key_trace`, and for a log that is cut to size."""

from __future__ import annotations

import re
from collections import deque
from pathlib import Path

from tasnet.common import without_ansi
from tasnet.hailo.logs.event import continuations, event_of, exception_name, log_level, without_progress_bars
from tasnet.hailo.logs.lines import LogBlock, LogLine, hinted_lines, unwrapped, without_escapes
from tasnet.hailo.logs.messages import RULES
from tasnet.hailo.logs.phases import phase_mark

_HINTS = dict.fromkeys((*(rule.hint.encode() for rule in RULES), b" Success", b" Failed", b"[TIMEOUT]"))
_HINTED = re.compile(b"|".join(map(re.escape, (b"rror", b"xception", *_HINTS))))
_SCRIPTS = re.compile(r" Success| Failed|\[TIMEOUT\]")
_SHOWN = 160
"""characters of a line"""


def key_trace_lines(log: Path) -> tuple[tuple[int, str], ...]:
    """The last three lines of a log that say how it ended, as (line number from 1, text). Raises OSError."""
    last: deque[tuple[int, bytes]] = deque(maxlen=3)
    with log.open("rb") as file:
        for number, line in enumerate(file, 1):
            # A line may hold a whole progress bar; the words that count are near one of its ends.
            if any(_HINTED.search(end) and _says_an_outcome(end) for end in (line[:4096], line[-4096:])):
                last.append((number, line[:4096]))
    return tuple((number, _shortened(line)) for number, line in last)


def outcome_lines(data: bytes, ahead: bytes) -> list[bytes]:
    """Of `data`, a part of a log, the lines from which a reader of the whole log would learn how it ended.

    `ahead` are the bytes after it, which may continue its last line. Each line ends in a newline, and is wrapped at the
    width at which the log was: a reader recognises a terminal's width by its longest lines.
    """
    own = without_escapes(data)
    block = unwrapped(LogBlock(own + without_escapes(ahead), len(own)))
    kept = [text for line in hinted_lines(block) for text in _with_continuation(line)]
    widths = [block.width or len(text) or 1 for text in kept]
    return [
        "".join(f"{text[at : at + width]}\n" for at in range(0, len(text), width)).encode()
        for text, width in zip(kept, widths, strict=True)
    ]


def _with_continuation(line: LogLine) -> list[str]:
    """The line and those that may continue it if it says an outcome; else nothing."""
    text = without_progress_bars(line.text)
    if phase_mark(text):
        return [line.text]
    level = log_level(text)
    if level in ("info", "debug"):
        return []
    if not (event_of(text) or exception_name(text) or level or text.endswith("errors:")):
        joined = " ".join([text, *continuations(more for _, more in line.following)])
        if not event_of(joined):
            return []
    return [line.text, *(more for _, more in line.following if more.strip())]


def _says_an_outcome(data: bytes) -> bool:
    """Whether a line says how a stage ended; lines of the compiler's own search (`[info]`) don't."""
    text = without_progress_bars(_without_colours(data))
    if phase_mark(text) or _SCRIPTS.search(text):
        return True
    return log_level(text) not in ("info", "debug") and bool(event_of(text) or exception_name(text))


def _without_colours(line: bytes) -> str:
    return without_ansi(line).decode(errors="replace")


def _shortened(line: bytes) -> str:
    text = " ".join(_without_colours(line).split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
