"""Where the arrays lie inside a HAR: the spans of bytes that many HARs have in common.

A HAR is a tar with one or more `.npz` members, which are zips of arrays. When neither is compressed, each
array is a run of bytes of the file; cut out and put back in order they give the same file, whoever wrote it.
"""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
from collections.abc import Iterator
from typing import IO

SHARED_FROM = 4096
"""Bytes from which an array is worth a file of its own."""

_LOCAL_HEADER = struct.Struct("<4s5H3I2H")


def array_spans(data: bytes) -> list[tuple[int, int]]:
    """Start and end of every stored array of at least `SHARED_FROM` bytes, in order, none overlapping.

    Empty for a compressed HAR, or for anything else that can't be read as a tar of zips: one piece then.
    """
    spans: list[tuple[int, int]] = []
    for start, end in sorted(_stored(data)):
        if end - start >= SHARED_FROM and (not spans or start >= spans[-1][1]):
            spans.append((start, end))
    return spans


def _stored(data: bytes) -> list[tuple[int, int]]:
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
            members = [m for m in tar if m.isreg() and not m.issparse() and m.name.endswith(".npz")]
            return [span for m in members for span in _stored_in_zip(data, m, tar.extractfile(m))]
    except (tarfile.TarError, ValueError, EOFError):
        return []


def _stored_in_zip(data: bytes, member: tarfile.TarInfo, file: IO[bytes] | None) -> Iterator[tuple[int, int]]:
    start = member.offset_data
    archive = memoryview(data)[start : start + member.size]
    try:
        assert file is not None  # a regular file's never is
        with zipfile.ZipFile(file) as npz:
            entries = npz.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return
    for entry in entries:
        at = entry.header_offset
        if entry.compress_type != zipfile.ZIP_STORED or at < 0 or at + _LOCAL_HEADER.size > len(archive):
            continue
        magic, *_, name_length, extra_length = _LOCAL_HEADER.unpack_from(archive, at)
        first = at + _LOCAL_HEADER.size + name_length + extra_length
        # the central directory alone knows the size when the writer streamed
        if magic == b"PK\x03\x04" and first + entry.compress_size <= len(archive):
            yield start + first, start + first + entry.compress_size
