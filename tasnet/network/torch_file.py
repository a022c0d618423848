"""A file of `torch.save`, read as data: nothing in it is imported or called, and a tensor's values are read on demand.

Both of torch's formats: the zip archive (torch 1.6, 2020, and TorchScript) and the row of pickles before it. The
source of both layouts is torch's own writer (`torch/serialization.py`, 2.13).
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn, Protocol, TypeGuard

from tasnet.common import TasnetError, open_regular, printable
from tasnet.network import pickled

MAX_BYTES = 512 << 20
"""of a file, and of what is unpacked from it; a Conv-TasNet with its optimizer has 60 MB"""

MAX_PICKLE_BYTES = 64 << 20
MAX_DIRECTORY_BYTES = 8 << 20
MAX_TEXT_CHARS = 80

_BROKEN = (
    *(OSError, EOFError, ValueError, LookupError, RuntimeError, ArithmeticError),
    *(zipfile.BadZipFile, zlib.error, struct.error),
)
"""What `zipfile` and those below it raise for a damaged archive: they have no error of their own for all of it."""


class CheckpointError(TasnetError, ValueError):
    """A file that isn't a Conv-TasNet this package can take. One line: where, what is wrong, what to do."""


def fail(path: Path, what: str, remedy: str) -> NoReturn:
    """Raises the CheckpointError of one line."""
    raise CheckpointError(f"{path}: {printable(what, 400)}; {remedy}") from None


def damaged(path: Path, what: str) -> NoReturn:
    """Raises the CheckpointError of a file that isn't what torch wrote."""
    fail(path, f"damaged torch file: {what}", "copy or download it again")


def value_text(value: object) -> str:
    """A value of the file as a message shows it: short, and on one line."""
    if value is None or isinstance(value, (bool, float)):
        return repr(value)
    if isinstance(value, int):
        return str(value) if abs(value) < 1 << 64 else "a huge number"
    if isinstance(value, (pickled.PickledObject, pickled.PickledName)):
        return f"an object of {printable(pickled.kind_of(value), MAX_TEXT_CHARS)}"
    if isinstance(value, str):
        return repr(printable(value, MAX_TEXT_CHARS)) if len(value) > MAX_TEXT_CHARS else repr(value)
    return f"a {printable(pickled.kind_of(value), MAX_TEXT_CHARS)}"


class Storages(Protocol):
    """The numbers of the tensors, by the keys that the pickle has for them."""

    def size(self, key: str) -> int:
        """Bytes of a storage, as the file states them. Raises KeyError."""

    def read(self, key: str) -> bytearray:
        """The bytes of a storage. Raises CheckpointError where they aren't there."""


@dataclass(frozen=True)
class TorchFile:
    """What the file holds. `script` is true for a TorchScript archive; `names` are all classes and functions in it."""

    content: object
    names: frozenset[str]
    storages: Storages
    script: bool = False


@contextmanager
def open_torch_file(path: Path) -> Iterator[TorchFile]:
    """The file at `path`, open as long as its storages may be read. Raises CheckpointError."""
    with open_regular(path, most=MAX_BYTES, what="a checkpoint", error=CheckpointError) as file:
        try:
            read = _archive(path, file) if zipfile.is_zipfile(file) else _row_of_pickles(path, file)
        except CheckpointError:
            raise
        except pickled.PickleError as error:
            damaged(path, f"{error}")
        except _BROKEN as error:
            damaged(path, f"{type(error).__name__}: {error}")
        dangerous = sorted(name for name in read.names if _runs_code(name))
        if dangerous:
            what = f"tries to run {printable(dangerous[0], MAX_TEXT_CHARS)} and was refused"
            fail(path, what, "don't use it; ask where it came from")
        yield read


_DANGEROUS = re.compile(
    r"os|posix|nt|sys|subprocess|shutil|socket|importlib|imp|runpy|pkgutil|zipimport|pickle|_pickle|marshal|"
    r"ctypes|_ctypes|code|codeop|pty|pdb|bdb|signal|multiprocessing|threading|_thread|asyncio|webbrowser|urllib|"
    r"http|ftplib|tempfile|timeit|cProfile|profile|trace|builtins|__builtin__|operator|functools|inspect|types|"
    r"gc|platform|site"
)
"""Packages that an honest checkpoint doesn't name, and a hostile one must, to do anything."""

_HARMLESS = re.compile(
    r"builtins\.(bool|bytearray|bytes|complex|dict|float|frozenset|getattr|int|list|object|print|range|set|slice|"
    r"str|tuple)|functools\.partial|types\.SimpleNamespace|threading\.(Lock|RLock)"
)
"""What an honest one may name of those: plain values and half calls. Nothing is made of them either."""


def _runs_code(name: str) -> bool:
    return bool(_DANGEROUS.fullmatch(name.partition(".")[0])) and not _HARMLESS.fullmatch(name)


