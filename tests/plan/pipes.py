"""Samples on stdin, a few at a time."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest


class Slow(io.RawIOBase):
    """A pipe that gives what it has, which is little and never a whole number of samples."""

    def __init__(self, content: bytes) -> None:
        self.left = content

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        taken = self.left[: min(len(buffer), 333)]
        self.left = self.left[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)


def piped(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    stdin = SimpleNamespace(buffer=io.BufferedReader(Slow(content)), isatty=lambda: False)
    monkeypatch.setattr("sys.stdin", stdin)
