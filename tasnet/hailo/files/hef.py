"""The HEF, Hailo's compiled file: its header, its integrity, and what it says of the network inside.

Versions 0 to 3, by the layout and field numbers as documented in HailoRT's public sources. The device's
configuration (the ccws) is hashed in chunks and never held; the protobuf is read through a memory map.
Only what a network group says of its own contexts is read: host operations (`host_operations`) are counted.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import stat
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import IO, Any, Literal

import xxhash

from tasnet.common import TasnetError
from tasnet.hailo.files import protowire
from tasnet.hailo.files.protowire import Message

MAGIC = 0x01484546
_COMMON = struct.Struct(">III")
_REST = {v: struct.Struct(form) for v, form in enumerate((">I16s", ">IQI", ">QQQQ", ">QQIQQQ"))}
"""the header's fields after the common three, by version"""
_CHUNK = 1 << 20
_XXH3_PROTO = "xxh3_64 of the protobuf"

_ARCHS = {0: "hailo8", 1: "hailo8p", 2: "hailo8r", 3: "hailo8l", 4: "hailo15m", 6: "hailo15l", 103: "hailo1xh"}
"""the header's enum; real Hailo-8 files carry HAILO8P, and numbers without a name here were seen (106, 108)"""
PER_FEATURE = "OUTPUT_SCALE_PER_FEATURE"
"""The extension of a file with which HailoRT reads the scales per feature; without it they are of no account."""
_PER_FEATURE_TYPE = 20
"""Its number in HailoRT's public enum as far as is known here: held against no real file, so a name goes before it."""
_RUNS: Mapping[str, frozenset[str]] = {
    # The public HailoRT lets a Hailo-8 run a Hailo-8L's file, slower than one of its own; never the reverse.
    "hailo8": frozenset({"hailo8", "hailo8p", "hailo8r", "hailo8l"}),
    "hailo8r": frozenset({"hailo8r"}),
    "hailo8l": frozenset({"hailo8l"}),
    "hailo15m": frozenset({"hailo15m"}),
    "hailo15l": frozenset({"hailo15l"}),
    "hailo15h": frozenset({"hailo1xh"}),
    "hailo10h": frozenset({"hailo1xh"}),
}

Shape = tuple[int, int, int]
"""(H, W, C)"""


class HefError(TasnetError, ValueError):
    """A HEF that can't be read or used. The message is the file's name, if it is known, and `reason`: what is wrong,
    where, and what to do.
    """

    def __init__(self, reason: str, file: str = "") -> None:
        self.reason = reason
        super().__init__(f"{file}: {reason}" if file else reason)


@dataclass(frozen=True)
class EdgeLayer:
    """One input or output of the network. Sizes are in elements; `padded_*` as the device streams them."""

    name: str
    direction: Literal["input", "output"]
    height: int
    width: int
    features: int
    padded_height: int
    padded_width: int
    padded_features: int
    format: int
    """the compiler's number of the stream's element order; `tasnet inspect` shows its name"""
    data_bytes: int
    """bytes of one element"""
    qp_zp: float
    qp_scale: float
    qp_zps: tuple[float, ...] = ()
    """one per feature, as the file lists them; empty where it doesn't"""
    qp_scales: tuple[float, ...] = ()
    per_feature: bool = False
    """whether the lists count, as the file's extension has it; else the scalars do"""
    limits: tuple[float, float] = (0.0, 0.0)
    """least and greatest real value seen in calibration"""
    original_names: tuple[str, ...] = ()
    context: int = 0

    @property
    def shape(self) -> Shape:
        """(H, W, C), unpadded."""
        return (self.height, self.width, self.features)

    @property
    def base_name(self) -> str:
        """The layer's name without scope."""
        return self.name.rpartition("/")[2]


@dataclass(frozen=True)
class NetworkGroup:
    """One network group. Its contexts, inputs and outputs are its first partial group's where it has none."""

    name: str
    bottleneck_fps: float
    """frames per second, as the compiler estimates; 0 where it doesn't"""
    latency_seconds: float
    """as the compiler estimates; 0 where it doesn't"""
    ops: float
    """operations of one frame"""
    contexts: int
    inputs: tuple[EdgeLayer, ...]
    outputs: tuple[EdgeLayer, ...]
    outputs_order: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    partial_groups: tuple[NetworkGroup, ...] = ()
    """the layouts a Hailo-8L's file carries"""
    host_operations: int = 0
    unread_edges: int = 0
    """boundary edge layers of another form (multiplexed), which have no shape of their own"""


