"""Reads a file of `torch.save` without running anything in it.

`torch.load(weights_only=True)` reads most files. What it refuses is read again by an unpickler of our
own, which builds tensors and plain containers, and neither imports nor calls anything else the file names.
"""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

import torch


class CheckpointError(ValueError):
    """A file that isn't a Conv-TasNet this package can take. One line: where, what is wrong, what to do."""


def fail(path: Path, what: str, remedy: str) -> NoReturn:
    """Raises the CheckpointError of one line."""
    raise CheckpointError(f"{path}: {what}; {remedy}") from None


def read(path: Path) -> tuple[Any, tuple[str, ...]]:
    """The content of the file, and the globals refused in it."""
    if not path.is_file():
        fail(path, "no such file", "check the path")
    try:
        with warnings.catch_warnings():
            # It warns of pickle protocols that it reads all the same.
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True), ()
    except Exception as error:
        # torch has no error of its own for a damaged file: RuntimeError, EOFError, KeyError, … all mean one.
        if not zipfile.is_zipfile(path):
            named = re.search(r"(?:GLOBAL|global:?) ([\w.]+\.\w+)", str(error))
            if named:
                what = f"old format, and names {named[1]}, which is refused"
                fail(path, what, "re-save its state_dict with torch 1.6 or later")
            fail(path, "truncated, or not a torch file", "copy or download it again")
    try:
        return _read_zip(path)
    except CheckpointError:
        raise
    except Exception as error:
        fail(path, f"damaged torch file ({type(error).__name__}: {error})", "copy or download it again")


def _read_zip(path: Path) -> tuple[Any, tuple[str, ...]]:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith("/data.pkl") or name == "data.pkl"]
        if len(names) != 1:
            fail(path, "not a torch file: no data.pkl in it", "save the state_dict with torch.save")
        folder = names[0][: -len("data.pkl")]
        order = f"{folder}byteorder"
        if order in archive.namelist() and archive.read(order) != b"little":
            fail(path, "written on a big-endian machine", "re-save it on a little-endian one")
        with archive.open(names[0]) as file:
            reader = _Reader(file, path, archive, folder)
            content = reader.load()
    return content, tuple(sorted(reader.refused))


_DTYPES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}

_DANGEROUS = re.compile(
    r"os|posix|nt|sys|subprocess|shutil|socket|importlib|imp|runpy|pkgutil|zipimport|pickle|_pickle|marshal|"
    r"ctypes|_ctypes|code|codeop|pty|pdb|bdb|signal|multiprocessing|threading|_thread|asyncio|webbrowser|urllib|"
    r"http|ftplib|tempfile|timeit|cProfile|profile|trace|builtins|__builtin__|operator|functools|inspect|types|"
    r"gc|platform|site"
)
"""Packages that an honest checkpoint doesn't name, and a hostile one must, to do anything."""

_HARMLESS = re.compile(
    r"builtins\.(bool|bytearray|bytes|complex|dict|float|frozenset|int|list|object|range|set|slice|"
    r"str|tuple)"
)
"""What an honest one may name of those: plain values. They are refused all the same, but quietly."""


class _Refused:
    """Stands in for a class or function of the file: takes what the pickle does to it, and does nothing."""

    refused_name = ""

    def __new__(cls, *_args: object, **_kwargs: object) -> _Refused:
        return object.__new__(cls)

    def __init__(self, *_args: object, **_kwargs: object) -> None: ...

    def __setstate__(self, _state: object) -> None: ...

    def __setitem__(self, _key: object, _value: object) -> None: ...

    def append(self, _item: object) -> None: ...

    def extend(self, _items: object) -> None: ...


class _Reader(pickle.Unpickler):
    """An unpickler to which only tensors and OrderedDict mean anything."""

    def __init__(self, file: Any, path: Path, archive: zipfile.ZipFile, folder: str) -> None:
        super().__init__(file, encoding="utf-8")
        self.path, self.archive, self.folder = path, archive, folder
        self.refused: set[str] = set()
        self.storages: dict[str, torch.Tensor] = {}

    def find_class(self, module: str, name: str) -> Any:
        known = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _tensor,
            ("torch._utils", "_rebuild_parameter"): _parameter,
        }
        if (module, name) in known:
            return known[module, name]
        if module in ("torch", "torch.storage") and name in _DTYPES:
            return _DTYPES[name]
        full = f"{module}.{name}".replace("__builtin__.", "builtins.")
        if _DANGEROUS.fullmatch(module.partition(".")[0]) and not _HARMLESS.fullmatch(full):
            fail(self.path, f"tries to run {full} and was refused", "don't use it; ask where it came from")
        self.refused.add(full)
        return type("Refused", (_Refused,), {"refused_name": full})

    def persistent_load(self, pid: Any) -> torch.Tensor:
        kind, dtype, key, _device, count = pid
        if kind != "storage" or not isinstance(dtype, torch.dtype) or not re.fullmatch(r"\d+", key):
            raise pickle.UnpicklingError(f"storage {key}: of an unknown kind")
        if key not in self.storages:
            data = bytearray(self.archive.read(f"{self.folder}data/{key}"))
            if len(data) != count * dtype.itemsize:
                raise pickle.UnpicklingError(f"storage {key}: {len(data)} bytes for {count} values")
            self.storages[key] = torch.frombuffer(data, dtype=dtype) if data else torch.empty(0, dtype=dtype)
        return self.storages[key]


def _tensor(
    storage: torch.Tensor, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_rest: object
) -> torch.Tensor:
    # as_strided checks that the view lies within the storage.
    return storage.as_strided(shape, stride, offset)


def _parameter(tensor: torch.Tensor, *_rest: object) -> torch.Tensor:
    return tensor


def refused_inside(value: object) -> Iterator[str]:
    """The names of the refused objects anywhere in nested plain containers."""
    if isinstance(value, _Refused) or (isinstance(value, type) and issubclass(value, _Refused)):
        yield value.refused_name
    elif isinstance(value, Mapping):
        for pair in value.items():
            yield from refused_inside(pair)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from refused_inside(item)
