"""The store: artifacts by their content, outcomes by their key; one folder for any number of processes.

    outcomes/<k1k2>/<key>.json   one Outcome each, sealed under its key
    notes/<key>.json             small facts that are slow to find out (a checkpoint's sizes), sealed
    onnx/<sha256>.onnx           graphs; their weights beside them, <sha256>.bin, shared by all
    har/<sha256>.parts           a HAR in parts, sealed: its own bytes, and which blobs go between them
    blobs/<sha256>               arrays of HARs, each once
    files/<sha256><suffix>       everything else (logs, HEFs)
    damaged/                     what was found to be other than it was kept, set aside for a person
    locks/<key>.lock             held while a key is computed; the system frees it when the holder dies
    tmp/                         unfinished files, locked while their writer lives; nothing reads them

An artifact's name is its path below the root, and its stem the sha256 of its content. Every file appears
whole, by being renamed within the root, so a killed process leaves nothing half-written outside tmp/. Evidence, what
a compiler made and what took long is flushed first; of the rest a power cut may leave halves. What is read is held
against its name or its seal: what is damaged is said, set aside, and absent from then on, so that it is worked out
anew. Deleting the folder is always safe between runs.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import warnings
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tasnet.common import (
    NotAStoredFile,
    Notify,
    TasnetError,
    checksum,
    has_content,
    locked,
    notify_on_stderr,
    sealed,
    sha256,
    stored_bytes,
    unfinished,
    unsealed,
    weights_beside,
)
from tasnet.suite.cases import LEARNED_NOTHING, Outcome
from tasnet.suite.run.har_pieces import array_spans

DEAR_SECONDS = 10
"""What took as long to work out is on the disk before the run goes on."""
_IN_THE_WAY = (PermissionError, NotADirectoryError, FileExistsError, IsADirectoryError)


class StoreError(TasnetError, RuntimeError):
    """The store can't be used, or an artifact of it is damaged. One line: what, where, what to do."""


class DamagedArtifact(StoreError):
    """An artifact is gone, or isn't what was kept and lies aside now: what made it can make it again."""


class DamageWarning(UserWarning):
    """A file of the store was damaged, and was set aside. One line: which, and where it lies."""


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


