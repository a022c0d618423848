"""A log that can't fill the disk: its head and its tail are kept, and a line says how much is left out between."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import IO

HEAD_BYTES = 4 << 20
TAIL_BYTES = 8 << 20

_LINE = b"\n[... %020d bytes left out ...]\n"
_LINE_BYTES = len(_LINE % 0)


class BoundedLog:
    """A file of at most `head + 2 * tail` bytes and one line, whole on disk after every write.

    A disk that refuses a write costs what was to be written, no more: `lost` counts it, nothing is raised after
    the file is open. OSError where it can't be opened.
    """

    def __init__(self, path: Path, head: int = HEAD_BYTES, tail: int = TAIL_BYTES) -> None:
        self.path = path
        self.lost = 0
        """bytes that the disk refused"""
        self.left_out = 0
        """bytes given up between head and tail"""
        self._head = head
        self._tail = tail
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
        size = self._file.tell()
        body = self._head + (_LINE_BYTES if self.left_out else 0)
        if size <= body + 2 * self._tail:
            return
        given_up = size - body - self._tail
        self._file.seek(-self._tail, os.SEEK_END)
        kept = self._file.read(self._tail)
        self.left_out += given_up
        self._file.seek(self._head)
        self._file.write(_LINE % self.left_out)
        self._file.write(kept)
        self._file.truncate()

    def __enter__(self) -> BoundedLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
