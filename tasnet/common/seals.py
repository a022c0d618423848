"""A JSON text in an envelope with its key and a checksum, which show that it was cut, changed or moved elsewhere.

    {"key": "<what it was stored under>", "xxh3_128": "<of the text>", "kept": <the text>}

`sealed` writes the envelope, and `unsealed` opens it: a single byte that differs is refused. The checksum is against
damage and edits by hand, not against somebody who makes another one.
"""

from __future__ import annotations

import json

import xxhash


def checksum(content: bytes | memoryview) -> str:
    """XXH3 of 128 bits, in hex."""
    return xxhash.xxh3_128_hexdigest(content)


def sealed(key: str, text: bytes) -> bytes:
    """The text of one JSON value, with its key and checksum before it; one line where the text is one."""
    return _head(key, text) + text + b"}"


def unsealed(key: str, data: bytes) -> bytes | None:
    """The text that was sealed under `key`; None for anything else."""
    start = len(_head(key, b""))
    text = data[start:-1]
    return text if data == sealed(key, text) else None


def _head(key: str, text: bytes) -> bytes:
    return b'{"key":%s,"xxh3_128":"%s","kept":' % (json.dumps(key).encode(), checksum(text).encode())
