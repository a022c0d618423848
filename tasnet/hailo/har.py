"""The HAR archive: a flat tar of `<net>.hn`, `<net>.npz`, `<net>.metadata.json` and their like.

Written as Dataflow Compiler 3.33.0 leaves a parsed model: uncompressed, state `hailo_model`. The bytes are the
same for the same network. Read by content, with whatever compression tarfile knows.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import IO, cast

import numpy as np
import numpy.typing as npt

from tasnet import __version__
from tasnet.hailo.hn import Assumed, Assumption, HNError, Network, dumps, loads

FORMAT_VERSION = "3.33.0"
"""The SDK version whose files this layout was read off. `producer` beside it says who really wrote the file."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
_LATER_HN = (".native.hn", ".fp.hn")


class HarError(ValueError):
    """A HAR that can't be read. The message says what is wrong, in which member, and what to do."""


def write(network: Network, path: Path) -> None:
    """Write the parsed HAR of `network` to `path`, whole or not at all."""
    metadata: dict[str, object] = {
        "state": "hailo_model",
        "hn": f"{network.name}.hn",
        "sdk_version": FORMAT_VERSION,
        "producer": f"tasnet {__version__}, open translator, not the Dataflow Compiler",
    }
    if network.assumptions:
        metadata["assumptions"] = [{"kind": each.kind.value, "text": each.text} for each in network.assumptions]
    members = {
        f"{network.name}.hn": dumps(network).encode(),
        f"{network.name}.npz": _npz(network.weights),
        f"{network.name}.metadata.json": json.dumps(metadata, indent=4).encode(),
        f"{network.name}.original_model_meta.json": b"{}",
    }
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream, _tar(stream) as archive:
            for name, data in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                info.mode = 0o644
                archive.addfile(info, io.BytesIO(data))
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read(path: Path, *, weights: bool = True) -> Network:
    """The network in a HAR of any stage: its main HN, and its float weights unless `weights` is False.

    Raises HarError for a file that is no HAR, lacks its `.hn`, or has a member that points outside, and HNError
    for a graph that can't be read.
    """
    if not path.is_file():
        raise HarError(f"{path}: no such file")
    try:
        with tarfile.open(path, "r:*") as archive:
            members = _members(archive, path)
            name = _main_hn(archive, members, path)
            text = _bytes(archive, members[name], path)
            assumptions = _assumptions(archive, members, path)
            arrays: Mapping[str, npt.NDArray[np.float32]] = {}
            stem = name.removesuffix(".hn")
            if weights and f"{stem}.npz" in members:
                arrays = _arrays(_bytes(archive, members[f"{stem}.npz"], path), path, f"{stem}.npz")
    except HarError:
        raise
    except (tarfile.TarError, EOFError, OSError, zlib.error, ValueError, OverflowError) as error:
        raise HarError(f"{path}: not a HAR, or cut short ({_line(error)}); translate the model again") from None
    try:
        return replace(loads(text, arrays), assumptions=assumptions)
    except HNError as error:
        raise HNError(f"{path}: {name}: {error}") from None


def is_har(path: Path) -> bool:
    """True for a tar file with an `.hn` member; HTTP archives use the same suffix."""
    try:
        with tarfile.open(path, "r:*") as archive:
            return any(name.endswith(".hn") for name in archive.getnames())
    except (tarfile.TarError, EOFError, OSError, zlib.error, ValueError, OverflowError):
        return False


def _tar(stream: IO[bytes]) -> tarfile.TarFile:
    # With a buffer that holds any member, members go out as they are and not in slices of 16 KiB.
    return tarfile.TarFile(fileobj=stream, mode="w", copybufsize=1 << 30)


