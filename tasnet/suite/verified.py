"""Whether a file is what its name says: its sha256, worked out once in a process while the file stays as it is."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from tasnet.digest import sha256


def has_content(path: Path, digest: str) -> bool:
    """Whether the file's content has this sha256; False where there is no file."""
    try:
        found = path.stat()
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
