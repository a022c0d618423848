"""ONNX files that are made to harm whoever reads them: one of each kind, by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, helper, numpy_helper

OPSETS = [helper.make_opsetid("", 13), helper.make_opsetid("own", 1)]


def whole(nodes: list[onnx.NodeProto] | None = None, **weights: np.ndarray) -> onnx.ModelProto:
    """Encoder, PReLU, residual sum, norm and decoder in small; or other nodes on the same input."""
    floats = np.random.default_rng(0).standard_normal
    if nodes is None:
        weights = {
            "e": floats((8, 1, 1, 4)),
            "b": floats((8, 8, 1, 1)),
            "s": floats((8, 1, 1)),
            "d": floats((8, 1, 1, 3)),
            "t": floats((8, 1, 1, 4)),
        }
        nodes = [
            helper.make_node("Conv", ["x", "e"], ["c"], "encoder", strides=[1, 2]),
            helper.make_node("Conv", ["c", "b"], ["f"], "bottleneck"),
            helper.make_node("PRelu", ["f", "s"], ["p"], "prelu"),
            helper.make_node("Conv", ["p", "d"], ["g"], "depth", group=8, pads=[0, 1, 0, 1]),
            helper.make_node("Add", ["g", "f"], ["r"], "residual"),
            helper.make_node("Sigmoid", ["r"], ["m"], "mask"),
            helper.make_node("Mul", ["c", "m"], ["k"], "masked"),
            helper.make_node("ConvTranspose", ["k", "t"], ["y"], "decoder", strides=[1, 2]),
        ]
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 1, 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in weights.items()],
    )
    return helper.make_model(graph, opset_imports=OPSETS, ir_version=8)


def _changed(change: Callable[[onnx.ModelProto], object]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        made = whole()
        change(made)
        path.write_bytes(made.SerializeToString())

    return write


def _relus(count: int, name: str = "", turned: bool = False) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        values = ["x", *(f"{name}{index}" for index in range(count - 1)), "y"]
        nodes = [helper.make_node("Relu", [a], [b]) for a, b in pairwise(values)]
        path.write_bytes(whole(nodes[::-1] if turned else nodes).SerializeToString())

    return write


def _attribute(node: int, name: str, value: object) -> Callable[[Path], None]:
    def change(made: onnx.ModelProto) -> None:
        kept = [each for each in made.graph.node[node].attribute if each.name != name]
        del made.graph.node[node].attribute[:]
        made.graph.node[node].attribute.extend([*kept, helper.make_attribute(name, value)])

    return _changed(change)


def _weight(change: Callable[[onnx.TensorProto], object]) -> Callable[[Path], None]:
    return _changed(lambda made: change(made.graph.initializer[1]))


def _typed(tensor: onnx.TensorProto) -> None:
    tensor.ClearField("raw_data")
    tensor.int32_data.extend([1] * 64)


def _huge(tensor: onnx.TensorProto) -> None:
    tensor.ClearField("raw_data")
    tensor.dims[:] = [1 << 20, 1 << 20, 1, 1]


def _text(tensor: onnx.TensorProto) -> None:
    tensor.ClearField("raw_data")
    tensor.data_type = TensorProto.STRING
    tensor.string_data.extend([b"\x1b[2J"] * 64)


def _external(location: str, **entries: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        if location == "pipe":
            os.mkfifo(path.parent / "pipe")
        if location == "link":
            (path.parent / "link").symlink_to("/etc/passwd")
        made = whole()
        tensor = made.graph.initializer[1]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in {"location": location, **entries}.items():
            tensor.external_data.add(key=key, value=value)
        path.write_bytes(made.SerializeToString())

    return write


def _in_function(path: Path) -> None:
    tensor = TensorProto(name="w", data_type=TensorProto.UINT8, dims=[4, 1, 1, 1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="/etc/passwd")
    body = [
        helper.make_node("Constant", [], ["w"], value=tensor),
        helper.make_node("Cast", ["w"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Conv", ["a", "f"], ["b"]),
    ]
    made = whole([helper.make_node("f", ["x"], ["y"], domain="own")])
    made.functions.append(helper.make_function("own", "f", ["a"], ["b"], body, OPSETS))
    path.write_bytes(made.SerializeToString())


def _doubling(count: int, names: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        made = whole([helper.make_node("f0", ["x"], ["y"], domain="own")])
        for index in range(count):
            called = {"op_type": f"f{index + 1}", "domain": "own"} if index < count - 1 else {"op_type": "Relu"}
            body = [onnx.NodeProto(input=["a"], output=[names], **called) for _ in range(1)]
            body.append(onnx.NodeProto(input=[names], output=["c"], **called))
            made.functions.append(helper.make_function("own", f"f{index}", ["a"], ["c"], body, OPSETS))
        path.write_bytes(made.SerializeToString())

    return write


def _circle(path: Path) -> None:
    made = whole([helper.make_node("f", ["x"], ["y"], domain="own")])
    for name, other in (("f", "g"), ("g", "f")):
        body = [helper.make_node(other, ["a"], ["b"], domain="own")]
        made.functions.append(helper.make_function("own", name, ["a"], ["b"], body, OPSETS))
    path.write_bytes(made.SerializeToString())


def _long_calls(path: Path) -> None:
    """Functions that call the next one, ten thousand deep."""
    made = whole([helper.make_node("f0", ["x"], ["y"], domain="own")])
    for index in range(10_000):
        body = [helper.make_node(f"f{index + 1}", ["a"], ["b"], domain="own")]
        made.functions.append(helper.make_function("own", f"f{index}", ["a"], ["b"], body, OPSETS))
    made.functions.append(
        helper.make_function("own", "f10000", ["a"], ["b"], [helper.make_node("Relu", ["a"], ["b"])], OPSETS)
    )
    path.write_bytes(made.SerializeToString())


def _field(number: int, data: bytes) -> bytes:
    def varint(value: int) -> bytes:
        head = b""
        while value >= 128:
            head, value = head + bytes([value & 127 | 128]), value >> 7
        return head + bytes([value])

    return varint(number << 3 | 2) + varint(len(data)) + data


def _wire(inner: bytes, count: int, *outer: int) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        data = inner * count
        for number in (*outer, 7):
            data = _field(number, data)
        path.write_bytes(data)

    return write


def _nested(path: Path) -> None:
    """Graphs in attributes of nodes of graphs, a thousand deep."""
    data = b""
    for _ in range(1000):
        data = _field(1, _field(5, _field(6, data)))
    path.write_bytes(_field(7, data))


def _sparse_zeros(size: int) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with path.open("wb") as file:
            file.truncate(size)

    return write


def _input(*dims: int | str) -> Callable[[Path], None]:
    def change(made: onnx.ModelProto) -> None:
        made.graph.input[0].CopyFrom(helper.make_tensor_value_info("x", TensorProto.FLOAT, dims))

    return _changed(change)


def _shared(path: Path) -> None:
    """One weight of 64 MB that 400 convolutions read."""
    values = ["x1", *(f"v{index}" for index in range(399)), "y"]
    nodes = [helper.make_node("Conv", ["x", "u"], ["x1"])]
    nodes += [helper.make_node("Conv", [a, "w"], [b]) for a, b in pairwise(values)]
    made = whole(nodes, u=np.zeros((4096, 1, 1, 1)), w=np.zeros((4096, 4096, 1, 1)))
    path.write_bytes(made.SerializeToString())


def _grown(path: Path) -> None:
    """Constants made by the graph itself: 60 of 128 MB each."""
    nodes = []
    for index in range(60):
        nodes.append(helper.make_node("ConstantOfShape", ["n"], [f"c{index}"]))
        nodes.append(helper.make_node("Add", [f"c{index}", f"v{index - 1}" if index else "x"], [f"v{index}"]))
    nodes[-1].output[0] = "y"
    made = whole(nodes)
    made.graph.initializer.append(numpy_helper.from_array(np.array([1, 1, 1 << 12, 1 << 12], np.int64), "n"))
    path.write_bytes(made.SerializeToString())


def _tiled(path: Path) -> None:
    """A constant that is tiled, and the result tiled again, twenty times."""
    nodes = [helper.make_node("Tile", [f"c{index}" if index else "s", "n"], [f"c{index + 1}"]) for index in range(20)]
    nodes.append(helper.make_node("Add", ["x", "c20"], ["y"]))
    made = whole(nodes, s=np.zeros((1, 1, 1, 2)))
    made.graph.initializer.append(numpy_helper.from_array(np.array([1, 1, 1, 1 << 10], np.int64), "n"))
    path.write_bytes(made.SerializeToString())


def _packed_numbers(path: Path) -> None:
    _wire(_field(7, b"\x01" * (128 << 20)), 1, 5)(path)


def _ranged(path: Path) -> None:
    nodes = [
        helper.make_node("Range", ["a", "z", "one"], ["r"]),
        helper.make_node("Reshape", ["r", "n"], ["s"]),
        helper.make_node("Add", ["x", "s"], ["y"]),
    ]
    made = whole(nodes, a=np.array(0.0), z=np.array(1e12), one=np.array(1.0))
    made.graph.initializer.append(numpy_helper.from_array(np.array([1, 1, 1, -1], np.int64), "n"))
    path.write_bytes(made.SerializeToString())


def _named(name: str) -> Callable[[Path], None]:
    def change(made: onnx.ModelProto) -> None:
        for node in made.graph.node:
            node.name = name

    return _changed(change)


def _op(**fields: str) -> Callable[[Path], None]:
    return _changed(lambda made: [setattr(made.graph.node[5], key, value) for key, value in fields.items()])


ESCAPE = "\n\x1b[2Kclear on hailo8"
MODELS: Mapping[str, Callable[[Path], None]] = {
    "raw data too short": _weight(lambda w: setattr(w, "raw_data", b"\0" * 7)),
    "raw data empty": _weight(lambda w: setattr(w, "raw_data", b"")),
    "no data at all": _weight(lambda w: w.ClearField("raw_data")),
    "numbers of another type": _weight(_typed),
    "a terabyte of zeros by its dims": _weight(_huge),
    "dims past any number": _weight(lambda w: w.dims.extend([1 << 62] * 40)),
    "negative dims": _weight(lambda w: w.dims.__setitem__(0, -8)),
    "an unknown type": _weight(lambda w: setattr(w, "data_type", 99)),
    "weights that are text": _weight(_text),
    "a weight in segments": _weight(lambda w: setattr(w.segment, "end", 9)),
    "a weight twice": _changed(lambda m: m.graph.initializer.append(m.graph.initializer[1])),
    "a weight of no name": _weight(lambda w: setattr(w, "name", "")),
    "a value twice": _changed(lambda m: m.graph.node.append(m.graph.node[0])),
    "an input twice": _changed(lambda m: m.graph.input.append(m.graph.input[0])),
    "a circle": _changed(lambda m: m.graph.node[1].input.__setitem__(0, "r")),
    "reads itself": _changed(lambda m: m.graph.node[5].input.__setitem__(0, "m")),
    "reads nobody": _changed(lambda m: m.graph.node[1].input.__setitem__(0, "nobody")),
    "no inputs of a node": _changed(lambda m: m.graph.node[4].ClearField("input")),
    "empty inputs of a node": _changed(lambda m: m.graph.node[4].input.__setitem__(slice(None), ["", ""])),
    "no outputs of a node": _changed(lambda m: m.graph.node[4].ClearField("output")),
    "a thousand inputs of a node": _changed(lambda m: m.graph.node[4].input.extend(["f"] * 1000)),
    "no output of the graph": _changed(lambda m: m.graph.ClearField("output")),
    "no opset": _changed(lambda m: m.ClearField("opset_import")),
    "two opsets": _changed(lambda m: m.opset_import.append(helper.make_opsetid("", 99))),
    "an opset past any": _changed(lambda m: setattr(m.opset_import[0], "version", 1 << 60)),
    "group 0": _attribute(3, "group", 0),
    "group -1": _attribute(3, "group", -1),
    "a group that doesn't divide": _attribute(3, "group", 7),
    "a group past any": _attribute(3, "group", 1 << 62),
    "stride 0": _attribute(0, "strides", [1, 0]),
    "a stride past any": _attribute(0, "strides", [1, 1 << 40]),
    "one stride": _attribute(0, "strides", [2]),
    "nine strides": _attribute(0, "strides", [1] * 9),
    "a stride of 0 in a deconvolution": _attribute(7, "strides", [0, 0]),
    "dilation 0": _attribute(0, "dilations", [0, 0]),
    "pads past any": _attribute(3, "pads", [0, 1 << 40, 0, 1 << 40]),
    "negative pads": _attribute(3, "pads", [0, -9, 0, -9]),
    "one pad": _attribute(3, "pads", [1]),
    "a kernel shape of another kernel": _attribute(0, "kernel_shape", [5, 5]),
    "strides that are text": _attribute(0, "strides", "12"),
    "strides that are floats": _attribute(0, "strides", [1.0, 2.0]),
    "strides that are a tensor": _attribute(0, "strides", numpy_helper.from_array(np.ones(2, np.int64))),
    "strides that are a graph": _attribute(0, "strides", whole().graph),
    "a pad word that is none": _attribute(0, "auto_pad", "\x1b[2J"),
    "an attribute of no type": _changed(lambda m: m.graph.node[0].attribute.append(AttributeProto(name="group"))),
    "an attribute twice": _changed(lambda m: m.graph.node[0].attribute.append(m.graph.node[0].attribute[0])),
    "a weight in /etc/passwd": _external("/etc/passwd"),
    "a weight up and away": _external("../../../../../../etc/passwd"),
    "a weight behind a link": _external("link"),
    "a weight in a pipe": _external("pipe"),
    "a weight in a device": _external("/dev/zero"),
    "a weight in the file itself, past its end": _external("model.onnx", offset="999999999999"),
    "a weight at a place that is no number": _external("model.onnx", offset="9" * 10_000),
    "a weight of a function in /etc/passwd": _in_function,
    "30 functions that double": _doubling(30, "b"),
    "13 functions that double under one name": _doubling(13, "b"),
    "functions in a circle": _circle,
    "10,000 functions deep": _long_calls,
    "19,000 nodes": _relus(19_000),
    "19,000 nodes, the last first": _relus(19_000, "v", turned=True),
    "5,000 nodes with long names, the last first": _relus(5_000, "v" * 200, turned=True),
    "200,000 nodes": _relus(200_000),
    "8 million empty nodes": _wire(b"\x0a\x00", 8 << 20),
    "8 million empty values": _wire(b"\x6a\x00", 8 << 20),
    "8 million unknown fields": _wire(b"\xf8\x07\x00", 8 << 20),
    "16 million dims": _wire(b"\x08\x01", 16 << 20, 5),
    "128 million packed numbers": _packed_numbers,
    "graphs 1,000 deep": _nested,
    "3 GB of zeros": _sparse_zeros(3 << 30),
    "500 MB of zeros": _sparse_zeros(500 << 20),
    "an empty file": lambda path: path.write_bytes(b""),
    "an input of 10^12 samples": _input(1, 1, 1, 10**12),
    "an input of 10^9 channels": _input(1, 10**9, 1, 16),
    "an input of rank 40": _input(*[1] * 40),
    "an input of size 0": _input(1, 1, 1, 0),
    "an input of a negative size": _input(1, 1, 1, -16),
    "an input whose size is a program": _input(1, 1, 1, "9**9**9**9"),
    "one weight of 64 MB read 400 times": _shared,
    "60 constants of 128 MB made by the graph": _grown,
    "a constant tiled 20 times": _tiled,
    "a range of 10^12 numbers": _ranged,
    "a name that prints a verdict": _named(ESCAPE),
    "a name of a megabyte": _named("n" * (1 << 20)),
    "an op that prints a verdict": _op(op_type=ESCAPE),
    "an op of a megabyte": _op(op_type="o" * (1 << 20)),
    "a domain that prints a verdict": _op(domain=ESCAPE, op_type="o"),
    "an input that prints a verdict": _changed(lambda m: m.graph.input[0].type.tensor_type.ClearField("shape")),
}