def _npz(weights: Mapping[str, npt.NDArray[np.float32]]) -> bytes:
    # numpy's own savez stamps nothing either, but promises nothing: the zip is written here, entry by entry.
    pieces = _Pieces()
    with zipfile.ZipFile(cast(IO[bytes], pieces), "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for key in sorted(weights):
            array = np.asarray(weights[key], order="C")
            info = zipfile.ZipInfo(f"{key}.npy", _EPOCH)
            info.file_size = array.nbytes
            with archive.open(info, "w") as entry:
                entry.write(_npy_header(array.dtype.str, array.shape))
                entry.write(array.reshape(-1).view(np.uint8).data)
    return b"".join(pieces.at.values())


class _Pieces:
    """As much of a file as ZipFile writes to: what is written is kept as it is, not copied."""

    def __init__(self) -> None:
        self.at: dict[int, bytes | memoryview] = {}
        self.position = 0

    def write(self, data: bytes | memoryview) -> int:
        # ZipFile goes back for one thing only: to write an entry's header again, in its full length.
        self.at[self.position] = data
        self.position += len(data)
        return len(data)

    def tell(self) -> int:
        return self.position

    def seek(self, position: int) -> int:
        self.position = position
        return position

    def flush(self) -> None:
        pass


@lru_cache(maxsize=256)
def _npy_header(descr: str, shape: tuple[int, ...]) -> bytes:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": descr, "fortran_order": False, "shape": shape})
    return header.getvalue()


def _members(archive: tarfile.TarFile, path: Path) -> dict[str, tarfile.TarInfo]:
    members: dict[str, tarfile.TarInfo] = {}
    for info in archive.getmembers():
        name = info.name.removeprefix("./")
        parts = Path(name).parts
        if name.startswith(("/", "\\")) or ".." in parts or info.issym() or info.islnk():
            raise HarError(f"{path}: member {info.name} points outside the archive; don't use this file")
        if info.isfile():
            members[name] = info
    return members


def _main_hn(archive: tarfile.TarFile, members: Mapping[str, tarfile.TarInfo], path: Path) -> str:
    for name, info in members.items():
        if name.endswith(".metadata.json"):
            try:
                named = json.loads(_bytes(archive, info, path)).get("hn")
            except (ValueError, AttributeError, RecursionError):
                raise HarError(f"{path}: {name} is not a JSON object; translate the model again") from None
            if isinstance(named, str) and named in members:
                return named
    graphs = [name for name in members if name.endswith(".hn") and not name.endswith(_LATER_HN)]
    if not graphs:
        raise HarError(f"{path}: holds no .hn graph; a HAR of the Dataflow Compiler or of tasnet is needed")
    if len(graphs) > 1:
        raise HarError(f"{path}: holds {len(graphs)} graphs ({', '.join(graphs[:3])}) and names none as the main one")
    return graphs[0]


def _assumptions(
    archive: tarfile.TarFile, members: Mapping[str, tarfile.TarInfo], path: Path
) -> tuple[Assumption, ...]:
    """What the open translator wrote of its own reading; none in a file of the vendor's."""
    found: list[Assumption] = []
    for name, info in members.items():
        told = json.loads(_bytes(archive, info, path)) if name.endswith(".metadata.json") else {}
        for each in told.get("assumptions", []) if isinstance(told, dict) else []:
            try:
                found.append(Assumption(Assumed(each["kind"]), str(each["text"])))
            except (KeyError, TypeError, ValueError):
                raise HarError(f"{path}: {name}: an assumption has no known kind; translate the model again") from None
    return tuple(found)


def _bytes(archive: tarfile.TarFile, info: tarfile.TarInfo, path: Path) -> bytes:
    stream = archive.extractfile(info)
    data = b"" if stream is None else stream.read()
    if len(data) != info.size:
        raise HarError(f"{path}: member {info.name} is cut short; copy the file again")
    return data


def _arrays(data: bytes, path: Path, name: str) -> dict[str, npt.NDArray[np.float32]]:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except Exception as error:  # zipfile, zlib and numpy each have their own for a broken file
        raise HarError(f"{path}: {name}: weights can't be read ({_line(error)}); translate again") from None


def _line(error: BaseException) -> str:
    if isinstance(error, tarfile.ReadError):
        return "no tar archive"
    return (str(error) or type(error).__name__).splitlines()[0][:120]
