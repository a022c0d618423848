"""Files whose container lies: bombs, sizes, directories, and what isn't a file at all."""

from __future__ import annotations

import os
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

from benchmarks.outside._hostile_writing import MAGIC, archive, network, row, state

PICKLE = "archive/data.pkl"

Member = tuple[str, bytes, bytes, int, int | None]
"""name, plain bytes, kept bytes, method, stated size where it isn't the plain bytes'"""

BOMB = 8 << 30
"""bytes that each bomb would unpack to"""


@cache
def _deflated(size: int) -> bytes:
    """A stream that unpacks to `size` zeros. A full flush makes each part whole: one is made, and repeated."""
    part = 64 << 20
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    one = packer.compress(bytes(part)) + packer.flush(zlib.Z_FULL_FLUSH)
    last = zlib.compressobj(9, zlib.DEFLATED, -15)
    return one * (size // part) + last.flush()


def _packed(path: Path, bomb: str, stated: int, copies: int = 1) -> None:
    """An archive in which the member `bomb` unpacks to 8 GB, and is stated to be of another size."""
    good = b"\x80\x02" + state(network(count=stated // 4)) + b"."
    members: list[Member] = [] if bomb == PICKLE else [(PICKLE, good, good, 0, None)]
    _raw(path, members + [(bomb, b"", _deflated(BOMB), 8, stated)] * copies)


def _raw(path: Path, members: list[Member]) -> None:
    """An archive of (name, plain bytes, kept bytes, method, stated size), whatever they say of each other."""
    with path.open("wb") as file:
        entries = []
        for name, plain, kept, method, stated in members:
            size = len(plain) if stated is None else stated
            at, label = file.tell(), name.encode()
            extra = struct.pack("<HHQQ", 1, 16, size, len(kept))
            head = struct.pack("<HHHHHI", 45, 0, method, 0, 0, zlib.crc32(plain))
            sizes = struct.pack("<IIHH", 0xFFFFFFFF, 0xFFFFFFFF, len(label), len(extra))
            file.write(b"PK\x03\x04" + head + sizes + label + extra + kept)
            tail = sizes + struct.pack("<HHHII", 0, 0, 0, 0, at)
            entries.append(b"PK\x01\x02" + struct.pack("<H", 45) + head + tail + label + extra)
        start, directory = file.tell(), b"".join(entries)
        file.write(directory)
        file.write(b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, len(entries), len(entries), len(directory), start, 0))


def _many_members(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for index in range(80_000):
            file.writestr(f"archive/data/{index}{'x' * 60}", b"")


def _encrypted(path: Path) -> None:
    archive(path, state(network()))
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = 0
        while (at := data.find(mark, at)) >= 0:
            data[at + offset] |= 1
            at += 4
    path.write_bytes(data)


def _method(path: Path, method: int) -> None:
    with zipfile.ZipFile(path, "w", method) as file:
        file.writestr("archive/data.pkl", b"\x80\x02" + state(network(count=64 << 20)) + b".")
        with file.open("archive/data/0", "w") as member:
            for _ in range(16):
                member.write(bytes(1 << 20))


def _duplicated(path: Path) -> None:
    good = b"\x80\x02" + state(network()) + b"."
    _raw(path, [("archive/data.pkl", good, good, 0, None)] * 2)


def _empty_file(path: Path, size: int, start: bytes = b"") -> None:
    with path.open("wb") as file:
        file.write(start)
        file.truncate(size)


ARCHIVES: dict[str, Callable[[Path], object]] = {
    "bomb in a storage": lambda path: _packed(path, "archive/data/0", BOMB),
    "bomb in a storage that is stated small": lambda path: _packed(path, "archive/data/0", 4096),
    "bomb in a storage that is stated to fit": lambda path: _packed(path, "archive/data/0", 500 << 20),
    "bomb in the pickle": lambda path: _packed(path, "archive/data.pkl", BOMB),
    "bomb in the pickle that is stated small": lambda path: _packed(path, "archive/data.pkl", 60 << 20),
    "bomb three times": lambda path: _packed(path, "archive/data/0", BOMB, copies=3),
    "bzip2": lambda path: _method(path, zipfile.ZIP_BZIP2),
    "lzma": lambda path: _method(path, zipfile.ZIP_LZMA),
    "80000 members": _many_members,
    "encrypted": _encrypted,
    "two pickles of one name": _duplicated,
    "zeros of 500 MB": lambda path: _empty_file(path, 500 << 20),
    "zeros of 500 MB behind a pickle": lambda path: _empty_file(path, 500 << 20, pickle.dumps(MAGIC[0], 2)),
    "zeros of 600 GB": lambda path: _empty_file(path, 600 << 30),
    "zip mark and zeros": lambda path: _empty_file(path, 100 << 20, b"PK\x03\x04"),
    "pipe": os.mkfifo,
    "folder": Path.mkdir,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "link to itself": lambda path: path.symlink_to(path),
    "empty": lambda path: path.write_bytes(b""),
    "storage that is not there": lambda path: archive(path, state(network()), {}),
    "storage too short": lambda path: archive(path, state(network()), {"data/0": b"\0"}),
    "storage too long": lambda path: archive(path, state(network()), {"data/0": bytes(1 << 20)}),
    "old format, count of 2^62": lambda path: row(path, state(network()), ["0"], rest=struct.pack("<q", 1 << 62)),
    "old format, count below 0": lambda path: row(path, state(network()), ["0"], rest=struct.pack("<q", -1)),
    "old format, keys that are lists": lambda path: row(path, state(network()), [[], 3, None]),
    "old format, no storages": lambda path: row(path, state(network()), [], rest=b""),
    "old format, unknown storage": lambda path: row(path, state(network(kind="torch.OddStorage")), ["0"]),
    "old format, machine is a list": lambda path: path.write_bytes(
        b"".join(pickle.dumps(part, 2) for part in (MAGIC[0], 1001, [1], {}, []))
    ),
}