@dataclass(frozen=True)
class Hef:
    """What a HEF says."""

    version: int
    size_bytes: int
    integrity: str
    """what was checked: `md5`, `crc32`, `xxh3_64`, or `xxh3_64 of the protobuf`"""
    arch_number: int
    """the architecture, in the header's enum"""
    sdk_version: str
    timestamp_ms: int
    """milliseconds since 1970, 0 where the file has none"""
    groups: tuple[NetworkGroup, ...]

    @property
    def hw_arch(self) -> str:
        """The architecture in lower case (`hailo8p` for nearly every Hailo-8 file); `unknown-106` for a number without
        a name here."""
        return _ARCHS.get(self.arch_number, f"unknown-{self.arch_number}")

    @property
    def arch_text(self) -> str:
        """The architecture for a person."""
        if self.arch_number in _ARCHS:
            return self.hw_arch
        return f"architecture number {self.arch_number}, which has no name here"

    @property
    def timestamp(self) -> datetime | None:
        """When it was compiled, in UTC; None where the file has no time, or an impossible one."""
        try:
            written = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=self.timestamp_ms)
        except OverflowError:
            return None
        return written if self.timestamp_ms else None

    @property
    def contexts(self) -> int:
        """Contexts of all groups: 1 is a network that the chip holds as a whole."""
        return sum(group.contexts for group in self.groups)

    @property
    def inputs(self) -> tuple[EdgeLayer, ...]:
        """The inputs of all groups."""
        return tuple(layer for group in self.groups for layer in group.inputs)

    @property
    def outputs(self) -> tuple[EdgeLayer, ...]:
        """The outputs of all groups, each group's in the order its file asks for."""
        return tuple(layer for group in self.groups for layer in group.outputs)


def read_hef(path: str | os.PathLike[str]) -> Hef:
    """The HEF at `path`, its length and integrity checked first. Raises HefError, and nothing else."""
    name = Path(path).name
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise HefError("not a regular file: give the path of a .hef")
        with open(path, "rb") as file:
            return _read(file, os.fstat(file.fileno()).st_size)
    except protowire.WireError as error:
        raise HefError(f"its protobuf is broken: {error}; compile it again", name) from None
    except HefError as error:
        raise HefError(error.reason, name) from None
    except (OSError, ValueError) as error:
        # mmap and open say ValueError of a file that shrank and of a path with a zero byte.
        raise HefError(f"can't be read: {error}; check the path and its permissions", name) from None


def runs_on(hef: Hef, arch: str) -> bool:
    """Whether a device of architecture `arch` (`hailo8`, ...) runs the file. HefError on an unknown one."""
    if arch not in _RUNS:
        raise HefError(f"no architecture {arch!r} is known: give one of {', '.join(_RUNS)}")
    return hef.hw_arch in _RUNS[arch]


# The header


def _read(file: IO[bytes], size: int) -> Hef:
    head = file.read(_COMMON.size)
    if len(head) < 4 or int.from_bytes(head[:4], "big") != MAGIC:
        raise HefError("not a HEF: it does not begin with 01 48 45 46")
    if len(head) < _COMMON.size:
        raise HefError(f"cut short: the header ends after {len(head)} bytes; copy or compile it again")
    _, version, proto_size = _COMMON.unpack(head)
    if version not in _REST:
        raise HefError(f"HEF version {version} is unknown: use a tasnet that reads more than 0 to 3")
    rest = file.read(_REST[version].size)
    if len(rest) < _REST[version].size:
        raise HefError(f"cut short: the header ends after {size} bytes; copy or compile it again")
    start = _COMMON.size + len(rest)
    expected, integrity, covered, body = _header(version, proto_size, _REST[version].unpack(rest))
    if size != start + body:
        what = "cut short" if size < start + body else "too long"
        raise HefError(f"{what}: {size} bytes, the header says {start + body}; copy or compile it again")
    actual = _checksum(integrity, file, covered)
    if actual != expected:
        raise HefError(f"{integrity} is {actual}, the header says {expected}: damaged; copy or compile it again")
    if proto_size == 0:
        raise HefError("no network group in it: compile it again")
    with mmap.mmap(file.fileno(), start + proto_size, access=mmap.ACCESS_READ) as buffer:
        root = protowire.read_message(buffer, start, start + proto_size, 1, 2, 5)
        header = root.message(1, 1, 2, 3)
        apart = any(_is_per_feature(each) for each in root.messages(5, 1, 2))
        groups = tuple(_group(group, apart, nested=False) for group in root.messages(2, *_GROUP_FIELDS))
        if not groups:
            raise HefError("no network group in it: compile it again")
        return Hef(
            version=version,
            size_bytes=size,
            integrity=integrity,
            arch_number=header.varint(1),
            sdk_version=header.text(3),
            timestamp_ms=header.varint(2),
            groups=groups,
        )


