"""A test double: writes HEFs of versions 0 to 3 from the documented layout. No compiler wrote these files."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Sequence

MAGIC = 0x01484546


def varint(value: int) -> bytes:
    """A protobuf varint."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def integer(number: int, value: int) -> bytes:
    """A varint field."""
    return varint(number << 3) + varint(value)


def block(number: int, payload: bytes | str) -> bytes:
    """A length-delimited field: a text or a message."""
    data = payload.encode() if isinstance(payload, str) else payload
    return varint(number << 3 | 2) + varint(len(data)) + data


def float32(number: int, value: float) -> bytes:
    """A 32-bit float field."""
    return varint(number << 3 | 5) + struct.pack("<f", value)


def float64(number: int, value: float) -> bytes:
    """A double field."""
    return varint(number << 3 | 1) + struct.pack("<d", value)


def edge(
    name: str,
    shape: tuple[int, int, int],
    *,
    output: bool = False,
    padded: tuple[int, int, int] | None = None,
    connection: int = 0,
    order: int = 0,
    data_bytes: int = 1,
    zp: float = 0.0,
    scale: float = 1.0,
    zps: Sequence[float] = (),
    scales: Sequence[float] = (),
    packed: bool = True,
    originals: Sequence[str] = (),
) -> bytes:
    """An edge layer, `shape` and `padded` as (H, W, C)."""
    padded = padded or shape
    base = b"".join(integer(2 * i + 1, shape[i]) + integer(2 * i + 2, padded[i]) for i in range(3))
    base += integer(7, order) + integer(12, data_bytes)
    numeric = float32(1, zp) + float32(2, scale) + float32(3, -1.0) + float32(4, 1.0)
    for number, values in ((5, zps), (6, scales)):
        if values and packed:
            numeric += block(number, struct.pack(f"<{len(values)}d", *values))
        else:
            numeric += b"".join(float64(number, v) for v in values)
    info = block(1, name) + block(2, base) + block(3, numeric) + b"".join(block(5, n) for n in originals)
    switch = integer(3, connection) if connection else b""
    return integer(1, int(output)) + block(3, info) + block(5, switch)


def context(index: int, edges: Sequence[bytes], ccws: bytes = b"") -> bytes:
    """A context; `ccws` stands for the configuration that version 0 keeps inside the protobuf."""
    metadata = block(1, f"context_{index}") + b"".join(block(2, e) for e in edges)
    return integer(1, index) + (block(2, ccws) if ccws else b"") + block(3, metadata)


def group(
    name: str,
    contexts: Sequence[bytes],
    *,
    fps: float = 0.0,
    latency: float = 0.0,
    ops: int = 0,
    order: Sequence[str] = (),
    networks: Sequence[str] = (),
    partial: Sequence[bytes] = (),
    host_operations: int = 0,
) -> bytes:
    """A network group."""
    metadata = block(1, name) + float64(4, fps) + float64(6, latency) + integer(8, ops)
    out = block(1, metadata) + b"".join(block(3, c) for c in contexts)
    out += b"".join(block(4, o) for o in order) + b"".join(block(6, n) for n in networks)
    out += b"".join(block(7, block(1, p)) for p in partial)
    return out + block(8, b"") * host_operations


def extension(number: int, name: str) -> bytes:
    """An extension that the file needs of HailoRT; a number of 0 or an empty name isn't written."""
    return (integer(1, number) if number else b"") + (block(2, name) if name else b"")


def proto(
    groups: Sequence[bytes],
    *,
    arch: int = 1,
    timestamp: int = 0,
    sdk: str = "3.33.0",
    extensions: Sequence[bytes] = (),
) -> bytes:
    """The root message."""
    header = (integer(1, arch) if arch else b"") + integer(2, timestamp) + block(3, sdk) + integer(4, 1)
    told = b"".join(block(2, g) for g in groups) + b"".join(block(5, each) for each in extensions)
    return block(1, header) + told


def sealed(
    version: int, message: bytes, ccws: bytes = b"", additional: bytes = b"", *, proto_digest: bool = True
) -> bytes:
    """A whole HEF around a protobuf message, its digest right. Version 0 takes no ccws beside the message."""
    body = message + (b"" if version == 0 else ccws) + (additional if version == 3 else b"")
    common = struct.pack(">III", MAGIC, version, len(message))
    if version == 0:
        return common + struct.pack(">I16s", 0, hashlib.md5(body).digest()) + body
    if version == 1:
        return common + struct.pack(">IQI", zlib.crc32(body), len(ccws), 0) + body
    # only now: the first two versions are also written where there is the standard library alone
    import xxhash

    digest = xxhash.xxh3_64_intdigest(body)
    if version == 2:
        return common + struct.pack(">QQQQ", digest, len(ccws), 0, 0) + body
    inner = xxhash.xxh3_64_intdigest(message) if proto_digest else 0
    return common + struct.pack(">QQIQQQ", digest, len(ccws), 0, len(additional), inner, 0) + body


def small() -> bytes:
    """The protobuf of a small two-context network: one input, two outputs, streams between the contexts."""
    first = context(
        0,
        [
            edge("net/input_layer1", (1, 16000, 1), padded=(1, 16000, 8), zp=128.0, scale=0.0078125,
                 originals=("waveform",)),
            edge("net/conv2", (1, 1999, 512), output=True, connection=1),
        ],
        ccws=b"\x00" * 64,
    )  # fmt: skip
    second = context(
        1,
        [
            edge("net/conv2", (1, 1999, 512), connection=1),
            edge("net/conv9", (1, 1999, 2), output=True, zps=(1.0, 2.0), scales=(0.5, 0.25)),
            edge("net/deconv1", (1, 16000, 2), output=True, data_bytes=2, zp=3.0, scale=0.1),
            edge("net/ew_add1", (1, 1999, 128), connection=2),
        ],
    )
    return proto(
        [
            group(
                "net", [first, second], fps=12.5, latency=0.08, ops=10**10,
                order=("net/deconv1", "net/conv9"), networks=("net/net",),
            )
        ],
        timestamp=1_771_286_400_000,
    )  # fmt: skip
