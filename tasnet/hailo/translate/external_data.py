"""Weights that an ONNX file keeps in other files: held to the model's own folder, read, and put in their place.

The location stands in the file, and whoever made the file chose it: `/etc/passwd`, `../../key`, a link, a pipe. Every
tensor of every scope is checked before the first is opened, and afterwards none is left for a library to open.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from math import prod
from pathlib import Path

import onnx
import onnx_ir as ir

from tasnet.common import open_regular, printable
from tasnet.hailo.translate.errors import ModelError
from tasnet.hailo.translate.scopes import scopes, tensors


def external_files(path: Path) -> list[Path]:
    """The other files that hold weights of the ONNX file at `path`, which `translate` has read."""
    model = onnx.load(str(path), load_external_data=False)
    found = {
        str(entry.value)
        for scope in scopes(model)
        for tensor, _ in tensors(scope.holder)
        for entry in tensor.external_data
        if entry.key == "location"
    }
    return [path.parent / name for name in sorted(found)]


@dataclass(frozen=True)
class _Place:
    """Where a tensor's bytes are. An error begins with `subject`: model, tensor and location, ending in "is"."""

    tensor: onnx.TensorProto
    subject: str
    path: Path
    offset: int
    length: int


def load_external_data(model: onnx.ModelProto, folder: Path | None, where: str, most: int) -> None:
    """Read all external data into `model`, `most` bytes of it together. Raises ModelError, and has opened nothing then
    unless a file itself is at fault."""
    external = [
        (tensor, subject)
        for scope in scopes(model)
        for tensor, subject in tensors(scope.holder)
        if tensor.data_location == onnx.TensorProto.EXTERNAL
    ]
    # Asked once: resolving looks at every folder above, and a network has hundreds of weights.
    root = folder.resolve() if external and folder is not None else None
    places = [_place(tensor, subject, root, where) for tensor, subject in external]
    total = sum(place.length for place in places)
    if total > most:
        raise ModelError(f"{where}: {total:,} bytes of weights in other files; at most {most:,} are read")
    for place in places:
        with open_regular(place.path, most=most, what="the file of the weights", error=ModelError) as file:
            file.seek(place.offset)
            data = file.read(place.length)
        if len(data) != place.length:
            raise ModelError(f"{place.subject} cut short; copy it again")
        place.tensor.raw_data = data
        place.tensor.ClearField("external_data")
        place.tensor.ClearField("data_location")


def _place(tensor: onnx.TensorProto, subject: str, root: Path | None, where: str) -> _Place:
    # Protobuf gives bytes for text that isn't UTF-8, whatever its types say.
    entries = {str(entry.key): str(entry.value) for entry in tensor.external_data}
    location = entries.get("location", "")
    subject = f"{printable(subject)} is in {printable(location) or 'no file'}"
    if root is None:
        raise ModelError(f"{where}: {subject}; give the model as a file")
    subject = f"{where}: {subject}, which is"
    path = _resolved(root, location)
    if path is None:
        raise ModelError(f"{subject} outside the model's folder; export with the weights inside")
    try:
        found = os.stat(path)
    except (OSError, ValueError):  # a name too long, or with a NUL in it
        raise ModelError(f"{subject} not beside the model; copy it there or export with the weights inside") from None
    if not stat.S_ISREG(found.st_mode):
        raise ModelError(f"{subject} no regular file; export with the weights inside")
    offset, length = _span(entries, _expected(tensor), subject)
    if offset + length > found.st_size:
        raise ModelError(
            f"{subject} cut short: {found.st_size:,} bytes, and the weight ends at {offset + length:,}; copy it again"
        )
    return _Place(tensor, subject, path, offset, length)


def _resolved(root: Path, location: str) -> Path | None:
    """Where `location` leads with every link followed; None for what is no path, or is not below the root."""
    if not location:
        return None
    try:
        path = root / location
        # A file right below the root is where it seems to be, and resolving asks about every folder above it.
        if os.sep not in location and location not in {os.curdir, os.pardir} and not path.is_symlink():
            return path
        if Path(location).is_absolute():
            return None
        path = path.resolve()
    except (OSError, ValueError, RuntimeError):  # a NUL, a name too long, links in a circle
        return None
    return path if path != root and path.is_relative_to(root) else None


def _span(entries: dict[str, str], expected: int, subject: str) -> tuple[int, int]:
    found = []
    for key, default in (("offset", 0), ("length", expected)):
        text = entries.get(key, str(default))
        # Digits alone, and few: int() takes more, and a number past any file costs time.
        if not text.isascii() or not text.isdigit() or len(text) > 18:
            raise ModelError(f"{subject} read from {key} {printable(text, 40)!r}, no number of bytes; export again")
        found.append(int(text))
    return found[0], found[1]


def _expected(tensor: onnx.TensorProto) -> int:
    """Bytes that type and dims call for; 0 where they make no sense, which is said when tensors are checked."""
    try:
        bits = ir.DataType(tensor.data_type).bitwidth
    except (ValueError, TypeError):
        return 0
    elements = prod(tensor.dims) if all(size >= 0 for size in tensor.dims) else 0
    return -(-elements * bits // 8) if elements < 1 << 50 else 0