# --- the zip archive


class _Directory(io.RawIOBase):
    """The file for `zipfile`, whose reads are bounded until the directory is read: it takes it whole."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.most = file, MAX_DIRECTORY_BYTES

    def read(self, size: int = -1) -> bytes:
        data = b"" if size > self.most else self.file.read(size if size >= 0 else self.most + 1)
        if size > self.most or len(data) > self.most:
            raise zipfile.BadZipFile("its directory of members is too long")
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()

    def seekable(self) -> bool:
        return True


def _archive(path: Path, file: BinaryIO) -> TorchFile:
    raw = _Directory(file)
    archive = zipfile.ZipFile(raw)
    raw.most = MAX_BYTES
    members = {info.filename: info for info in archive.infolist()}
    if len(members) != len(archive.infolist()):
        damaged(path, "two members of one name")
    pickles = [name for name in members if name.endswith("/data.pkl") or name == "data.pkl"]
    if len(pickles) != 1:
        _not_torchs(path, members, len(pickles))
    storages = _Members(path, archive, members, pickles[0][: -len("data.pkl")])
    if storages.folder + "byteorder" in members and storages.member("byteorder", 16) != b"little":
        fail(path, "written on a big-endian machine", "re-save it on a little-endian one")
    content, names = pickled.read_pickle(io.BytesIO(storages.member("data.pkl", MAX_PICKLE_BYTES)))
    return TorchFile(content, frozenset(names), storages, script=storages.folder + "constants.pkl" in members)


def _not_torchs(path: Path, members: Mapping[str, object], pickles: int) -> NoReturn:
    """The error for an archive that is none of torch.save's."""
    if pickles:
        fail(path, f"an archive of {pickles} torch files", "unpack it, and name one of them")
    if any(name.endswith(("/archive_format", "/.data/extern_modules")) for name in members):
        fail(path, "an exported program or a package, not a state dict", "load it with torch, and save its state_dict")
    if any(name.endswith("/model.json") for name in members):
        fail(path, "TorchScript of torch 1.0 to 1.3", "load it with such a torch, and save its state_dict")
    if any(name.endswith(".npy") for name in members):
        fail(path, "NumPy's archive, not a torch file", "save the state_dict with torch.save")
    fail(path, "not a torch file: no data.pkl in it", "save the state_dict with torch.save")


@dataclass
class _Members:
    """The storages of an archive: a member each."""

    path: Path
    archive: zipfile.ZipFile
    members: Mapping[str, zipfile.ZipInfo]
    folder: str
    unpacked: int = 0

    def size(self, key: str) -> int:
        return self.members[f"{self.folder}data/{key}"].file_size

    def read(self, key: str) -> bytearray:
        return self.member(f"data/{key}", MAX_BYTES)

    def member(self, name: str, most: int) -> bytearray:
        """The bytes of a member, as many as the directory states."""
        info = self.members[self.folder + name]
        self.unpacked += info.file_size
        if info.file_size > most or self.unpacked > MAX_BYTES:
            fail(self.path, f"{name} in it is too long: {info.file_size:,} bytes", "save the state_dict alone")
        if info.flag_bits & 1:
            fail(self.path, "an encrypted archive", "unpack it, and save the state_dict with torch.save")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            fail(self.path, f"{name} in it is packed in a way that torch doesn't use", "save it with torch.save")
        data, filled = bytearray(info.file_size), 0
        try:
            with self.archive.open(info) as file:
                # In pieces of a bounded size: `read()` unpacks all that is there, whatever size is stated.
                while filled < len(data) and (piece := file.read(min(1 << 20, len(data) - filled))):
                    data[filled : filled + len(piece)] = piece
                    filled += len(piece)
        except _BROKEN as error:
            damaged(self.path, f"{name} in it ({error})")
        if filled < len(data):
            damaged(self.path, f"{name} in it is cut")
        return data


# --- the row of pickles


_MAGIC = 0x1950A86A20F9469CFC6C
_OTHERS = (
    (re.compile(rb"\x89HDF"), "HDF5 (Keras, MATLAB)"),
    (re.compile(rb".{8}\{", re.DOTALL), "a safetensors file"),
    (re.compile(rb"\x93NUMPY"), "a NumPy array"),
    (re.compile(rb".{257}ustar", re.DOTALL), "a tar archive"),
    (re.compile(rb"\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf|\x28\xb5\x2f\xfd"), "a packed file"),
)
"""How other files begin that people keep weights in: what is meant, and can be saved anew."""

_NO_WEIGHTS = (
    (re.compile(rb"version https://git-lfs"), "a pointer of git-lfs", "fetch the file itself with git lfs pull"),
    (re.compile(rb"\s*<(!DOCTYPE|html)", re.IGNORECASE), "a web page", "download the file itself"),
)