def _header(version: int, proto: int, rest: tuple[Any, ...]) -> tuple[str, str, int, int]:
    """(checksum, which one, bytes that it covers, bytes after the header)."""
    if version == 0:
        return rest[1].hex(), "md5", proto, proto
    if version == 1:
        crc, ccws, _ = rest
        return f"{crc:08x}", "crc32", proto + ccws, proto + ccws
    if version == 2:
        digest, ccws, _, _ = rest
        return f"{digest:016x}", "xxh3_64", proto + ccws, proto + ccws
    digest, ccws, _, additional, proto_digest, _ = rest
    body = proto + ccws + additional
    if proto_digest:
        return f"{proto_digest:016x}", _XXH3_PROTO, proto, body
    return f"{digest:016x}", "xxh3_64", body, body


def _checksum(kind: str, file: IO[bytes], count: int) -> str:
    """The checksum of the file's next `count` bytes, in hex; read in chunks."""
    crc = 0
    digest = hashlib.md5(usedforsecurity=False) if kind == "md5" else xxhash.xxh3_64()
    while count > 0 and (chunk := file.read(min(count, _CHUNK))):
        count -= len(chunk)
        if kind == "crc32":
            crc = zlib.crc32(chunk, crc)
        else:
            digest.update(chunk)
    return f"{crc:08x}" if kind == "crc32" else digest.hexdigest()


# The protobuf: the numbers are those of its documented fields

_GROUP_FIELDS = (1, 3, 4, 6, 7, 8)


def _is_per_feature(extension: Message) -> bool:
    """Whether it is PER_FEATURE, by its name, or by its number where it has no name."""
    name = extension.text(2).upper()
    return name == PER_FEATURE if name else extension.varint(1) == _PER_FEATURE_TYPE


def _group(group: Message, apart: bool, *, nested: bool) -> NetworkGroup:
    metadata = group.message(1, 1, 4, 6, 8)
    # A partial group holds a whole network group in its field 1; it holds no partial groups of its own.
    partial = (
        () if nested else tuple(_group(p.message(1, *_GROUP_FIELDS), apart, nested=True) for p in group.messages(7, 1))
    )
    edges: list[EdgeLayer] = []
    unread = 0
    for context in group.messages(3, 1, 3):
        index = context.varint(1)
        for edge in context.message(3, 2).messages(2, 1, 3, 5):
            if edge.message(5, 3).varint(3) != 0:
                continue
            if not edge.count(3):
                unread += 1
            else:
                edges.append(_edge(edge, index, apart))
            if len(edges) > protowire.MAX_REPEATED:
                raise HefError(f"more than {protowire.MAX_REPEATED} inputs and outputs: compile it again")
    order = group.texts(4)
    outputs = tuple(edge for edge in edges if edge.direction == "output")
    # Every output has its place in the order, or the order says nothing.
    place = {name: i for i, name in enumerate(order)}
    if all(edge.name in place for edge in outputs):
        outputs = tuple(sorted(outputs, key=lambda edge: place[edge.name]))
    inputs = tuple(edge for edge in edges if edge.direction == "input")
    contexts = group.count(3)
    if not contexts and partial:
        contexts, inputs, outputs = partial[0].contexts, partial[0].inputs, partial[0].outputs
    return NetworkGroup(
        name=metadata.text(1),
        bottleneck_fps=metadata.number(4),
        latency_seconds=metadata.number(6),
        ops=metadata.number(8),
        contexts=contexts,
        inputs=inputs,
        outputs=outputs,
        outputs_order=order,
        networks=group.texts(6),
        partial_groups=partial,
        host_operations=group.count(8),
        unread_edges=unread,
    )


def _edge(edge: Message, context: int, apart: bool) -> EdgeLayer:
    direction = edge.varint(1)
    info = edge.message(3, 1, 2, 3, 5)
    name = info.text(1)
    if direction not in {0, 1}:
        raise HefError(f"edge layer {name!r}: direction {direction} is neither input (0) nor output (1)")
    base = info.message(2, 1, 2, 3, 4, 5, 6, 7, 12)
    numeric = info.message(3, 1, 2, 3, 4, 5, 6)
    features, zps, scales = base.varint(5), numeric.doubles(5), numeric.doubles(6)
    per_feature = apart and bool(zps or scales)
    if per_feature and not len(zps) == len(scales) == features:
        raise HefError(
            f"edge layer {name!r}: {len(scales)} scales and {len(zps)} zero points for {features} features, which the "
            f"extension {PER_FEATURE} has one each for; compile it again"
        )
    return EdgeLayer(
        name=name,
        direction="output" if direction else "input",
        height=base.varint(1),
        padded_height=base.varint(2),
        width=base.varint(3),
        padded_width=base.varint(4),
        features=features,
        padded_features=base.varint(6),
        format=base.varint(7),
        data_bytes=base.varint(12),
        qp_zp=numeric.float32(1),
        qp_scale=numeric.float32(2),
        qp_zps=zps,
        qp_scales=scales,
        per_feature=per_feature,
        limits=(numeric.float32(3), numeric.float32(4)),
        original_names=info.texts(5),
        context=context,
    )