def open_store(root: Path, say: Notify = notify_on_stderr) -> Store:
    """The store at `root`, made if it isn't there, with the leftovers of killed runs removed.

    Raises StoreError when the folder can't be made or written.
    """
    store = Store(root, say)
    with store.workspace():
        pass
    for folder in (root / "onnx", *(Path(each) for each, _, _ in os.walk(root / "runs"))):
        unfinished.sweep(folder)
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
    say: Notify = field(default=notify_on_stderr, compare=False, repr=False)
    """is called with one line where this process waits for another for long"""

    # --- outcomes

    def outcome(self, key: str) -> Outcome | None:
        """The outcome kept under `key`; None if there is none, or none that this version can read."""
        text = self.unsealed(self._outcome_path(key), key)
        if text is None:
            return None
        try:
            outcome = Outcome.model_validate_json(text)
        except ValidationError:
            return None
        return None if outcome.status in LEARNED_NOTHING else outcome

    def put_outcome(self, key: str, outcome: Outcome) -> None:
        """Keeps `outcome` under `key`. One of which nothing was learned isn't kept: the next run tries again."""
        if outcome.status not in LEARNED_NOTHING:
            text = outcome.model_dump_json().encode()
            self.seal(self._outcome_path(key), key, text, lasting=outcome.seconds >= DEAR_SECONDS)

    def note(self, key: str) -> dict[str, Any] | None:
        """The fact noted under `key`, None if there is none or it can't be read."""
        text = self.unsealed(self.root / "notes" / f"{key}.json", key)
        fact = json.loads(text) if text else None
        return fact if isinstance(fact, dict) else None

    def put_note(self, key: str, fact: Mapping[str, Any]) -> None:
        """Notes a small JSON object under `key`."""
        text = json.dumps(dict(fact), sort_keys=True).encode()
        self.seal(self.root / "notes" / f"{key}.json", key, text, lasting=False)

    def seal(self, path: Path, key: str, text: bytes, *, lasting: bool = True) -> None:
        """Keeps the text of a JSON value at `path`, below the root, under its key."""
        self._write(path, sealed(key, text) + b"\n", lasting)

    def unsealed(self, path: Path, key: str) -> bytes | None:
        """The text that was sealed at `path` under this key; None where there is none. A damaged file is set aside."""
        data = self.bytes_at(path)
        if data is None:
            return None
        text = unsealed(key, data[:-1]) if data.endswith(b"\n") else None
        if text is None:
            self.set_aside(path)
        return text

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
        """Where the artifact `name` lies, which is what its name says, and so are the weights beside a graph.

        Raises DamagedArtifact if it isn't there, or is damaged and was set aside; StoreError for a HAR (`get_har`).
        """
        if name.startswith("har/"):
            raise StoreError(f"{name}: HARs are kept in parts; put it together with get_har")
        path = self.root / name
        if not os.path.lexists(path):
            raise DamagedArtifact(f"{path}: not in the store; run the case again")
        if not has_content(path, content_of(name)):
            self.set_aside(path)
            raise DamagedArtifact(f"{path}: damaged, and set aside; run the case again")
        if path.suffix == ".onnx":
            self._check_weights(path)
        return path

    def check(self, name: str) -> None:
        """Raises DamagedArtifact unless the artifact `name` is there and whole, a HAR with all of its arrays."""
        if not name.startswith("har/"):
            self.path(name)
            return
        for part in self._recipe(name)[0]:
            if isinstance(part, str) and not has_content(self.root / "blobs" / part, part):
                raise self._lacks(name, part)

    def holds(self, name: str) -> bool:
        """Whether the artifact `name` is in the store. What is no file is set aside."""
        path = self.root / name
        if path.is_file() and not path.is_symlink():
            return True
        if os.path.lexists(path):
            self.set_aside(path)
        return False

    def put_file(self, content: Path | bytes, suffix: str = "") -> str:
        """Keeps a file's content once, whatever it was called; returns its name."""
        data = content if isinstance(content, bytes) else content.read_bytes()
        name = f"files/{hashlib.sha256(data).hexdigest()}{suffix}"
        self._write_once(self.root / name, data, lasting=True)
        return name

    def onnx_folder(self) -> Path:
        """The folder in which graphs lie beside the weights they share."""
        with self._usable():
            (self.root / "onnx").mkdir(parents=True, exist_ok=True)
        return self.root / "onnx"

    def put_har(self, har: Path, *, lasting: bool = False) -> str:
        """Keeps a HAR, each of its arrays once for all HARs; returns its name, `har/<sha256>.parts`.

        A `lasting` one, a compiler's, is on the disk then. Works for any file: what isn't an uncompressed tar of
        uncompressed zips is kept in one piece.
        """
        data = har.read_bytes()
        name = f"har/{hashlib.sha256(data).hexdigest()}.parts"
        if self.holds(name):
            with suppress(DamagedArtifact):
                self.check(name)
                return name
        index: list[str | int] = []
        own = bytearray()
        at = 0
        for start, end in array_spans(data) or [(0, len(data))]:
            blob = memoryview(data)[start:end]
            digest = sha256(blob)
            self._write_once(self.root / "blobs" / digest, blob, lasting)
            index += [start - at, digest]
            own += data[at:start]
            at = end
        index.append(len(data) - at)
        own += data[at:]
        packed = zlib.compress(bytes(own), zlib.Z_BEST_SPEED)
        recipe = json.dumps({"parts": index, "own": checksum(packed)}).encode()
        self._write(self.root / name, sealed(name, recipe) + b"\n" + packed, lasting)
        return name

    def get_har(self, name: str, dest: Path) -> Path:
        """Writes the HAR `name` to `dest`, byte for byte as it was put; returns `dest`.

        Raises DamagedArtifact if it is gone or damaged; what is damaged is set aside, so the next run makes it again.
        """
        index, own = self._recipe(name)
        with unfinished.opened(dest, lasting=False) as file:
            for part in index:
                if isinstance(part, str):
                    file.write(self._blob(name, part))
                else:
                    file.write(own[:part])
                    own = own[part:]
        return dest

    def get_har_graph(self, name: str, dest: Path) -> Path:
        """Writes the HAR `name` to `dest` with holes for its arrays: enough to read its graph, and far less to do.

        Raises DamagedArtifact as `get_har` does, but for the content of its arrays, which nobody reads.
        """
        index, own = self._recipe(name)
        if not own:
            # kept in one piece: without arrays of a size, or compressed, which hides them
            return self.get_har(name, dest)
        with dest.open("wb") as file:
            for part in index:
                if isinstance(part, str):
                    try:
                        file.seek((self.root / "blobs" / part).stat().st_size, os.SEEK_CUR)
                    except FileNotFoundError:
                        raise self._lacks(name, part) from None
                else:
                    file.write(own[:part])
                    own = own[part:]
            file.truncate(file.tell())
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

    def bytes_at(self, path: Path) -> bytes | None:
        """The bytes of a file below the root; None where there is none. What is no file is set aside."""
        with self._usable():
            try:
                return stored_bytes(path)
            except FileNotFoundError:
                return None
            except NotAStoredFile:
                self.set_aside(path)
                return None

    def set_aside(self, path: Path) -> None:
        """Takes a damaged file out of the way, and says so: from now on there is none."""
        target = self.root / "damaged" / path.relative_to(self.root).as_posix().replace("/", "_")
        with suppress(OSError):
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, target)
        message = f"{path.relative_to(self.root).as_posix()}: not what was kept there; set aside in {target.parent}"
        warnings.warn(DamageWarning(message), stacklevel=2)

    def _recipe(self, name: str) -> tuple[list[str | int], memoryview]:
        """The parts of a HAR in turn (a count of own bytes, or a blob), and its own bytes. Raises DamagedArtifact."""
        path = self.root / name
        data = self.bytes_at(path)
        if data is None:
            raise DamagedArtifact(f"{path}: not in the store; run the case again")
        head, _, packed = data.partition(b"\n")
        text = unsealed(name, head)
        recipe = json.loads(text) if text else {}
        if recipe.get("own") != checksum(packed):
            self.set_aside(path)
            raise DamagedArtifact(f"{path}: damaged, and set aside; run the case again")
        return recipe["parts"], memoryview(zlib.decompress(packed))

    def _blob(self, name: str, blob: str) -> bytes:
        """The content of an array of the HAR `name`. Raises DamagedArtifact."""
        data = self.bytes_at(self.root / "blobs" / blob)
        if data is None or sha256(data) != blob:
            raise self._lacks(name, blob)
        return data

    def _lacks(self, name: str, blob: str) -> DamagedArtifact:
        """What to raise for a HAR whose array is gone or damaged. Both lie aside then: the HAR is made anew."""
        path = self.root / "blobs" / blob
        if os.path.lexists(path):
            self.set_aside(path)
        with suppress(OSError):
            (self.root / name).unlink()
        return DamagedArtifact(f"{self.root / name}: its array {path} is damaged or gone; run the case again")

    def _check_weights(self, model: Path) -> None:
        """Raises DamagedArtifact unless all weights of a graph lie beside it whole. All that don't are set aside."""
        bad = [
            model.parent / each
            for each in weights_beside(model)
            if not has_content(model.parent / each, content_of(each))
        ]
        for path in bad:
            if os.path.lexists(path):
                self.set_aside(path)
        if bad:
            # Written anew with the graph: a graph that is there is not.
            with suppress(OSError):
                model.unlink()
            raise DamagedArtifact(f"{model}: its weights {bad[0]} are damaged or gone; run the case again")

    def _outcome_path(self, key: str) -> Path:
        return self.root / "outcomes" / key[:2] / f"{key}.json"

    def _write(self, path: Path, data: bytes | memoryview, lasting: bool) -> None:
        """What isn't `lasting` may be lost with the machine's power; it is found damaged then, and made again."""
        with self._usable():
            path.parent.mkdir(parents=True, exist_ok=True)
            (self.root / "tmp").mkdir(exist_ok=True)
            unfinished.write(path, data, self.root / "tmp", lasting=lasting)

    def _write_once(self, path: Path, data: bytes | memoryview, lasting: bool) -> None:
        """Writes a content-addressed file unless it is there whole; a damaged one is set aside."""
        if os.path.lexists(path):
            if has_content(path, content_of(path.name)):
                return
            self.set_aside(path)
        self._write(path, data, lasting)

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except _IN_THE_WAY as error:
            where = error.filename or self.root
            raise StoreError(
                f"store {self.root}: {error.strerror} at {where}; choose another folder, or free this one"
            ) from error
