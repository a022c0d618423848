"""The store: artifacts by their content, outcomes by their key; one folder for any number of processes.

    outcomes/<k1k2>/<key>.json   one Outcome each; anything unreadable counts as absent
    notes/<key>.json             small facts that are slow to find out (a checkpoint's sizes)
    onnx/<sha256>.onnx           graphs; their weights beside them, <sha256>.bin, shared by all
    har/<sha256>.parts           a HAR in parts: its own bytes, and which blobs go between them
    blobs/<sha256>               arrays of HARs, each once
    files/<sha256><suffix>       everything else (logs, HEFs)
    locks/<key>.lock             held while a key is computed; the system frees it when the holder dies
    tmp/                         unfinished files, locked while their writer lives; nothing reads them

An artifact's name is its path below the root, and its stem the sha256 of its content. Every file appears
whole, by a rename within the root, so a killed process leaves nothing half-written outside tmp/. Deleting the
folder is always safe between runs.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tasnet import unfinished
from tasnet.digest import sha256
from tasnet.locks import Say, locked, on_stderr
from tasnet.suite.parts import array_spans
from tasnet.suite.stage import TRIED_AGAIN, Outcome

_IN_THE_WAY = (PermissionError, NotADirectoryError, FileExistsError, IsADirectoryError)


class StoreError(RuntimeError):
    """The store can't be used, or an artifact of it is damaged. One line: what, where, what to do."""


def content_key(parts: Mapping[str, Any]) -> str:
    """sha256 of the parts as canonical JSON: equal parts in any order give equal keys, in any process."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """sha256 of a file's content, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def content_of(name: str) -> str:
    """The sha256 of the content of the artifact `name`."""
    return name.rpartition("/")[2].partition(".")[0]


def open_store(root: Path, say: Say = on_stderr) -> Store:
    """The store at `root`, made if it isn't there, with the leftovers of killed runs removed from tmp/ and onnx/.

    Raises StoreError when the folder can't be made or written.
    """
    store = Store(root, say)
    with store.workspace():
        pass
    unfinished.sweep(root / "onnx")
    # Of a version that didn't lock what it was at work on only age tells.
    for leftover in (root / "tmp").iterdir():
        with suppress(OSError):
            if time.time() - leftover.stat().st_mtime > unfinished.OLD_SECONDS:
                shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    return store


