"""HAR, HN and HEF files that are made to harm whoever reads them: one of each kind, by name."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import struct
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.outside._hostile_models import ESCAPE, whole
from tasnet.hailo.files.hn import dumps
from tasnet.hailo.translate import translate
from tests.doubles import hef_writer

Write = Callable[[Path], None]


def members() -> dict[str, bytes]:
    """A sound HAR's: graph, weights and metadata."""
    network = translate(whole(), "net")
    npz = io.BytesIO()
    np.savez(npz, **network.weights)
    return {"net.hn": dumps(network).encode(), "net.npz": npz.getvalue(), "net.metadata.json": b'{"hn": "net.hn"}'}


def packed(chosen: Mapping[str, bytes]) -> bytes:
    """A tar of them."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in chosen.items():
            _add(archive, name, data)
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, name: str, data: bytes = b"", **fields: object) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in fields.items():
        setattr(info, key, value)
    archive.addfile(info, io.BytesIO(data))


def _with(**changed: Callable[[], bytes]) -> Write:
    """A sound HAR but for the members named. They are made when it is written: some take seconds."""
    names = {"hn": "net.hn", "npz": "net.npz", "metadata": "net.metadata.json"}
    return lambda path: path.write_bytes(packed(members() | {names[key]: make() for key, make in changed.items()}))


def _more(change: Callable[[tarfile.TarFile], object]) -> Write:
    def write(path: Path) -> None:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
            change(archive)
            for name, data in members().items():
                _add(archive, name, data)
        path.write_bytes(buffer.getvalue())

    return write


def _bomb(pack: Callable[[bytes], bytes]) -> Write:
    """6 GB of zeros behind a true header, in compressed pieces one after the other."""

    def write(path: Path) -> None:
        info = tarfile.TarInfo("net.npz")
        info.size = 6 << 30
        piece = pack(bytes(64 << 20))
        with path.open("wb") as file:
            file.write(pack(info.tobuf(tarfile.GNU_FORMAT)))
            for _ in range(96):
                file.write(piece)

    return write


def _xz_bomb(path: Path) -> None:
    info = tarfile.TarInfo("net.npz")
    info.size = 1 << 30
    packer = lzma.LZMACompressor(preset=0)
    with path.open("wb") as file:
        file.write(packer.compress(info.tobuf(tarfile.GNU_FORMAT)))
        for _ in range(16):
            file.write(packer.compress(bytes(64 << 20)))
        file.write(packer.flush())


def _xz_dictionary(path: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 4096}]
    data = bytearray(lzma.compress(packed(members()), filters=filters, check=lzma.CHECK_NONE))
    # The filter's one property is the size of the dictionary: 40 is 4 GiB. Its header has a checksum.
    at = data.index(b"\x21\x01", 12)
    data[at + 2] = 40
    size = (data[12] + 1) * 4
    import zlib

    data[12 + size - 4 : 12 + size] = struct.pack("<I", zlib.crc32(bytes(data[12 : 12 + size - 4])))
    path.write_bytes(bytes(data))


def _zip(entries: Callable[[zipfile.ZipFile], object]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        entries(archive)
    return buffer.getvalue()


def _npy(shape: str, data: bytes = b"", descr: str = "<f4") -> bytes:
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


def _zeros(archive: zipfile.ZipFile) -> None:
    with archive.open("net/conv1/kernel:0.npy", "w", force_zip64=True) as entry:
        entry.write(_npy(f"({1 << 28},)"))
        for _ in range(16):
            entry.write(bytes(64 << 20))


def _many_zeros(archive: zipfile.ZipFile) -> None:
    for index in range(40):
        archive.writestr(f"a{index}.npy", _npy(f"({1 << 22},)", bytes(1 << 24)))


def _hn(change: Callable[[dict[str, Any]], object]) -> Write:
    def write(path: Path) -> None:
        graph = json.loads(members()["net.hn"])
        change(graph)
        path.write_text(json.dumps(graph))

    return write


def _text(text: Callable[[], str]) -> Write:
    return lambda path: path.write_text(text())


def _chain(count: int) -> Write:
    """A graph of so many layers, one after the other."""

    def write(path: Path) -> None:
        names = [*(f"n/a{index}" for index in range(count)), "n/output_layer1"]
        shape = [[-1, 1, 16, 4]]
        layers: dict[str, Any] = {}
        before = "n/input_layer1"
        layers[before] = {"type": "input_layer", "input": [], "output": [names[0]], "output_shapes": shape}
        for name, after in zip(names, [*names[1:], ""], strict=True):
            kind = "activation" if after else "output_layer"
            layers[name] = {"type": kind, "input": [before], "output": [after] * bool(after), "input_shapes": shape}
            layers[name] |= {"output_shapes": shape, "params": {"activation": "relu"}}
            before = name
        path.write_text(json.dumps({"name": "n", "layers": layers}))

    return write


def _renamed(name: str) -> Write:
    return lambda path: path.write_text(members()["net.hn"].decode().replace("conv1", json.dumps(name)[1:-1]))


def _hef(data: Callable[[bytes], bytes], version: int = 0) -> Write:
    return lambda path: path.write_bytes(data(hef_writer.sealed(version, b"\x0a\x02\x08\x01", b"ccws" * 8, b"info")))


HARS: Mapping[str, Write] = {
    "gz bomb": _bomb(lambda data: gzip.compress(data, 1)),
    "bz2 bomb": _bomb(lambda data: bz2.compress(data, 9)),
    "xz bomb": _xz_bomb,
    "xz with a dictionary of 4 GiB": _xz_dictionary,
    "gz cut short": lambda path: path.write_bytes(gzip.compress(packed(members()))[:-20]),
    "sparse member of 6 GB": _more(
        lambda a: _add(a, "big.npz", b"", type=tarfile.GNUTYPE_SPARSE, size=0, sparse=[(0, 6 << 30)])
    ),
    "member of 8 EB": _more(lambda a: a.fileobj.write(_header("a", 1 << 62))),  # type: ignore[union-attr]
    "member of a negative size": _more(lambda a: a.fileobj.write(_header("a", -512))),  # type: ignore[union-attr]
    "long name of 2 GB": _more(
        lambda a: a.fileobj.write(_header("a", 2 << 30, tarfile.GNUTYPE_LONGNAME))  # type: ignore[union-attr]
    ),
    "pax header of 2 GB": _more(
        lambda a: a.fileobj.write(_header("a", 2 << 30, tarfile.XHDTYPE))  # type: ignore[union-attr]
    ),
    "a member twice": _more(lambda a: _add(a, "net.hn", b"{}")),
    "a link": _more(lambda a: _add(a, "net.npz", type=tarfile.SYMTYPE, linkname="/etc/passwd")),
    "a hard link": _more(lambda a: _add(a, "x.npz", type=tarfile.LNKTYPE, linkname="/etc/passwd")),
    "a device": _more(lambda a: _add(a, "x.npz", type=tarfile.CHRTYPE)),
    "a pipe": _more(lambda a: _add(a, "x.npz", type=tarfile.FIFOTYPE)),
    "up and away": _more(lambda a: _add(a, "../x.npz")),
    "a name that prints a verdict": _more(lambda a: _add(a, f"../{ESCAPE}")),
    "100,000 members": _more(lambda a: [_add(a, f"m{index}") for index in range(100_000)]),
    "two graphs": _more(lambda a: _add(a, "other.hn", b"{}")),
    "zip bomb": _with(npz=lambda: _zip(_zeros)),
    "40 zip bombs in one": _with(npz=lambda: _zip(_many_zeros)),
    "an array of 16 TB": _with(npz=lambda: _zip(lambda z: z.writestr("a.npy", _npy(f"({1 << 42},)")))),
    "an array of 2^600 numbers": _with(npz=lambda: _zip(lambda z: z.writestr("a.npy", _npy(f"({1 << 600},)")))),
    "an array of objects": _with(npz=lambda: _zip(lambda z: z.writestr("a.npy", _npy("(1,)", b"cos\nsystem\n", "|O")))),
    "an array of text": _with(npz=lambda: _zip(lambda z: z.writestr("a.npy", _npy("(1,)", bytes(64), "<U16")))),
    "a header of 100 KB": _with(npz=lambda: _zip(lambda z: z.writestr("a.npy", _npy("(" + "(" * 60_000)))),
    "200,000 arrays": _with(npz=lambda: _zip(lambda z: [z.writestr(f"{index}.npy", b"") for index in range(200_000)])),
    "metadata 100,000 deep": _with(metadata=lambda: b"[" * 100_000),
    "metadata of 100 MB": _with(metadata=lambda: b" " * (100 << 20)),
    "no weights": lambda path: path.write_bytes(packed({"net.hn": members()["net.hn"]})),
    "zeros": lambda path: path.write_bytes(bytes(1 << 20)),
    "HTTP's archive": _text(lambda: '{"log": {"version": "1.2"}}'),
}
HNS: Mapping[str, Write] = {
    "lists 100,000 deep": _text(lambda: '{"name": "n", "layers": ' + "[" * 100_000),
    "objects 1,000,000 deep": _text(lambda: '{"a":' * 1_000_000),
    "15 MB of empty lists": _text(lambda: '{"name": "n", "a": [' + "[]," * (5 << 20) + "[]]}"),
    "17 MB": _text(lambda: '{"name": "n"}' + " " * (17 << 20)),
    "a number of a million digits": _text(lambda: '{"name": "n", "a": ' + "9" * 1_000_000 + "}"),
    "no layers": _hn(lambda g: g["layers"].clear()),
    "20,000 layers": _chain(20_000),
    "a size of 10^30": _hn(lambda g: g["layers"]["net/conv2"].update(output_shapes=[[-1, 1, 10**30, 8]] * 2)),
    "a prime size past any": _hn(lambda g: g["layers"]["net/conv2"].update(output_shapes=[[-1, 1, (1 << 61) - 1, 8]])),
    "layers that are lists": _hn(lambda g: g["layers"].update({key: [] for key in g["layers"]})),
    "names that are numbers": _hn(lambda g: g["layers"]["net/conv2"].update(input=[1, 2])),
    "a name that prints a verdict": _renamed(ESCAPE),
    "a name of a megabyte": _renamed("n" * (1 << 20)),
    "UTF-16": lambda path: path.write_bytes('{"name": "n"}'.encode("utf-16")),
}
HEFS: Mapping[str, Write] = {
    "cut short": _hef(lambda data: data[:40]),
    "a length past any": _hef(lambda data: data[:8] + b"\xff" * 4 + data[12:]),
    "an unknown version": _hef(lambda data: data[:4] + b"\x00\x00\x00\x63" + data[8:]),
    "3 GB of zeros": lambda path: _grow(path, hef_writer.sealed(1, b"", b"", b""), 3 << 30),
    "no more than its magic": lambda path: path.write_bytes(b"\x01HEF"),
}


def _header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.type = kind
    head = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    head[124:136] = (b"\x80" if size >= 0 else b"\xff") + size.to_bytes(11, "big", signed=True)
    head[148:156] = b"        "
    head[148:156] = b"%06o\x00 " % sum(head)
    return bytes(head)


def _grow(path: Path, start: bytes, size: int) -> None:
    with path.open("wb") as file:
        file.write(start)
        file.truncate(size)
