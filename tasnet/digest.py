"""sha256 of contents that come again and again: hundreds of graphs share their weights.

A content hashed before is recognised by its XXH3 of 128 bits, which takes a tenth of the time. XXH3 is no
defence against contents made to collide: use this where the content comes from oneself, and a name may not
be forged, but need not be proof against its maker.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache

import xxhash


@dataclass(frozen=True)
class _Content:
    fingerprint: bytes
    data: list[bytes | memoryview] = field(compare=False)


def sha256(data: bytes | memoryview) -> str:
    """sha256 in hex; of the last 4096 distinct contents it is remembered, and the contents are not."""
    return _sha256(_Content(xxhash.xxh3_128_digest(data), [data]))


@lru_cache(maxsize=4096)
def _sha256(content: _Content) -> str:
    # Taken out, so that what the cache keeps is the fingerprint alone.
    return hashlib.sha256(content.data.pop()).hexdigest()