def _row_of_pickles(path: Path, file: BinaryIO) -> TorchFile:
    """Five pickles (magic number, version, machine, content, keys), then each key's storage: a count, and its bytes."""
    file.seek(0)
    stream = io.BytesIO(file.read(MAX_PICKLE_BYTES))
    start = stream.getvalue()[:512]
    for pattern, what in _OTHERS:
        if pattern.match(start):
            fail(path, f"{what}, not a torch file", "unpack or load it, and save the state_dict with torch.save")
    for pattern, what, remedy in _NO_WEIGHTS:
        if pattern.match(start):
            fail(path, f"{what}, not a torch file", remedy)
    try:
        magic, names = pickled.read_pickle(stream)
    except pickled.PickleError:
        fail(path, "truncated, or not a torch file", "copy or download it again")
    if magic != _MAGIC:
        fail(path, f"a plain pickle of {value_text(magic)}, not a torch file", "save the state_dict with torch.save")
    pickled.read_pickle(stream, 1000)
    machine, content, keys = pickled.read_pickle(stream, 1000), pickled.read_pickle(stream), pickled.read_pickle(stream)
    if (pickled.mapping(machine[0]) or {}).get("little_endian") is False:
        fail(path, "written on a big-endian machine", "re-save it on a little-endian one")
    sizes = {}
    for each in pickled.walk(content[0]):
        if isinstance(each, pickled.PersistentId) and (storage := storage_of(each.identity)):
            if storage.kind not in ELEMENTS:
                fail(path, f"it keeps numbers in a {storage.kind}", "save the weights as float32")
            sizes[storage.key] = ELEMENTS[storage.kind][1]
    places: dict[str, tuple[int, int]] = {}
    at, end = stream.tell(), file.seek(0, io.SEEK_END)
    for key in keys[0] if isinstance(keys[0], list) else ():
        file.seek(at)
        head = file.read(8)
        count = struct.unpack("<q", head)[0] if len(head) == 8 else -1
        if not isinstance(key, str) or not 0 <= count <= end or at + 8 + count * sizes.get(key, 0) > end:
            fail(path, "truncated, or not a torch file", "copy or download it again")
        places[key] = (at + 8, count * sizes.get(key, 0))
        at += 8 + places[key][1]
    return TorchFile(content[0], frozenset(names | content[1]), _Places(path, file, places))


@dataclass
class _Places:
    """The storages of a row of pickles: a place in the file each."""

    path: Path
    file: BinaryIO
    places: Mapping[str, tuple[int, int]]

    def size(self, key: str) -> int:
        return self.places[key][1]

    def read(self, key: str) -> bytearray:
        start, size = self.places[key]
        self.file.seek(start)
        return bytearray(self.file.read(size))


# --- what a pickle says of a storage


@dataclass(frozen=True)
class StorageRef:
    """A storage that a tensor looks at, by the pickle. `kind` is torch's class of it, `start` an element in it."""

    kind: str
    key: str
    count: int
    start: int = 0


def storage_of(identity: object) -> StorageRef | None:
    """The storage that is meant: ("storage", class, key, device, count), and a view in old files; None for another."""
    if not isinstance(identity, tuple) or not 5 <= len(identity) <= 6:
        return None
    word, kind, key, _, count = identity[:5]
    if (
        word != "storage"
        or not isinstance(kind, pickled.PickledName)
        or not isinstance(key, str)
        or not is_count(count)
    ):
        return None
    if not kind.module.startswith("torch"):
        return None
    view = identity[5] if len(identity) == 6 else None
    if view is None:
        return StorageRef(kind.name, key, count)
    if not isinstance(view, tuple) or len(view) != 3 or not is_count(view[1]):
        return None
    return StorageRef(kind.name, key, count, view[1])


def is_count(value: object) -> TypeGuard[int]:
    """Whether it is a number of things that a file can hold: an int from 0 to 2^48."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 1 << 48


ELEMENTS: Mapping[str, tuple[str, int]] = {
    "FloatStorage": ("float32", 4),
    "DoubleStorage": ("float64", 8),
    "HalfStorage": ("float16", 2),
    "BFloat16Storage": ("bfloat16", 2),
    "LongStorage": ("int64", 8),
    "IntStorage": ("int32", 4),
    "ShortStorage": ("int16", 2),
    "CharStorage": ("int8", 1),
    "ByteStorage": ("uint8", 1),
    "BoolStorage": ("bool", 1),
    "ComplexDoubleStorage": ("complex128", 16),
    "ComplexFloatStorage": ("complex64", 8),
    "QUInt8Storage": ("quint8", 1),
    "QInt8Storage": ("qint8", 1),
    "QInt32Storage": ("qint32", 4),
    "UntypedStorage": ("uint8", 1),
}
"""Class of a storage -> torch's name of the numbers in it, and the bytes of one."""
