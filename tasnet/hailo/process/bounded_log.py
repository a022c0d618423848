"""A log of bounded size: of its middle only the lines that say how it ended are kept, and how much is left out.

head
[... of what is left out, these lines tell how it went ...]
...
[... 00000000000012345678 bytes left out ...]
tail
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO

from tasnet.hailo.logs import MAX_LINE_BYTES, outcome_lines

HEAD_BYTES = 4 << 20
TAIL_BYTES = 8 << 20
KEPT_BYTES = 1 << 20
"""of the lines kept of the middle: half for the first of them, half for the last"""

_KEPT_FOLLOW = b"\n[... of what is left out, these lines tell how it went ...]\n"
_LEFT_OUT = b"\n[... %020d bytes left out ...]\n"


class BoundedLog:
    """A file of at most `head + 2 * tail + kept` bytes and two lines, whole on disk after every write.

    Read as a compiler's log it says what the whole log would, as long as the kept lines have room. What the disk
    refuses to take is lost; nothing is raised after the file is open. Raises OSError if it can't
    be opened.
    """

    def __init__(self, path: Path, head: int = HEAD_BYTES, tail: int = TAIL_BYTES, kept: int = KEPT_BYTES) -> None:
        self.left_out = 0
        """bytes left out between head and tail, those of the kept lines among them"""
        self._head = head
        self._tail = tail
        self._kept = _KeptLines(kept // 2)
        self._body = head
        """bytes before the tail"""
        self._file: IO[bytes] = path.open("wb+", buffering=0)

    def write(self, data: bytes) -> None:
        """Append `data`; leave out the middle when the file is full."""
        with suppress(OSError):
            self._write(data)

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            # A short write is what a disk does just before it is full.
            view = view[self._file.write(view) :]
        if self._file.tell() <= self._body + 2 * self._tail:
            return
        if not self.left_out:
            self._file.seek(max(0, self._head - MAX_LINE_BYTES))
            self._head -= _after_last_line(self._file.read(min(self._head, MAX_LINE_BYTES)))
            self._body = self._head
        self._file.seek(self._body)
        rest = self._file.read()
        given_up = len(rest) - self._tail
        given_up -= _after_last_line(rest[max(0, given_up - MAX_LINE_BYTES) : given_up])
        self.left_out += given_up
        self._kept.add(outcome_lines(rest[:given_up], rest[given_up : given_up + MAX_LINE_BYTES]))
        kept = self._kept.data
        between = (_KEPT_FOLLOW + kept if kept else b"") + _LEFT_OUT % self.left_out
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


class _KeptLines:
    """Lines of what was left out: the first, and the last, each of at most `half` bytes."""

    def __init__(self, half: int) -> None:
        self._half = half
        self._first = bytearray()
        self._last: deque[bytes] = deque()
        self._size = 0
        self._full = False

    def add(self, lines: Iterable[bytes]) -> None:
        """Keep `lines`, or as many of the first and of the last as there is room for."""
        for line in lines:
            if not self._full and len(self._first) + len(line) <= self._half:
                self._first += line
                continue
            self._full = True
            self._last.append(line)
            self._size += len(line)
            while self._size > self._half:
                self._size -= len(self._last.popleft())

    @property
    def data(self) -> bytes:
        """The lines, in their order."""
        return bytes(self._first) + b"".join(self._last)


def _after_last_line(data: bytes) -> int:
    """How many bytes stand after the last whole line; 0 where there is none."""
    end = max(data.rfind(b"\n"), data.rfind(b"\r"))
    return len(data) - end - 1 if end >= 0 else 0
