"""Tensors whose description lies: of their size, of where they are, of what they are."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

from benchmarks.outside._hostile_writing import (
    archive,
    called,
    named,
    number,
    numbers,
    of_size,
    storage,
    tensor,
    text,
    with_tensor,
)

HUGE = 10**5000


def _tensor(operations: bytes, members: dict[str, bytes] | None = None) -> Callable[[Path], None]:
    return lambda path: archive(path, with_tensor(operations), members)


def _state_of(letter: str, size: int) -> Callable[[Path], None]:
    return lambda path: archive(path, of_size(letter, size))


def _kind(kind: str) -> Callable[[Path], None]:
    members = {"data/0": bytes(4), "data/1": bytes(64)}
    width = {"Complex": 8, "QInt8": 1, "Bool": 1, "Long": 8}.get(kind.removesuffix("Storage").removesuffix("Float"), 4)
    return _tensor(tensor((4,), (1,), key="1", count=64 // width, kind=f"torch.{kind}"), members)


def _value(form: str, value: float, kind: str) -> Callable[[Path], None]:
    members = {"data/0": bytes(4), "data/1": struct.pack(f"<4{form}", 0, value, 0, 0)}
    return _tensor(tensor((4,), (1,), key="1", count=4, kind=f"torch.{kind}"), members)


def _rebuilt(function: str, *arguments: bytes) -> Callable[[Path], None]:
    return _tensor(called(f"torch._utils.{function}", *arguments))


def _plain(*arguments: bytes) -> Callable[[Path], None]:
    return _rebuilt("_rebuild_tensor_v2", *arguments, b"\x89", called("collections.OrderedDict"))


_FLOAT8 = (storage("0", 4, "torch.storage.UntypedStorage"), number(0), numbers((4,)), numbers((1,)), b"\x89")
_ONE = storage("0", 1)

TENSORS: dict[str, Callable[[Path], object]] = {
    **{
        f"stride 0 of size {letter} {size:,}": _state_of(letter, size)
        for letter, size in (
            *(
                ("N", 8192),
                ("N", 1 << 40),
                ("L", 8192),
                ("L", 40 << 30),
                ("H", 1 << 20),
                ("Sc", 1 << 30),
                ("P", 1 << 40),
            ),
            *(("B", 200_001), ("n_src", 1 << 46), ("n_src", 20_000_000_000)),
        )
    },
    "sizes of 5000 digits": _tensor(tensor((HUGE,))),
    "sizes below 0": _tensor(tensor((-4,))),
    "strides below 0": _tensor(tensor((4,), (-1,))),
    "strides of 5000 digits": _tensor(tensor((4,), (HUGE,))),
    "start behind the end": _tensor(tensor((4,), start=1 << 40)),
    "start below 0": _tensor(tensor((4,), start=-1)),
    "start of 5000 digits": _tensor(tensor((4,), start=HUGE)),
    "view past the end": _tensor(tensor((4,), (1,), count=1)),
    "count of 2^62": _tensor(tensor((4,), (1,), count=1 << 62)),
    "count below 0": _tensor(tensor((4,), (1,), count=-4)),
    "key that climbs out": _tensor(tensor((4,), key="../../../../etc/passwd")),
    "rank 1000": _tensor(tensor((1,) * 1000)),
    "rank 0": _tensor(tensor(())),
    "sizes that are a list of lists": _plain(_ONE, number(0), b"](]]]e", numbers((0,))),
    "sizes that are a tensor": _plain(_ONE, number(0), tensor((1,)), numbers((0,))),
    "sizes that hold themselves": _plain(_ONE, number(0), b"]q\x00h\x00a", numbers((0,))),
    "storage that is a text": _plain(text("storage"), number(0), numbers((4,)), numbers((0,))),
    "no arguments": _rebuilt("_rebuild_tensor_v2"),
    "arguments that are a dict": _tensor(named("torch._utils._rebuild_tensor_v2") + b"}R"),
    "parameter of a parameter of a parameter": _tensor(
        named("torch._utils._rebuild_parameter") * 9 + tensor((4,)) + b"\x85R" * 9
    ),
    "parameter of a text": _rebuilt("_rebuild_parameter", text("no tensor")),
    "float8": _rebuilt("_rebuild_tensor_v3", *_FLOAT8, b"N", named("torch.float8_e4m3fn")),
    "float8, cut": _rebuilt("_rebuild_tensor_v3", *_FLOAT8),
    "sparse": _rebuilt("_rebuild_sparse_tensor", named("torch.sparse_coo"), b"N"),
    "meta": _rebuilt("_rebuild_meta_tensor_no_storage", named("torch.float32"), numbers((4,)), numbers((1,)), b"\x89"),
    "quantized": _rebuilt("_rebuild_qtensor", _ONE, number(0), numbers((4,)), numbers((1,)), b"N", b"\x89", b"N"),
    "nested": _rebuilt("_rebuild_nested_tensor", tensor((4,)), tensor((1,)), tensor((1,)), tensor((1,))),
    "subclass": _rebuilt("_rebuild_wrapper_subclass", named("a.b"), named("torch.float32"), numbers((4,))),
    "subclass of what is none": _tensor(called("torch._tensor._rebuild_from_type_v2", b"NN)N")),
    "complex": _kind("ComplexFloatStorage"),
    "int8": _kind("QInt8Storage"),
    "whole numbers": _kind("LongStorage"),
    "truth values": _kind("BoolStorage"),
    "unknown kind": _kind("OtherStorage"),
    "not a number": _value("f", float("nan"), "FloatStorage"),
    "infinite": _value("f", float("-inf"), "FloatStorage"),
    "1e300, which no float32 holds": _value("d", 1e300, "DoubleStorage"),
}