@dataclass(frozen=True)
class Store:
    """The store below `root`; folders are made when something is written.

    Safe for any number of processes at once. Every method raises StoreError when the root can't be used (a
    file in the way, no permission); a full disk stays an OSError: the run's trouble, not the store's.
    """

    root: Path
    say: Say = field(default=on_stderr, compare=False, repr=False)
    """hears for whom this process waits, if it waits for long"""

    # --- outcomes

    def outcome(self, key: str) -> Outcome | None:
        """The outcome kept under `key`; None if there is none, or none that this version can read."""
        data = self._read(self._outcome_path(key))
        if data is None:
            return None
        try:
            outcome = Outcome.model_validate_json(data)
        except ValidationError:
            return None
        return None if outcome.status in TRIED_AGAIN else outcome

    def put_outcome(self, key: str, outcome: Outcome) -> None:
        """Keeps `outcome` under `key`. One of which nothing was learned isn't kept: the next run tries again."""
        if outcome.status not in TRIED_AGAIN:
            self._write(self._outcome_path(key), outcome.model_dump_json().encode())

    def note(self, key: str) -> dict[str, Any] | None:
        """The fact noted under `key`, None if there is none or it can't be read."""
        data = self._read(self.root / "notes" / f"{key}.json")
        try:
            fact = json.loads(data) if data else None
        except ValueError:
            return None
        return fact if isinstance(fact, dict) else None

    def put_note(self, key: str, fact: Mapping[str, Any]) -> None:
        """Notes a small JSON object under `key`."""
        self._write(self.root / "notes" / f"{key}.json", json.dumps(dict(fact), sort_keys=True).encode())

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Keeps every other process out of `key` until it is left, or this process dies."""
        path = self.root / "locks" / f"{key}.lock"
        with self._usable(), ExitStack() as stack:
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(path, self.say))
            held = stack.pop_all()
        with held:
            yield

    # --- artifacts

    def path(self, name: str) -> Path:
        """Where the artifact `name` lies. Raises StoreError if it isn't there or is a HAR (`get_har`)."""
        if name.startswith("har/"):
            raise StoreError(f"{name}: HARs are kept in parts; put it together with get_har")
        path = self.root / name
        if not path.is_file():
            raise StoreError(f"{path}: not in the store; run the case again")
        return path

    def holds(self, name: str) -> bool:
        """Whether the artifact `name` is in the store."""
        return (self.root / name).is_file()

    def put_file(self, content: Path | bytes, suffix: str = "") -> str:
        """Keeps a file's content once, whatever it was called; returns its name."""
        data = content if isinstance(content, bytes) else content.read_bytes()
        name = f"files/{hashlib.sha256(data).hexdigest()}{suffix}"
        self._write_once(self.root / name, data)
        return name

    def onnx_folder(self) -> Path:
        """The folder in which graphs lie beside the weights they share."""
        with self._usable():
            (self.root / "onnx").mkdir(parents=True, exist_ok=True)
        return self.root / "onnx"

    def put_har(self, har: Path) -> str:
        """Keeps a HAR, each of its arrays once for all HARs; returns its name, `har/<sha256>.parts`.

        Works for any file: what isn't an uncompressed tar of uncompressed zips is kept in one piece.
        """
        data = har.read_bytes()
        name = f"har/{hashlib.sha256(data).hexdigest()}.parts"
        if self.holds(name):
            return name
        index: list[str | int] = []
        own = bytearray()
        at = 0
        for start, end in array_spans(data) or [(0, len(data))]:
            blob = memoryview(data)[start:end]
            digest = sha256(blob)
            self._write_once(self.root / "blobs" / digest, blob)
            index += [start - at, digest]
            own += data[at:start]
            at = end
        index.append(len(data) - at)
        own += data[at:]
        self._write(self.root / name, json.dumps(index).encode() + b"\n" + zlib.compress(bytes(own)))
        return name

    def get_har(self, name: str, dest: Path) -> Path:
        """Writes the HAR `name` to `dest`, byte for byte as it was put; returns `dest`.

        Raises StoreError if it isn't there or is damaged; a damaged one is dropped, so the next run makes it
        again.
        """
        recipe = self._read(self.root / name)
        if recipe is None:
            raise StoreError(f"{self.root / name}: not in the store; run the case again")
        try:
            data = self._joined(recipe)
        except (OSError, ValueError, zlib.error):
            data = b""
        if hashlib.sha256(data).hexdigest() != content_of(name):
            self._drop(name, recipe)
            raise StoreError(f"{self.root / name}: damaged, dropped from the store; run the case again")
        unfinished.write(dest, data)
        return dest

    def get_har_graph(self, name: str, dest: Path) -> Path:
        """Writes the HAR `name` to `dest` with holes for its arrays: enough to read its graph, and far less to do.

        What it holds is not checked against its name. Raises StoreError if it isn't there or can't be put together.
        """
        recipe = self._read(self.root / name)
        if recipe is None:
            raise StoreError(f"{self.root / name}: not in the store; run the case again")
        head, _, packed = recipe.partition(b"\n")
        try:
            own = memoryview(zlib.decompress(packed))
            with dest.open("wb") as file:
                for part in json.loads(head):
                    if isinstance(part, str):
                        file.seek((self.root / "blobs" / part).stat().st_size, os.SEEK_CUR)
                    else:
                        file.write(own[:part])
                        own = own[part:]
                file.truncate(file.tell())
        except (OSError, ValueError, zlib.error):
            raise StoreError(f"{self.root / name}: damaged; run the case again") from None
        return dest

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """An empty folder on the store's disk, gone when left."""
        with self._usable():
            (self.root / "tmp").mkdir(parents=True, exist_ok=True)
            with ExitStack() as stack:
                folder = stack.enter_context(unfinished.folder(self.root / "tmp"))
                held = stack.pop_all()
        with held:
            yield folder

    # --- files

    def _joined(self, recipe: bytes) -> bytes:
        """The bytes that a recipe describes: own, blob, own, blob, …, own."""
        head, _, packed = recipe.partition(b"\n")
        own = memoryview(zlib.decompress(packed))
        pieces: list[bytes | memoryview] = []
        for part in json.loads(head):
            if isinstance(part, str):
                blob = self.root / "blobs" / part
                pieces.append(blob.read_bytes())
            else:
                pieces.append(own[:part])
                own = own[part:]
        return b"".join(pieces)

    def _drop(self, name: str, recipe: bytes) -> None:
        """Removes a damaged HAR, and those of its blobs that aren't what they are called."""
        (self.root / name).unlink(missing_ok=True)
        with suppress(ValueError):
            for part in json.loads(recipe.partition(b"\n")[0]):
                blob = self.root / "blobs" / str(part)
                if blob.is_file() and file_sha256(blob) != part:
                    blob.unlink(missing_ok=True)

    def _outcome_path(self, key: str) -> Path:
        return self.root / "outcomes" / key[:2] / f"{key}.json"

    def _read(self, path: Path) -> bytes | None:
        with self._usable():
            try:
                return path.read_bytes()
            except FileNotFoundError:
                return None

    def _write(self, path: Path, data: bytes | memoryview) -> None:
        with self._usable():
            path.parent.mkdir(parents=True, exist_ok=True)
            (self.root / "tmp").mkdir(exist_ok=True)
            unfinished.write(path, data, self.root / "tmp")

    def _write_once(self, path: Path, data: bytes | memoryview) -> None:
        """Writes a content-addressed file unless it is there in full length."""
        with suppress(OSError):
            if path.stat().st_size == len(data):
                return
        self._write(path, data)

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except _IN_THE_WAY as error:
            where = error.filename or self.root
            raise StoreError(
                f"store {self.root}: {error.strerror} at {where}; choose another folder, or free this one"
            ) from error
