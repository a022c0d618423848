"""From a log's bytes to the few lines that matter: in blocks, without escapes, whatever the size and the encoding.

Literal hints pick the lines that are worth a regular expression; each is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tasnet.hailo.messages import RULES

BLOCK = 1 << 18
"""bytes read at a time"""
LONGEST = 1 << 14
"""characters kept of a line after the hint in it"""
_BEFORE = 1 << 12
"""and before it"""

EXCEPTION_HINTS = ("rror", "ception", "NonFixable", "InputsShape")
_HINTS = tuple(
    hint.encode() for hint in dict.fromkeys((*(rule.hint for rule in RULES), " Success", "Starting ", *EXCEPTION_HINTS))
)
_ESCAPE = re.compile(rb"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|\][^\x07\x1b\r\n]{0,512}(?:\x07|\x1b\\)|[@-Z\\^_])")


def pieces_of(text: str | bytes) -> Iterator[bytes]:
    """A text in blocks."""
    for start in range(0, len(text), BLOCK):
        piece = text[start : start + BLOCK]
        yield piece if isinstance(piece, bytes) else piece.encode(errors="replace")


def joined(lines: Iterable[str | bytes]) -> Iterator[bytes]:
    """Lines as blocks: a search over a block costs little more than one over a line."""
    held: list[bytes] = []
    size = 0
    for line in lines:
        for piece in pieces_of(line):
            held.append(piece)
            size += len(piece) + 1
        held.append(b"\n")
        if size >= BLOCK:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)


def blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Whole lines, without escapes; a carriage return ends a line too. Endless lines are cut, with an overlap."""
    rest = b""
    for piece in pieces:
        data = rest + piece
        end = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        if end == 0 and len(data) > 2 * LONGEST:
            yield plain(data)
            rest = data[-_BEFORE:]
            continue
        if end:
            yield plain(data[:end])
        rest = data[end:]
    if rest:
        yield plain(rest)


def plain(data: bytes) -> bytes:
    """Without escapes; a carriage return is the end of a line."""
    if b"\x1b" in data:
        data = _ESCAPE.sub(b"", data)
    return data.replace(b"\r", b"\n")


def telling_lines(block: bytes) -> list[str]:
    """The block's lines with a hint in them, in their order, each bounded."""
    spans: dict[int, int] = {}
    for hint in _HINTS:
        at = block.find(hint)
        while at >= 0:
            floor = max(0, at - _BEFORE)
            start = block.rfind(b"\n", floor, at) + 1 or floor
            stop = block.find(b"\n", at, at + LONGEST)
            stop = min(at + LONGEST, len(block)) if stop < 0 else stop
            spans[start] = max(stop, spans.get(start, 0))
            at = block.find(hint, stop)
    return [block[start:stop].decode(errors="replace") for start, stop in sorted(spans.items())]
