"""The one way in for a file from outside: a regular file, of a stated size at most, opened once.

A pipe or a device would hold its reader for ever, and an unbounded file would fill the memory. Both are refused before
a byte is read, in one line, as an error of whoever asks.
"""

from __future__ import annotations

import codecs
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_WIDE = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Byte-order marks; UTF-32's little-endian one begins with UTF-16's, and stands before it."""


@contextmanager
def open_regular(path: Path, *, most: int, what: str, error: type[Exception]) -> Iterator[BinaryIO]:
    """The regular file at `path`, of at most `most` bytes, open for reading. `what` it should be: "an ONNX file".

    Raises `error` with one line: no such file, no right to it, not a file, too long. A link is followed. The file
    may grow while it is read: `read_bytes` holds to the bound all the same.
    """
    try:
        # Asked before it is opened too: opening is an act on a device, and a pipe's writer takes notice.
        kind = _no_file(os.stat(path))
        if kind is None:
            handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except FileNotFoundError:
        raise error(f"{path}: no such file; name {what}") from None
    except (OSError, ValueError) as refused:
        raise error(f"{path}: {_why(refused)}; name {what}") from None
    if kind is not None:
        raise error(f"{path}: {kind}; name {what}")
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        kind = _no_file(found)
        if kind is not None:
            raise error(f"{path}: {kind}; name {what}")
        if found.st_size > most:
            raise _too_long(path, found.st_size, most, what, error)
        yield file


def why_no_file(path: Path) -> str | None:
    """What there is at `path` where it is no regular file, for an error: "no such file", "a pipe". None for a file."""
    try:
        return _no_file(os.stat(path))
    except FileNotFoundError:
        return "no such file"
    except (OSError, ValueError) as refused:
        return _why(refused)


def why_no_folder(path: Path) -> str | None:
    """Why no folder can be at `path`, for an error; None where one is, or can be made."""
    for each in (path, *path.parents):
        if os.path.isdir(each):
            return None
        # A link that leads nowhere is there, and in the way.
        if os.path.lexists(each):
            where = "" if each == path else f"{each} is "
            return f"{where}not a directory; name one, it is made where it is missing"
    return None


def read_bytes(path: Path, *, most: int, what: str, error: type[Exception]) -> bytes:
    """All bytes of the regular file at `path`. Raises `error` as `opened` does, and where reading fails."""
    with open_regular(path, most=most, what=what, error=error) as file:
        try:
            data = file.read(most + 1)
        except OSError as refused:
            raise error(f"{path}: {_why(refused)}; copy the file again") from None
    if len(data) > most:
        raise _too_long(path, len(data), most, what, error)
    return data


def read_text(path: Path, *, most: int, what: str, error: type[Exception]) -> str:
    """The text of the file at `path`: UTF-8, or what its byte-order mark says, and that mark taken off.

    Line breaks are left as they are. Raises `error` as `read_bytes` does, and where the bytes are not text.
    """
    data = read_bytes(path, most=most, what=what, error=error)
    encoding = next((name for mark, name in _WIDE.items() if data.startswith(mark)), "utf-8-sig")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as refused:
        name = encoding.removesuffix("-sig").upper()
        raise error(f"{path}: not {name} text (byte {refused.start}); save {what} as UTF-8") from None


def _no_file(found: os.stat_result) -> str | None:
    """What it is instead; None for a regular file."""
    return None if stat.S_ISREG(found.st_mode) else _KINDS.get(stat.S_IFMT(found.st_mode), "no regular file")


def _too_long(path: Path, size: int, most: int, what: str, error: type[Exception]) -> Exception:
    return error(f"{path}: {size:,} bytes, and {what} has at most {most:,}; is it the right file?")


def _why(refused: Exception) -> str:
    # A ValueError is a NUL in the name.
    return (refused.strerror if isinstance(refused, OSError) else None) or str(refused)
