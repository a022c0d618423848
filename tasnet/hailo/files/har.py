"""The HAR archive: a flat tar of `<net>.hn`, `<net>.npz`, `<net>.metadata.json` and their like.

Written as Dataflow Compiler 3.33.0 leaves a parsed model: uncompressed, state `hailo_model`. The bytes are the
same for the same network. Read by content (`har_archive`), compressed or not.
"""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import numpy.typing as npt

from tasnet import __version__
from tasnet.common import cause_line, printable, unfinished
from tasnet.hailo.files.har_archive import Archive, HarError, is_har, open_archive
from tasnet.hailo.files.har_weights import MAX_BYTES as MAX_WEIGHTS
from tasnet.hailo.files.har_weights import read_arrays
from tasnet.hailo.files.hn import MAX_HN_BYTES, Assumption, AssumptionKind, Network, dumps, loads
from tasnet.hailo.files.hn_checks import HNError

__all__ = ["HarError", "is_har", "read", "write"]

FORMAT_VERSION = "3.33.0"
"""The SDK version whose files this layout was read off. `producer` beside it says who really wrote the file."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
_MAX_METADATA = 1 << 20
_LATER_HN = (".native.hn", ".fp.hn")


def write(network: Network, path: Path, *, lasting: bool = True) -> None:
    """Write the parsed HAR of `network` to `path`, whole or not at all; unless `lasting`, not waiting for the disk."""
    metadata: dict[str, object] = {
        "state": "hailo_model",
        "hn": f"{network.name}.hn",
        "sdk_version": FORMAT_VERSION,
        "producer": f"tasnet {__version__}, open translator, not the Dataflow Compiler",
    }
    if network.assumptions:
        metadata["assumptions"] = [{"kind": each.kind.value, "text": each.text} for each in network.assumptions]
    members: dict[str, Sequence[bytes | memoryview]] = {
        f"{network.name}.hn": [dumps(network).encode()],
        f"{network.name}.npz": _npz(network.weights),
        f"{network.name}.metadata.json": [json.dumps(metadata, indent=4).encode()],
        f"{network.name}.original_model_meta.json": [b"{}"],
    }
    with unfinished.opened(path, lasting=lasting) as stream:
        for name, pieces in members.items():
            info = tarfile.TarInfo(name)
            info.size = sum(len(piece) for piece in pieces)
            info.mode = 0o644
            stream.write(info.tobuf(encoding="utf-8"))
            for piece in pieces:
                stream.write(piece)
            stream.write(bytes(-info.size % tarfile.BLOCKSIZE))
        # Its end is two empty blocks, and what is missing of a whole record.
        stream.write(bytes(2 * tarfile.BLOCKSIZE))
        stream.write(bytes(-stream.tell() % tarfile.RECORDSIZE))


def read(path: Path, *, weights: bool = True) -> Network:
    """The network in a HAR of any stage: its main HN, and its float weights unless `weights` is False.

    Raises HarError for a file that is no HAR, lacks its `.hn`, or has a member that no HAR has, and HNError for a
    graph that can't be read or is no network, and for weights that it lacks.
    """
    with open_archive(path) as har:
        metadata = _metadata(har)
        name = _main_hn(har, metadata)
        text = har.read(name, MAX_HN_BYTES)
        npz = f"{name.removesuffix('.hn')}.npz"
        there = npz in har.members
        arrays = None if not weights else _arrays(har, npz) if there else {}
    try:
        return replace(loads(text, arrays), assumptions=_assumptions(metadata, path))
    except HNError as error:
        without = f" (there is no {printable(npz)} in the file)" if weights and not there else ""
        raise HNError(f"{path}: {printable(name)}: {error}{without}") from None


def _npz(weights: Mapping[str, npt.NDArray[np.float32]]) -> list[bytes | memoryview]:
    """The pieces of the zip, in their order: put together they would be one more copy of all weights."""
    # numpy's own savez stamps nothing either, but promises nothing: the zip is written here, entry by entry.
    pieces = _Pieces()
    with zipfile.ZipFile(cast(IO[bytes], pieces), "w", zipfile.ZIP_STORED, allowZip64=True) as npz:
        for key in sorted(weights):
            array = np.asarray(weights[key], order="C")
            info = zipfile.ZipInfo(f"{key}.npy", _EPOCH)
            info.file_size = array.nbytes
            with npz.open(info, "w") as entry:
                entry.write(_npy_header(array.dtype.str, array.shape))
                entry.write(array.reshape(-1).view(np.uint8).data)
    return [*pieces.at.values()]


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


def _metadata(har: Archive) -> dict[str, dict[str, Any]]:
    """The JSON objects of all `.metadata.json` members; old files have none."""
    found = {}
    for name in har.members:
        if name.endswith(".metadata.json"):
            data = har.read(name, _MAX_METADATA)
            try:
                content = json.loads(data)
            except (ValueError, RecursionError):
                content = None
            if not isinstance(content, dict):
                raise HarError(f"{har.path}: {printable(name)} is not a JSON object; translate the model again")
            found[name] = content
    return found


def _main_hn(har: Archive, metadata: Mapping[str, Mapping[str, Any]]) -> str:
    for content in metadata.values():
        named = content.get("hn")
        if isinstance(named, str) and named in har.members:
            return named
    graphs = [name for name in har.members if name.endswith(".hn") and not name.endswith(_LATER_HN)]
    if not graphs:
        raise HarError(f"{har.path}: holds no .hn graph; a HAR of the Dataflow Compiler or of tasnet is needed")
    if len(graphs) > 1:
        names = ", ".join(printable(name, 60) for name in graphs[:3])
        raise HarError(f"{har.path}: holds {len(graphs)} graphs ({names}) and names none as the main one")
    return graphs[0]


def _assumptions(metadata: Mapping[str, Mapping[str, Any]], path: Path) -> tuple[Assumption, ...]:
    """What the open translator wrote of its own reading; none in a file of the vendor's."""
    found: list[Assumption] = []
    for name, content in metadata.items():
        try:
            found += [
                Assumption(AssumptionKind(each["kind"]), str(each["text"])) for each in content.get("assumptions", [])
            ]
        except (KeyError, TypeError, ValueError):
            raise HarError(f"{path}: {printable(name)}: an assumption has no known kind; translate again") from None
    return tuple(found)


def _arrays(har: Archive, name: str) -> dict[str, npt.NDArray[np.float32]]:
    data = har.read(name, MAX_WEIGHTS)
    try:
        return read_arrays(data)
    except Exception as error:  # zipfile, zlib and numpy each have their own for a broken file
        raise HarError(
            f"{har.path}: {printable(name)}: weights can't be read ({cause_line(error)}); translate again"
        ) from None
