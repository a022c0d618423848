"""The base's own store, and the copy of its graphs into the shared one: the base's code never writes to the latter.

A base's store is kept for the next gate against the same commit. A file that a side says it exported must be a plain
file of its store whose name is the hash of its content; everything else that it says is checked by `answers.py`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from tasnet.common import unfinished
from tasnet.hailo.files import WireError
from tasnet.hailo.translate import too_large_when_parsed
from tasnet.suite.gate.checkout import GateError
from tasnet.suite.run import Store, content_of

KEPT = 4
"""stores of bases that are kept, those used last; one of the matrix has 30 MB"""

MAX_BYTES = 512 << 20
"""bytes of a graph or of its weights, as the translator reads them"""

_WEIGHTS = re.compile(r"[0-9a-f]{64}\.bin")


@contextmanager
def base_store_folder(store: Path, commit: str) -> Iterator[Path]:
    """The folder of a base's store; no other gate removes it until this context is left."""
    bases = store / "gate"
    own = bases / commit
    own.mkdir(parents=True, exist_ok=True)
    handle = os.open(own, os.O_RDONLY)
    try:
        # Any number of gates may use it at once, and none removes it then.
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_SH)
        os.utime(own)
        _only_the_last(bases)
        yield own
    finally:
        os.close(handle)


def _only_the_last(bases: Path) -> None:
    found = sorted((each for each in bases.iterdir() if each.is_dir()), key=lambda each: -each.stat().st_mtime)
    for old in found[KEPT:]:
        handle = os.open(old, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(old, ignore_errors=True)
        except OSError:
            continue
        finally:
            os.close(handle)


def checked_bytes(own: Path, name: str) -> bytes:
    """The bytes of `name`, `onnx/<sha256>…`, of a side's store, if they are what the name says.

    Raises GateError: the file is gone, a link or no file, too large, or has other content.
    """
    try:
        # Each folder on the way is opened by itself: none may be a link to elsewhere.
        at = os.open(own, os.O_RDONLY | os.O_DIRECTORY)
        try:
            inner = os.open(name.partition("/")[0], os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
        finally:
            os.close(at)
        try:
            handle = os.open(
                name.partition("/")[2], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY, dir_fd=inner
            )
        finally:
            os.close(inner)
        with os.fdopen(handle, "rb") as file:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_BYTES:
                raise GateError(f"{own / name}: no regular file of at most {MAX_BYTES:,} bytes; take another revision")
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise GateError(f"{own / name}: {error.strerror}, and it was said to be exported; run the gate again") from None
    if hashlib.sha256(data).hexdigest() != content_of(name):
        raise GateError(f"{own / name}: its content isn't what its name says; delete {own} and run the gate again")
    return data


def copy_graph(own: Path, name: str, store: Store) -> None:
    """Copy a graph of a base's store, and the weights beside it, into the shared store. Raises GateError."""
    folder = store.onnx_folder()
    data = checked_bytes(own, name)
    for weights in _weights(own / name, data):
        if not (folder / weights).is_file():
            unfinished.write(folder / weights, checked_bytes(own, f"onnx/{weights}"))
    unfinished.write(store.root / name, data)


def _weights(path: Path, data: bytes) -> tuple[str, ...]:
    """The names of the files that a graph keeps weights in: beside it, each named by its hash. Raises GateError."""
    try:
        much = too_large_when_parsed(data)
        if much is not None:
            raise GateError(f"{path}: {much}; choose another revision")
        initializers = onnx.ModelProto.FromString(data).graph.initializer
    except (DecodeError, WireError):
        raise GateError(f"{path}: not an ONNX file; choose another revision") from None
    named = {entry.value for tensor in initializers for entry in tensor.external_data if entry.key == "location"}
    for name in named:
        if not _WEIGHTS.fullmatch(name):
            raise GateError(f"{path}: it keeps weights in {ascii(name)[:80]}, no file of its folder; choose another")
    return tuple(sorted(named))
