"""sha256 of contents that come again and again: hundreds of graphs share their weights.

A content hashed before is recognised by its length and its XXH3 of 128 bits, which takes a tenth of the time. The seed
of that is drawn anew in every process, so nobody can prepare two contents that are taken for one; by chance two of a
million contents are so once in 10^26 times. What is told is always the sha256 of that content.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from functools import cache, lru_cache

import xxhash


@dataclass(frozen=True)
class _Content:
    """Equal by fingerprint. `data` is there while its sha256 is worked out, and no part of what is remembered."""

    fingerprint: tuple[int, bytes]
    data: list[bytes | memoryview] = field(compare=False)


def sha256(data: bytes | memoryview) -> str:
    """sha256 in hex; of the last 4096 distinct contents it is remembered, and the contents are not."""
    size = data.nbytes if isinstance(data, memoryview) else len(data)
    return _sha256(_Content((size, xxhash.xxh3_128_digest(data, seed=_seed())), [data]))


@lru_cache(maxsize=4096)
def _sha256(content: _Content) -> str:
    return hashlib.sha256(content.data.pop()).hexdigest()


@cache
def _seed() -> int:
    return secrets.randbits(64)
