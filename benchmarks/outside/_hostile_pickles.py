"""Pickles that would never end, or fill the memory, or run something, in a reader that does as they say."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

from benchmarks.outside._hostile_writing import (
    ANCHOR,
    archive,
    called,
    changed,
    named,
    network,
    number,
    row,
    state,
    tensor,
    text,
)

DEPTH = 60
"""levels that each hold the one below twice: 2^60 paths"""


def _doubled(opening: bytes, closing: bytes, bottom: bytes = b"]") -> bytes:
    """Pushes a value that holds another twice, which holds another twice, …"""
    made = bottom + b"q\x01"
    for _ in range(DEPTH):
        # Kept under a number, taken off, and put into the next one twice.
        made += b"0" + opening + b"h\x01h\x01" + closing + b"q\x01"
    return made


LISTS = _doubled(b"](", b"e")
TUPLES = _doubled(b"(", b"t", b")")
DICTS = _doubled(b"}(" + text("a"), b"u", b"}").replace(b"h\x01h\x01", b"h\x01" + text("b") + b"h\x01")


def _modules() -> bytes:
    """Pushes a module that has a module twice, which has a module twice, …"""
    made = b"]q\x01"
    for _ in range(DEPTH):
        parts = state({"a": b"h\x01", "b": b"h\x01"})
        held = state({"_parameters": b"}", "_buffers": b"}", "_modules": parts})
        made += b"0" + called("torch.nn.modules.container.Sequential") + held + b"bq\x01"
    return made


def _module_in_itself() -> bytes:
    held = state({"_parameters": state({"weight": tensor((1,))}), "_buffers": b"}", "_modules": state({"a": b"h\x01"})})
    return called("torch.nn.modules.container.Sequential") + b"q\x01" + held + b"b"


def _deep(count: int) -> bytes:
    """Pushes a list in a list in a list, …"""
    return b"]" * count + b"a" * (count - 1)


def _same_hash(count: int) -> bytes:
    """Pushes a dict of ints that Python's dicts put into one place, one after the other."""
    keys, key = [], 0
    for _ in range(count):
        key = (5 * key + 1) % (1 << 18)
        keys.append(key)
    return b"}(" + b"".join(number(key) + b"N" for key in keys) + b"u"


def _shared_pairs(made: bytes) -> bytes:
    """Pushes a list of many dicts that are made of one long list of pairs, as Python 2 makes them."""
    pairs = b"](" + b"".join(b"(" + text(f"{index}") + b"Nt" for index in range(100_000)) + b"e\x85q\x02"
    return b"(" + pairs + made + b"q\x010" + b"h\x01h\x02R" * 100_000 + b"l"


def _shared_state() -> bytes:
    """Pushes an object with many attributes, each the object whose state is a long dict and another."""
    long = b"(}" + state({f"{index}": b"N" for index in range(100_000)}) + b"t"
    one = called("a.b") + long + b"bq\x01"
    return one + b"0" + called("a.c") + state({f"{index}": b"h\x01" for index in range(100_000)}) + b"b"


def _many(value: str) -> dict[str, bytes]:
    return {f"masker.TCN.{index}.shared_block.0.weight": value.encode() for index in range(1, 300_000)}


def _beside(operations: bytes) -> Callable[[Path], None]:
    """In `infos`, which is never asked for, beside a network that is cut, so that an error is right."""
    return lambda path: archive(path, state({"infos": operations, "state_dict": state({ANCHOR: tensor((1,))})}))


def _argument(operations: bytes, name: str = "n_blocks") -> Callable[[Path], None]:
    return lambda path: archive(path, state(network(**{name: operations})))


def _whole(operations: bytes) -> Callable[[Path], None]:
    return lambda path: archive(path, operations)


def _later(make: Callable[[], Callable[[Path], None]]) -> Callable[[Path], None]:
    """What takes a second to make is made when it is written, not when this module is imported."""

    def write(path: Path) -> None:
        make()(path)

    return write


CONTROL = "model\n\x1b[2Kclear on hailo8\u202e\ud800"

