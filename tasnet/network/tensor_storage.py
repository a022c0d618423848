"""A tensor as a torch file describes it, and its values, read when they are asked for.

A description may lie: a view may say that a few bytes are 160 GB. All of it is checked before anything is allocated.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

import torch

from tasnet.network.pickled import PersistentId, PickledName, PickledObject
from tasnet.network.torch_file import ELEMENTS, StorageRef, Storages, damaged, fail, is_count, storage_of

MAX_VALUES = 1 << 27
"""of all tensors of a network together, 512 MiB of float32; a Conv-TasNet has about 5 million"""

FLOATS: Mapping[str, torch.dtype] = {
    "float32": torch.float32,
    "float64": torch.float64,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}
"""What weights may be kept as. All become float32."""


@dataclass(frozen=True)
class StoredTensor:
    """A tensor as the file describes it. `unsupported_kind` says what it is if not plain numbers in a storage."""

    shape: tuple[int, ...]
    stride: tuple[int, ...] = ()
    start: int = 0
    storage: StorageRef | None = None
    unsupported_kind: str = ""


_UNSUPPORTED = {
    "torch._utils._rebuild_sparse_tensor": "a sparse tensor",
    "torch._utils._rebuild_meta_tensor_no_storage": "a meta tensor, which has no values",
    "torch._utils._rebuild_qtensor": "a quantized tensor",
    "torch._utils._rebuild_nested_tensor": "a nested tensor",
    "torch._utils._rebuild_wrapper_subclass": "a tensor of another library's class",
    "torch._utils._rebuild_xla_tensor": "a tensor of an XLA device",
    "torch._utils._rebuild_device_tensor_from_numpy": "a tensor of another device",
    "torch._utils._rebuild_device_tensor_from_cpu_tensor": "a tensor of another device",
}


def stored_tensor(value: object) -> StoredTensor | None:
    """The tensor that `value` of a pickle would be; None if it would be none."""
    # A parameter wraps a tensor, and a subclass wraps that; more than that is no honest file.
    for _ in range(4):
        if not isinstance(value, PickledObject):
            return None
        given = value.args if isinstance(value.args, tuple) else ()
        if value.class_name in ("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state"):
            value = given[0] if given else None
        elif value.class_name == "torch._tensor._rebuild_from_type_v2" and len(given) >= 3:
            value = PickledObject(given[0], given[2])
        else:
            break
    if not isinstance(value, PickledObject):
        return None
    if value.class_name in _UNSUPPORTED:
        return StoredTensor((), unsupported_kind=_UNSUPPORTED[value.class_name])
    if value.class_name not in (f"torch._utils._rebuild_tensor{version}" for version in ("", "_v2", "_v3")):
        return None
    return _tensor_of(value) or StoredTensor((), unsupported_kind="a tensor whose description makes no sense")


def _tensor_of(value: PickledObject) -> StoredTensor | None:
    """The tensor that `_rebuild_tensor` would make of these arguments; None where they don't fit."""
    given = value.args
    if not isinstance(given, tuple) or len(given) < 4:
        return None
    stored, start, shape, stride = given[0], given[1], given[2], given[3]
    storage = storage_of(stored.identity) if isinstance(stored, PersistentId) else None
    if storage is None or not is_count(start) or not _sizes(shape) or not _sizes(stride) or len(shape) != len(stride):
        return None
    if value.class_name.endswith("_v3"):
        kept = given[6].name if len(given) > 6 and isinstance(given[6], PickledName) else "an unknown type"
        return StoredTensor(tuple(shape), unsupported_kind=f"a tensor of {kept}")
    if storage.kind not in ELEMENTS:
        return StoredTensor(tuple(shape), unsupported_kind=f"a tensor in a {storage.kind}")
    return StoredTensor(tuple(shape), tuple(stride), start + storage.start, storage)


def _sizes(value: object) -> TypeGuard[Sequence[int]]:
    return isinstance(value, (tuple, list)) and len(value) <= 8 and all(map(is_count, value))


def read_tensors(path: Path, tensors: Mapping[str, StoredTensor], storages: Storages) -> dict[str, torch.Tensor]:
    """The tensors as float32, each with memory of its own. Raises CheckpointError, before it allocates, naming one.

    Refused are tensors that aren't floats, that don't lie within their storage, that are larger than MAX_VALUES
    together, and values that no float32 holds.
    """
    total = 0
    for name, tensor in tensors.items():
        total += math.prod(tensor.shape)
        if total > MAX_VALUES:
            what = f"its tensors have more than {MAX_VALUES:,} values ({name} has {math.prod(tensor.shape):,})"
            fail(path, what, "a Conv-TasNet has about 5 million; check the export")
        _check(path, name, tensor, storages)
    read: dict[tuple[str, str], torch.Tensor] = {}
    found: dict[str, torch.Tensor] = {}
    for name, tensor in tensors.items():
        storage = tensor.storage
        assert storage is not None
        place = (storage.key, storage.kind)
        if place not in read:
            data, kept = storages.read(storage.key), FLOATS[ELEMENTS[storage.kind][0]]
            read[place] = torch.frombuffer(data, dtype=kept) if data else torch.empty(0, dtype=kept)
        view = read[place].as_strided(tensor.shape, tensor.stride, tensor.start)
        found[name] = torch.empty(tensor.shape, dtype=torch.float32).copy_(view)
        # Asked of what is kept: a float64 of 1e300 is finite, and as float32 it isn't.
        if not bool(found[name].isfinite().all()):
            fail(path, f"{name} holds values that are not finite floats", "use another checkpoint")
    return found


def _check(path: Path, name: str, tensor: StoredTensor, storages: Storages) -> None:
    """Fails for a tensor that isn't plain floats within its storage."""
    storage = tensor.storage
    if tensor.unsupported_kind or storage is None:
        fail(path, f"{name} is {tensor.unsupported_kind}", "save the weights as plain float32 tensors")
    kept, size = ELEMENTS[storage.kind]
    if kept not in FLOATS:
        fail(path, f"{name} holds values that are not finite floats ({kept})", "save the weights as float32")
    last = tensor.start + sum((n - 1) * step for n, step in zip(tensor.shape, tensor.stride, strict=True))
    try:
        there = storages.size(storage.key)
    except KeyError:
        there = 0
    if there != storage.count * size:
        damaged(path, f"{there:,} bytes for the {storage.count:,} values that {name} looks at")
    if last >= storage.count and 0 not in tensor.shape:
        damaged(path, f"{name} looks past the {storage.count:,} values that are there")
