"""A log's bytes -> the few lines that a rule may match: in blocks, without escape sequences, whatever the size.

A search for literal hints picks the lines on which regular expressions are tried; the length of each is bounded. A
terminal or a logger may wrap a message over several lines, so each line comes with those that follow it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tasnet.common import without_ansi
from tasnet.hailo.logs.encoding import BLOCK
from tasnet.hailo.logs.event import starts_message
from tasnet.hailo.logs.messages import RULES
from tasnet.hailo.logs.phases import HINTS as PHASES

MAX_LINE_BYTES = 1 << 14
"""bytes kept of a line after the hint in it"""
FOLLOWING = 4
"""lines after one with a hint that may continue it"""
_MIN_WIDTH, _MAX_WIDTH = 60, 400
_TERMINALS = frozenset({80, 100, 120, 132, 160, 200})
"""widths of usual terminals: a single line of this length is taken for a wrapped one"""
_FULL = 3
"""lines of equal, greatest length by which any other width is recognised"""
_BEFORE = 1 << 12
"""characters kept before the hint"""

EXCEPTION_HINTS = ("rror", "ception", "NonFixable", "InputsShape", "ailure")
FRAME_HINTS = ("translate_onnx_model", ".optimize(", ".compile(", ", in optimize", ", in compile")
"""calls of the SDK in a traceback"""
_HINTS = tuple(
    hint.encode()
    for hint in dict.fromkeys(
        (*(rule.hint for rule in RULES), *PHASES, *FRAME_HINTS, "arning]", "WARNING", *EXCEPTION_HINTS)
    )
)
_OF_DOCKER = re.compile(rb'^\{"log": ?"((?:[^"\\\r\n]|\\.)*)",[^\r\n]*\}$', re.MULTILINE)
"""a line of Docker's json-file log driver"""
_BAR = re.compile(rb"%\|[^|\r\n]{0,400}\|[^\[\r\n]{0,80}\[[^\]\r\n]{0,160}\]")


@dataclass(frozen=True)
class LogLine:
    """A line with a hint in it; `following` are the lines after it, as (start in the block, text)."""

    start: int
    text: str
    following: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class LogBlock:
    """Whole lines without escape sequences. Those that start at `own` or later come again in the next block."""

    data: bytes
    own: int
    width: int = 0
    """of the terminal that wrapped its lines; 0 if none did"""


def text_pieces(text: str | bytes) -> Iterator[bytes]:
    """A text as UTF-8 in pieces of bounded size."""
    for start in range(0, len(text), BLOCK):
        piece = text[start : start + BLOCK]
        yield piece if isinstance(piece, bytes) else piece.encode(errors="replace")


def line_pieces(lines: Iterable[str | bytes]) -> Iterator[bytes]:
    """Lines joined to pieces: a search over a piece costs little more than one over a line."""
    held: list[bytes] = []
    size = 0
    for line in lines:
        for piece in text_pieces(line):
            held.append(piece)
            size += len(piece) + 1
        held.append(b"\n")
        if size >= BLOCK:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)


def blocks(pieces: Iterable[bytes]) -> Iterator[LogBlock]:
    """Blocks of whole lines; a carriage return ends a line too. Lines without an end are cut, with an overlap."""
    rest = b""
    for piece in pieces:
        data = rest + piece
        end = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        if end == 0 and len(data) > 2 * MAX_LINE_BYTES:
            yield _whole(data)
            rest = data[-_BEFORE:]
            continue
        own = _last_lines(data, end)
        if own:
            block = without_escapes(data[:end])
            kept = without_escapes(data[own:end])
            yield unwrapped(LogBlock(block, len(block) - len(kept)))
        rest = data[own:]
    if rest:
        yield _whole(rest)


def _whole(data: bytes) -> LogBlock:
    block = without_escapes(data)
    return unwrapped(LogBlock(block, len(block)))


def _last_lines(data: bytes, end: int) -> int:
    """Start of the last FOLLOWING lines before `end`; `end` itself if they are too long to be read twice."""
    at = end - 1
    for _ in range(FOLLOWING):
        at = max(data.rfind(b"\n", 0, max(at, 0)), data.rfind(b"\r", 0, max(at, 0)))
        if at < 0:
            return 0 if end <= MAX_LINE_BYTES else end
    return at + 1 if end - at <= MAX_LINE_BYTES else end


def without_escapes(data: bytes) -> bytes:
    """Text without escape sequences and progress bars; carriage returns and backspaces become ends of lines."""
    if b'{"log":' in data:
        data = _OF_DOCKER.sub(_kept_by_docker, data)
    data = without_ansi(data)
    if b"%|" in data:
        # A bar's figures (loss, error) are no messages; an empty bar stays in its place.
        data = _BAR.sub(b"%||[]", data)
    return data.replace(b"\r", b"\n").replace(b"\b", b"\n")


def _kept_by_docker(found: re.Match[bytes]) -> bytes:
    try:
        text = json.loads(b'"%b"' % found[1])
    except ValueError:
        return found[0]
    return str(text).removesuffix("\n").encode(errors="replace")


def unwrapped(block: LogBlock) -> LogBlock:
    """The block without the line breaks of a terminal that wrapped lines at its width, within words."""
    lines = block.data.split(b"\n")
    width = max(map(len, lines))
    full = sum(len(line) == width for line in lines)
    if not _MIN_WIDTH <= width <= _MAX_WIDTH or full < (1 if width in _TERMINALS else _FULL):
        return block
    joined: list[bytes] = []
    own, at, whole = block.own, 0, True
    for line in lines:
        if whole or line[:1].isspace() or starts_message(_text(line)):
            joined.append(line)
        else:
            joined[-1] += line
            own -= at <= block.own
        whole = len(line) < width
        at += len(line) + 1
    return LogBlock(b"\n".join(joined), own, width)


def hinted_lines(block: LogBlock) -> list[LogLine]:
    """The block's own lines with a hint in them, in order, each of bounded length and with the lines after it."""
    data = block.data
    # A hint itself may be wrapped over two lines.
    flat = data.replace(b"\n", b" ")
    spans: dict[int, int] = {}
    for hint in _HINTS:
        at = flat.find(hint)
        while at >= 0:
            floor = max(0, at - _BEFORE)
            start = data.rfind(b"\n", floor, at) + 1 or floor
            stop = data.find(b"\n", at, at + MAX_LINE_BYTES)
            stop = min(at + MAX_LINE_BYTES, len(data)) if stop < 0 else stop
            if start < block.own:
                spans[start] = max(stop, spans.get(start, 0))
            at = flat.find(hint, max(stop, at + 1))
    return [LogLine(start, _text(data[start:stop]), _following(data, stop)) for start, stop in sorted(spans.items())]


def _following(data: bytes, stop: int) -> tuple[tuple[int, str], ...]:
    found = []
    for _ in range(FOLLOWING):
        if data[stop : stop + 1] != b"\n":
            break
        start = stop + 1
        stop = data.find(b"\n", start, start + MAX_LINE_BYTES)
        if stop < 0:
            stop = min(start + MAX_LINE_BYTES, len(data))
        if stop > start:
            found.append((start, _text(data[start:stop])))
        else:
            break
    return tuple(found)


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
