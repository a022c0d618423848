"""A digest of the package's own sources: what it stored is valid as long as the code that wrote it is the same."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


@cache
def source_digest(*rooms: str) -> str:
    """sha256 of the Python sources in these folders below the package and in all folders inside them.

    `hailo/*` is a folder's own files without those of the folders inside it. Doors (`.pyi`) count: they say which
    module a name comes from. Read once in a process, whose code is loaded once too.
    """
    digest = hashlib.sha256()
    for room in rooms:
        folder, own = PACKAGE / room.removesuffix("/*"), room.endswith("/*")
        files = folder.iterdir() if own else folder.rglob("*")
        for source in sorted(each for each in files if each.suffix in {".py", ".pyi"}):
            digest.update(f"{source.relative_to(PACKAGE).as_posix()}\0".encode())
            digest.update(hashlib.sha256(source.read_bytes()).digest())
    return digest.hexdigest()
