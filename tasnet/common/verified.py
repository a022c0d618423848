"""What lies in the store, read: a regular file of a bounded size, and whether it is what its name says.

The store writes nothing else. A pipe in a file's place would hold its reader for ever, a device fill the memory; a link
is another's file. A content's sha256 is worked out once in a process while the file stays as it is.
"""

from __future__ import annotations

import errno
import os
import stat
from functools import lru_cache
from pathlib import Path

from tasnet.common.files import sha256

MAX_BYTES = 1 << 30
"""No file of the store has as many: the largest are compiled files and tables of a run."""


class NotAStoredFile(OSError):
    """Where a file of the store should be lies something else: a link, a pipe, a device, a folder, or far too much."""


def stored_bytes(path: Path) -> bytes:
    """The bytes of a file of the store. Raises OSError: NotAStoredFile for what the store never wrote."""
    if not _could_be(os.lstat(path)):
        raise NotAStoredFile(errno.EINVAL, "no regular file, or far too large", str(path))
    return path.read_bytes()


def _could_be(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode) and found.st_size <= MAX_BYTES


def has_content(path: Path, digest: str) -> bool:
    """Whether the file's content has this sha256; False where there is no file."""
    try:
        found = os.lstat(path)
        if not _could_be(found):
            return False
        # Another content has another time: a file of the store is replaced, and a disk that errs is read but once.
        return _digest(path, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns) == digest
    except OSError:
        return False


@lru_cache(maxsize=1 << 16)
def _digest(path: Path, *_as_it_is: int) -> str:
    return sha256(path.read_bytes())


def weights_beside(model: Path) -> tuple[str, ...]:
    """The names of the files beside an ONNX file in which its weights lie. The model's content must be known good."""
    found = model.stat()
    return _weights(model, found.st_ino, found.st_mtime_ns)


@lru_cache(maxsize=1 << 12)
def _weights(model: Path, *_as_it_is: int) -> tuple[str, ...]:
    import onnx

    tensors = onnx.load(str(model), load_external_data=False).graph.initializer
    places = (entry.value for tensor in tensors for entry in tensor.external_data if entry.key == "location")
    return tuple(dict.fromkeys(places))
