"""Reads the members of a HAR safely, whatever the tar claims.

A tar may be a bomb in three compressions, hold a file of 6 GB in a sparse member of a few bytes, name a member twice,
or make a header as long as the file. Members are found by tarfile and read by their place, each of a stated size.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

from tasnet.common import TasnetError, cause_line, open_regular, printable

MAX_BYTES = 4 << 30
"""of a HAR: no more than its graph and its weights are read"""
MAX_UNPACKED = 256 << 20
"""of a compressed one, which is unpacked whole; the compiler writes none"""
MAX_MEMBERS = 1000

_MAX_HEADER = 1 << 20
_XZ_MEMORY = 128 << 20


class HarError(TasnetError, ValueError):
    """A HAR that can't be read. The message says what is wrong, in which member, and what to do."""


@dataclass(frozen=True)
class Archive:
    """An open HAR: its regular members by name, each with where its bytes begin and how many there are."""

    path: Path
    file: BinaryIO
    members: Mapping[str, tuple[int, int]]

    def read(self, name: str, most: int) -> bytes:
        """The bytes of one member, at most `most` of them. Raises HarError."""
        start, size = self.members[name]
        if size > most:
            raise HarError(f"{self.path}: member {printable(name)} has {size:,} bytes; at most {most:,} are read")
        self.file.seek(start)
        data = self.file.read(size)
        if len(data) != size:
            raise HarError(f"{self.path}: member {printable(name)} is cut short; copy the file again")
        return data


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """The HAR at `path`, open for reading. Raises HarError."""
    with open_regular(path, most=MAX_BYTES, what="a HAR", error=HarError) as file:
        try:
            plain = _unpacked(file, path)
            members = _members(plain, path)
        except HarError:
            raise
        except Exception as error:  # each compression and tarfile have their own for a broken file
            why = "no tar archive" if isinstance(error, tarfile.ReadError) else cause_line(error)
            raise HarError(f"{path}: not a HAR, or cut short ({why}); translate the model again") from None
        yield Archive(path, plain, members)


def is_har(path: Path) -> bool:
    """True for a tar file with an `.hn` member, and for a compressed file, which nothing else that is read here is."""
    try:
        with open_regular(path, most=MAX_BYTES, what="a HAR", error=HarError) as file:
            if _compression(file) is not None:
                return True
            return any(name.endswith(".hn") for name in _members(file, path))
    except HarError:
        # A tar that is refused is one all the same: the reader says what is wrong with it.
        return _is_tar(path)
    except Exception:  # whatever a file that is none makes tarfile raise
        return False


class _Headers:
    """The file as tarfile sees it while it looks for members: no header is longer than headers are."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _MAX_HEADER:
            raise tarfile.TarError(f"a header of {size} bytes")
        return self._file.read(size)

    def seek(self, position: int) -> int:
        return self._file.seek(position)

    def tell(self) -> int:
        return self._file.tell()


def _members(file: BinaryIO, path: Path) -> dict[str, tuple[int, int]]:
    file.seek(0)
    members: dict[str, tuple[int, int]] = {}
    with tarfile.TarFile(fileobj=cast(IO[bytes], _Headers(file)), mode="r") as tar:
        for count, info in enumerate(tar):
            name = info.name.removeprefix("./")
            shown = f"{path}: member {printable(info.name)}"
            if count >= MAX_MEMBERS:
                raise HarError(f"{path}: more than {MAX_MEMBERS:,} members; a HAR has fewer")
            if name.startswith(("/", "\\")) or ".." in Path(name).parts or info.issym() or info.islnk():
                raise HarError(f"{shown} points outside the archive; don't use this file")
            if info.isdir():
                continue
            if not info.isreg() or info.issparse() or info.size < 0:
                raise HarError(f"{shown} is no plain file (a device, a pipe, or with holes); don't use this file")
            if name in members:
                raise HarError(f"{shown} appears twice; translate the model again")
            members[name] = (info.offset_data, info.size)
    return members


def _is_tar(path: Path) -> bool:
    try:
        with open_regular(path, most=MAX_BYTES, what="a HAR", error=HarError) as file:
            tarfile.TarInfo.frombuf(file.read(tarfile.BLOCKSIZE), tarfile.ENCODING, "surrogateescape")
    except (HarError, tarfile.TarError, OSError):
        return False
    return True


def _unpacked(file: BinaryIO, path: Path) -> BinaryIO:
    """The file itself, or what a compressed one holds."""
    unpack = _compression(file)
    file.seek(0)
    if unpack is None:
        return file
    try:
        data = unpack(file)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise HarError(
            f"{path}: compressed, and can't be unpacked ({cause_line(error)}); copy the file again"
        ) from None
    if len(data) > MAX_UNPACKED:
        raise HarError(f"{path}: more than {MAX_UNPACKED:,} bytes once unpacked; unpack it first")
    return io.BytesIO(data)


def _compression(file: BinaryIO) -> Callable[[BinaryIO], bytes] | None:
    file.seek(0)
    start = file.read(6)
    return next((unpack for magic, unpack in _COMPRESSIONS.items() if start.startswith(magic)), None)


def _gz(file: BinaryIO) -> bytes:
    with gzip.GzipFile(fileobj=file) as stream:
        return stream.read(MAX_UNPACKED + 1)


def _bz2(file: BinaryIO) -> bytes:
    with bz2.BZ2File(file) as stream:
        return stream.read(MAX_UNPACKED + 1)


def _xz(file: BinaryIO) -> bytes:
    # Its dictionary may be 4 GiB by the file's own word, which LZMAFile takes for granted.
    unpacker = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
    pieces, size = [], 0
    while not unpacker.eof and size <= MAX_UNPACKED:
        data = file.read(1 << 20) if unpacker.needs_input else b""
        if unpacker.needs_input and not data:
            raise EOFError("ends before its end marker")
        pieces.append(unpacker.decompress(data, 1 << 24))
        size += len(pieces[-1])
    return b"".join(pieces)


_COMPRESSIONS: Mapping[bytes, Callable[[BinaryIO], bytes]] = {
    b"\x1f\x8b": _gz,
    b"BZh": _bz2,
    b"\xfd7zXZ\x00": _xz,
    b"\x5d\x00\x00": _xz,
}
