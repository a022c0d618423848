"""Pickles and the files of torch.save, written by hand, so that they can say what torch never would."""

from __future__ import annotations

import pickle
import struct
import zipfile
from pathlib import Path
from types import SimpleNamespace

from tasnet.network.variant import Size
from tasnet.network.weights import asteroid_shapes

MAGIC = (0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {}})
ANCHOR = "masker.TCN.0.shared_block.0.weight"
"""A name by which a Conv-TasNet is known."""

SMALLEST = Size(N=2, L=2, B=2, H=2, Sc=2, P=3, X=1, R=1, n_src=2)


def text(value: str) -> bytes:
    """Pushes a text."""
    data = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(data)) + data


def number(value: int) -> bytes:
    """Pushes an int of any size."""
    data = pickle.encode_long(value)
    return b"\x8b" + struct.pack("<I", len(data)) + data


def named(full: str) -> bytes:
    """Pushes a class or a function."""
    module, _, name = full.rpartition(".")
    return f"c{module}\n{name}\n".encode()


def called(full: str, *arguments: bytes) -> bytes:
    """Pushes what a class or function makes of these."""
    return named(full) + b"(" + b"".join(arguments) + b"tR"


def numbers(values: tuple[int, ...]) -> bytes:
    """Pushes a tuple of ints."""
    return b"(" + b"".join(map(number, values)) + b"t"


def storage(key: str, count: int, kind: str = "torch.FloatStorage", view: bytes = b"") -> bytes:
    """Pushes a storage as torch's pickle names it; old ones say as well of what other storage it is a view."""
    return b"(" + text("storage") + named(kind) + text(key) + text("cpu") + number(count) + view + b"tQ"


def tensor(
    shape: tuple[int, ...],
    stride: tuple[int, ...] | None = None,
    *,
    start: int = 0,
    key: str = "0",
    count: int = 1,
    kind: str = "torch.FloatStorage",
    view: bytes = b"",
) -> bytes:
    """Pushes a tensor; all of its elements are one unless strides are said."""
    steps = stride if stride is not None else (0,) * len(shape)
    hooks = called("collections.OrderedDict")
    return called(
        "torch._utils._rebuild_tensor_v2",
        *(storage(key, count, kind, view), number(start), numbers(shape), numbers(steps), b"\x89", hooks),
    )


def state(entries: dict[str, bytes]) -> bytes:
    """Pushes a dict."""
    return b"}(" + b"".join(text(key) + value for key, value in entries.items()) + b"u"


def network(count: int = 1, kind: str = "torch.FloatStorage", **arguments: bytes) -> dict[str, bytes]:
    """What Asteroid's file holds, each tensor a view of one value: all as it should be, but for what is changed."""
    tensors = {name: tensor(shape, count=count, kind=kind) for name, shape in asteroid_shapes(SMALLEST).items()}
    return {"model_args": state({"n_blocks": number(1)} | arguments), "state_dict": state(tensors)}


def of_size(letter: str, size: int) -> bytes:
    """Pushes a state dict of one block in which a size is what it can't be; its tensors fit each other."""
    sizes = {"N": 2, "L": 2, "B": 2, "H": 2, "Sc": 2, "P": 3, "n_src": 2, "total_blocks": 1} | {letter: size}
    # What asks a size for its letters takes any that has them: `Size` itself refuses these.
    shapes = asteroid_shapes(SimpleNamespace(**sizes))  # type: ignore[arg-type]
    tensors = {name: tensor(shape) for name, shape in shapes.items()}
    return state({"state_dict": state(tensors), "model_args": state({"n_blocks": number(1)})})


def changed(**entries: bytes) -> bytes:
    """Pushes what Asteroid's file holds, with these beside it."""
    return state(network() | entries)


def with_tensor(operations: bytes) -> bytes:
    """Pushes what Asteroid's file holds, with another tensor for the mask's bias."""
    tensors = {name: tensor(shape) for name, shape in asteroid_shapes(SMALLEST).items()}
    tensors["masker.mask_net.1.bias"] = operations
    return state({"state_dict": state(tensors), "model_args": state({"n_blocks": number(1)})})


def archive(path: Path, operations: bytes, members: dict[str, bytes] | None = None) -> None:
    """A file of torch.save whose pickle does these operations."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", b"\x80\x02" + operations + b".")
        file.writestr("archive/byteorder", "little")
        for name, data in ({"data/0": bytes(4)} if members is None else members).items():
            file.writestr(f"archive/{name}", data)


def row(path: Path, operations: bytes, keys: list[object], rest: bytes = struct.pack("<q", 1) + bytes(4)) -> None:
    """A file of torch before 1.6: five pickles, and the storages behind them."""
    head = b"".join(pickle.dumps(part, 2) for part in MAGIC)
    path.write_bytes(head + b"\x80\x02" + operations + b"." + pickle.dumps(keys, 2) + rest)
