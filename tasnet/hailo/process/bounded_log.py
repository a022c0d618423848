"""A log that can't fill the disk: of its middle the lines are kept that tell how it went, and how much is left out.

head
[... of what is left out, these lines tell how it went ...]
...
[... 00000000000012345678 bytes left out ...]
tail
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from types import TracebackType
from typing import IO

from tasnet.hailo.logs import (
    LONGEST,
    Block,
    Line,
    clean,
    event_of,
    exception_of,
    level,
    mark_of,
    plain,
    rest_of,
    telling_lines,
    unwrapped,
)

HEAD_BYTES = 4 << 20
TAIL_BYTES = 8 << 20
TOLD_BYTES = 1 << 20
"""of the lines that are kept of the middle: half for the first of them, half for the last"""

_TOLD = b"\n[... of what is left out, these lines tell how it went ...]\n"
_LINE = b"\n[... %020d bytes left out ...]\n"


class BoundedLog:
    """A file of at most `head + 2 * tail + told` bytes and two lines, whole on disk after every write.

    Whoever reads it as a compiler's log comes to what the whole log says, as long as the telling lines have room. A
    disk that refuses a write costs what was to be written, no more: `lost` counts it, nothing is raised after the file
    is open. OSError where it can't be opened.
    """

    def __init__(self, path: Path, head: int = HEAD_BYTES, tail: int = TAIL_BYTES, told: int = TOLD_BYTES) -> None:
        self.path = path
        self.lost = 0
        """bytes that the disk refused"""
        self.left_out = 0
        """bytes given up between head and tail, those of the lines that are kept among them"""
        self._head = head
        self._tail = tail
        self._told = _Told(told // 2)
        self._body = head
        """bytes before the tail"""
        self._file: IO[bytes] = path.open("wb+", buffering=0)

    def write(self, data: bytes) -> None:
        """Append `data`, and give up the middle when the file is full."""
        try:
            self._write(data)
        except OSError:
            self.lost += len(data)

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            # A short write is what a disk does just before it is full.
            view = view[self._file.write(view) :]
        if self._file.tell() <= self._body + 2 * self._tail:
            return
        if not self.left_out:
            self._file.seek(max(0, self._head - LONGEST))
            self._head -= _after_last_line(self._file.read(min(self._head, LONGEST)))
            self._body = self._head
        self._file.seek(self._body)
        rest = self._file.read()
        given_up = len(rest) - self._tail
        given_up -= _after_last_line(rest[max(0, given_up - LONGEST) : given_up])
        self.left_out += given_up
        self._told.take(rest[:given_up], rest[given_up : given_up + LONGEST])
        told = self._told.data
        between = (_TOLD + told if told else b"") + _LINE % self.left_out
        self._body = self._head + len(between)
        self._file.seek(self._head)
        self._file.write(between + rest[given_up:])
        self._file.truncate()

    def __enter__(self) -> BoundedLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


class _Told:
    """The telling lines of what was given up: the first, and the last, each of at most `half` bytes."""

    def __init__(self, half: int) -> None:
        self._half = half
        self._first = bytearray()
        self._last: deque[bytes] = deque()
        self._size = 0
        self._full = False

    def take(self, data: bytes, ahead: bytes) -> None:
        """Those of `data`; `ahead` is what comes after, which may be the rest of its last line."""
        own = plain(data)
        block = unwrapped(Block(own + plain(ahead), len(own)))
        for line in telling_lines(block):
            for told in _telling(line):
                # Broken again as its neighbours are: a reader knows the terminal by its longest lines.
                width = block.width or len(told) or 1
                self._add("".join(f"{told[at : at + width]}\n" for at in range(0, len(told), width)).encode())

    def _add(self, line: bytes) -> None:
        if not self._full and len(self._first) + len(line) <= self._half:
            self._first += line
            return
        self._full = True
        self._last.append(line)
        self._size += len(line)
        while self._size > self._half:
            self._size -= len(self._last.popleft())

    @property
    def data(self) -> bytes:
        """The lines, in their order."""
        return bytes(self._first) + b"".join(self._last)


def _telling(line: Line) -> list[str]:
    """The line with what may be its rest, where a reader of logs makes something of it; else nothing."""
    text = clean(line.text)
    if mark_of(text):
        return [line.text]
    if level(text) in ("info", "debug"):
        return []
    if not (event_of(text) or exception_of(text) or level(text) or text.endswith("errors:")):
        joined = " ".join([text, *rest_of(more for _, more in line.following)])
        if not event_of(joined):
            return []
    return [line.text, *(more for _, more in line.following if more.strip())]


def _after_last_line(data: bytes) -> int:
    """How many bytes stand after the last whole line; 0 where there is none."""
    end = max(data.rfind(b"\n"), data.rfind(b"\r"))
    return len(data) - end - 1 if end >= 0 else 0
