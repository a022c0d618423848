"""A log's bytes as UTF-8: a byte order mark is removed, UTF-16 and UTF-32 are decoded.

A file that is no text (a model, an archive, a compiled file) is refused: it must not pass for a log without a failure.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from typing import BinaryIO

BLOCK = 1 << 18
"""bytes read at a time"""
_START = 1 << 16
"""bytes at a file's start by which its encoding is recognised"""
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MIN_NUL_SHARE = 0.05
"""the least share of NULs in a log of two or four bytes a character: ASCII has many, text in CJK alone has none"""
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\v\f\r\b\a\x1b")
_MAX_CONTROL_SHARE = 0.01
"""the largest share of control characters in a text: protobufs, archives and random bytes have far more"""
_PACKED: Mapping[bytes, str] = {
    b"\x1f\x8b": "gunzip",
    b"\xfd7zXZ\0": "unxz",
    b"BZh": "bunzip2",
    b"\x28\xb5\x2f\xfd": "unzstd",
    b"PK\x03\x04": "unzip",
}
"""the first bytes of a compressed file -> the program that unpacks it"""


class NotText(ValueError):
    """The bytes are no text. The message says what they seem to be, and what to do."""


def utf8_blocks(file: BinaryIO) -> Iterator[bytes]:
    """The file's text as blocks of UTF-8. Raises NotText (empty, or no text) and OSError."""
    first = file.read(BLOCK)
    encoding = encoding_of(first[:_START])
    if not encoding:
        yield first.removeprefix(codecs.BOM_UTF8)
        while block := file.read(BLOCK):
            yield block
        return
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    while first:
        # Half a surrogate pair is a character that UTF-8 doesn't have.
        yield decoder.decode(first).removeprefix("\ufeff").encode(errors="replace")
        first = file.read(BLOCK)


def encoding_of(start: bytes) -> str:
    """The encoding of a text with this start; empty for UTF-8, ASCII and 8-bit encodings. Raises NotText."""
    if not start.strip(b"\0 \t\r\n\xef\xbb\xbf\xfe\xff"):
        raise NotText("is empty: nothing was logged")
    nulls = start.count(0) / len(start)
    marked = next((name for mark, name in _MARKS if start.startswith(mark)), "")
    if marked and nulls > _MIN_NUL_SHARE:
        return marked
    # Without a mark: Latin text has a NUL in every other place.
    odd, even = start[1::2].count(0) * 2 / len(start), start[::2].count(0) * 2 / len(start)
    if max(odd, even) > 0.5 > 10 * min(odd, even):
        return "utf-16-le" if odd > even else "utf-16-be"
    if sum(map(start.count, _CONTROLS)) > _MAX_CONTROL_SHARE * len(start):
        if unpack := next((tool for mark, tool in _PACKED.items() if start.startswith(mark)), ""):
            raise NotText(f"is no text but packed: name what is in it ({unpack})")
        raise NotText("is no text, and no log: name what the compiler printed")
    return ""