PICKLES: dict[str, Callable[[Path], object]] = {
    **{
        f"{what} held twice, 60 deep, {where}": make(operations)
        for what, operations in (("lists", LISTS), ("tuples", TUPLES), ("dicts", DICTS), ("modules", _modules()))
        for where, make in (("beside", _beside), ("as an argument", _argument), ("as the whole", _whole))
    },
    "tuples held twice as a key": _beside(b"}" + TUPLES + b"Ns"),
    "tuples held twice in a set": _beside(b"\x8f(" + TUPLES + b"\x90"),
    "tuples held twice in an entry": _whole(state({ANCHOR: tensor((1,)), "other": TUPLES})),
    "list in itself": _argument(b"]q\x01h\x01a"),
    "dict in itself": _whole(b"}q\x01" + text("a") + b"h\x01s"),
    "object in its own state": _whole(called("a.b") + b"q\x01h\x01b"),
    "object made of itself": _argument(called("a.b") + b"q\x010h\x01h\x01\x85R"),
    "module in itself": _whole(_module_in_itself()),
    "400000 lists deep": _beside(_deep(400_000)),
    "400000 lists deep as an argument": _argument(_deep(400_000)),
    "text that tells many": _whole(state({f"model{index}.{ANCHOR}": tensor((1,)) for index in range(300)})),
    "names of 10 MB": _later(
        lambda: _whole(state({"x" * (10 << 20): state({ANCHOR: tensor((1,)), "y" * (10 << 20): b"N"})}))
    ),
    "name of control characters": _whole(state({CONTROL: tensor((1,)), ANCHOR: tensor((1,))})),
    "class of control characters": _whole(state({ANCHOR: text("a") + text(CONTROL) + b"\x93"})),
    "norm of control characters": _argument(text(CONTROL), "norm_type"),
    "int of 8 million digits": _argument(number(1 << (26 << 20))),
    "int of 5000 digits": _argument(number(10**5000)),
    "int of 5000 digits as a rate": _argument(number(10**5000), "sample_rate"),
    "int written out in 5000 digits": _argument(b"I" + b"9" * 5000 + b"\n"),
    "infinite rate": _argument(b"F1e999\n", "sample_rate"),
    "tensor as an argument": _argument(tensor((1,))),
    "tensor as an argument that is compared": _argument(tensor((1,)), "stride"),
    "list as an argument that is compared": _argument(LISTS, "stride"),
    "truth value as an argument": _argument(b"\x88" + b"0" + number(0)),
    "bytes as an argument": _argument(b"C\x03abc", "mask_act"),
    "place 2^32 in the memo": _whole(b"Nr\xff\xff\xff\xff"),
    "bytes of 2^40": _whole(b"\x8e" + struct.pack("<Q", 1 << 40)),
    "text of 2^62": _whole(b"\x8d" + struct.pack("<Q", 1 << 62)),
    "frame of 2^62": _whole(b"\x95" + struct.pack("<Q", 1 << 62)),
    "3 million operations": _later(lambda: _whole(b"N0" * 1_500_000 + b"N")),
    "900000 dicts": _beside(b"(" + b"}" * 900_000 + b"l"),
    "long names many times": _beside(
        b"("
        + text("m" * (10 << 20))
        + b"q\x01"
        + text("n" * (10 << 20))
        + b"q\x020"
        + b"h\x01h\x02\x93" * 300_000
        + b"l"
    ),
    "one long list as many dicts": _later(lambda: _beside(_shared_pairs(b"ccollections\nOrderedDict\n"))),
    "one long state as many attributes": _later(lambda: _beside(_shared_state())),
    "300000 tensors of one network": _later(lambda: _whole(state({ANCHOR: tensor((1,)) + b"q\x01"} | _many("h\x01")))),
    "300000 objects": _later(lambda: _beside(b"(" + named("a.b") + b"q\x01" + b"h\x01)R" * 300_000 + b"l")),
    "keys of one hash": _later(lambda: _beside(_same_hash(100_000))),
    "stack that is empty": _whole(b"00000"),
    "mark that is missing": _whole(b"]e"),
    "memo that is empty": _whole(b"h\x07"),
    "append to a number": _whole(number(1) + b"Na"),
    "call of a number": _whole(number(1) + b")R"),
    "unknown operation": _whole(b"\xff"),
    "buffer from elsewhere": _whole(b"\x97"),
    "extension": _whole(b"\x82\x01"),
    "class named by a list": _whole(b"]]\x93"),
    "state that is a number": _whole(called("a.b") + number(3) + b"b"),
    "runs a command": _beside(called("posix.system", text("touch ran"))),
    "runs a command, old format": lambda path: row(path, changed(infos=called("os.system", text("touch ran"))), ["0"]),
    "evaluates": _beside(called("builtins.eval", text("1"))),
    "state dict that is a list": _whole(state({"state_dict": b"]"})),
    "state dict of numbers": _whole(state({ANCHOR: number(1), "other": number(2)})),
    "arguments that are a text": _whole(state(network() | {"model_args": text("n_blocks")})),
    "lists held twice, old format": lambda path: row(path, LISTS, ["0"]),
}
