"""An ONNX file is read from its own folder alone, and refused in one line where it isn't as ONNX says."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import AttributeProto, TensorProto, helper, numpy_helper

from tasnet.hailo.files import har
from tasnet.hailo.translate import TranslationError, translate
from tasnet.hailo.translate.errors import ModelError
from tasnet.hailo.translate.loading import from_proto
from tests.hailo.onnx_models import floats, model, node

PASSWD = Path("/etc/passwd")
Place = Callable[[onnx.TensorProto], onnx.ModelProto]


def outside(location: str, *, count: int = 4, **entries: object) -> onnx.TensorProto:
    """A weight [count, 4, 1, 1] of the type uint8 whose bytes are in another file."""
    tensor = TensorProto(name="w", data_type=TensorProto.UINT8, dims=[count, 4, 1, 1])
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def _model(nodes: list[onnx.NodeProto], **more: object) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, 1, 32])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13), helper.make_opsetid("own", 1)], **more)


CONV = [helper.make_node("Cast", ["w"], ["f"], to=1), helper.make_node("Conv", ["x", "f"], ["y"])]
RELU = [helper.make_node("Relu", ["x"], ["y"])]


def _constant(tensor: onnx.TensorProto, **attribute: object) -> onnx.NodeProto:
    return helper.make_node("Constant", [], ["w"], **(attribute or {"value": tensor}))


def in_graph(tensor: onnx.TensorProto) -> onnx.ModelProto:
    made = _model(CONV)
    made.graph.initializer.append(tensor)
    return made


def in_constant(tensor: onnx.TensorProto) -> onnx.ModelProto:
    return _model([_constant(tensor), *CONV])


def in_function(tensor: onnx.TensorProto) -> onnx.ModelProto:
    """What put /etc/passwd into a HAR: functions become the graph's nodes after its own weights were checked."""
    body = helper.make_function("own", "f", ["x"], ["y"], [_constant(tensor), *CONV], [helper.make_opsetid("", 13)])
    return _model([helper.make_node("f", ["x"], ["y"], domain="own")], functions=[body])


def in_functions_default(tensor: onnx.TensorProto) -> onnx.ModelProto:
    default = helper.make_attribute("value", tensor)
    inner = helper.make_node("Constant", [], ["w"])
    inner.attribute.append(AttributeProto(name="value", type=AttributeProto.TENSOR, ref_attr_name="value"))
    body = helper.make_function(
        "own", "f", ["x"], ["y"], [inner, *CONV], [helper.make_opsetid("", 13)], attribute_protos=[default]
    )
    return _model([helper.make_node("f", ["x"], ["y"], domain="own")], functions=[body])


def in_unused_function(tensor: onnx.TensorProto) -> onnx.ModelProto:
    return _model(RELU, functions=in_function(tensor).functions)


def in_subgraph(tensor: onnx.TensorProto) -> onnx.ModelProto:
    branch = helper.make_graph([*CONV], "b", [], [helper.make_tensor_value_info("y", 1, None)], [tensor])
    condition = helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(np.array(True)))
    return _model([condition, helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)])


def in_list_of_tensors(tensor: onnx.TensorProto) -> onnx.ModelProto:
    attribute = AttributeProto(name="values", type=AttributeProto.TENSORS, tensors=[tensor])
    made = _model(RELU)
    made.graph.node[0].attribute.append(attribute)
    return made


def in_sparse_weight(tensor: onnx.TensorProto) -> onnx.ModelProto:
    made = _model(CONV)
    indices = numpy_helper.from_array(np.zeros(1, np.int64), "i")
    made.graph.sparse_initializer.append(onnx.SparseTensorProto(values=tensor, indices=indices, dims=[16]))
    return made


def in_sparse_constant(tensor: onnx.TensorProto) -> onnx.ModelProto:
    indices = numpy_helper.from_array(np.zeros(1, np.int64), "i")
    sparse = onnx.SparseTensorProto(values=tensor, indices=indices, dims=[16])
    return _model([_constant(tensor, sparse_value=sparse), *CONV])


def in_sparse_indices(tensor: onnx.TensorProto) -> onnx.ModelProto:
    made = _model(CONV)
    values = numpy_helper.from_array(np.zeros(1, np.float32), "v")
    made.graph.sparse_initializer.append(onnx.SparseTensorProto(values=values, indices=tensor, dims=[16]))
    return made


def in_training(tensor: onnx.TensorProto) -> onnx.ModelProto:
    made = _model(RELU)
    made.training_info.add().algorithm.initializer.append(tensor)
    return made


PLACES: list[Place] = [
    in_graph,
    in_constant,
    in_function,
    in_functions_default,
    in_unused_function,
    in_subgraph,
    in_list_of_tensors,
    in_sparse_weight,
    in_sparse_constant,
    in_sparse_indices,
    in_training,
]


def refused(made: onnx.ModelProto, path: Path) -> str:
    """The one line with which the file is refused."""
    path.write_bytes(made.SerializeToString())
    with pytest.raises(ModelError) as caught:
        translate(path, "net")
    told = str(caught.value)
    assert told.startswith(f"{path}: ")
    assert "\n" not in told
    assert len(told) < 1000
    return told


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("how", ["absolute", "up", "link", "linked folder", "hard way round"])
def test_no_tensor_of_any_scope_is_read_from_outside_the_models_folder(tmp_path: Path, place: Place, how: str) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(bytes(16))
    (folder / "link").symlink_to("../secret")
    (folder / "folder").symlink_to("..")
    location = {
        "absolute": str(PASSWD),
        "up": "../secret",
        "link": "link",
        "linked folder": "folder/secret",
        "hard way round": "folder/m/../secret",
    }[how]

    told = refused(place(outside(location)), folder / "m.onnx")

    assert "outside the model's folder" in told
    assert location in told
    assert "w" in told


def test_a_file_of_the_machine_never_lands_in_the_har(tmp_path: Path) -> None:
    secret = PASSWD.read_bytes()[:16]
    made = in_function(outside(str(PASSWD)))
    (tmp_path / "m.onnx").write_bytes(made.SerializeToString())

    with pytest.raises(ModelError, match=r"/etc/passwd, which is outside the model's folder"):
        har.write(translate(tmp_path / "m.onnx", "net"), tmp_path / "m.har")

    assert not (tmp_path / "m.har").exists()
    # The same weight inside the folder is read, and its bytes are the kernel: what passwd's would have been.
    (tmp_path / "w.bin").write_bytes(secret)
    (tmp_path / "m.onnx").write_bytes(in_function(outside("w.bin")).SerializeToString())
    kernel = translate(tmp_path / "m.onnx", "net").weight("conv1", "kernel")
    assert kernel is not None
    assert bytes(kernel.transpose(3, 2, 0, 1).astype(np.uint8).ravel()) == secret


@pytest.mark.parametrize("place", [in_graph, in_function, in_subgraph])
def test_a_pipe_a_device_a_folder_and_a_link_in_a_circle_are_refused_and_not_opened(
    tmp_path: Path, place: Place
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "folder").mkdir()

    assert "no regular file" in refused(place(outside("pipe")), tmp_path / "m.onnx")
    assert "no regular file" in refused(place(outside("folder")), tmp_path / "m.onnx")
    assert "outside the model's folder" in refused(place(outside("/dev/zero")), tmp_path / "m.onnx")
    assert "outside the model's folder" in refused(place(outside(".")), tmp_path / "m.onnx")
    assert "which is " in refused(place(outside("circle")), tmp_path / "m.onnx")
    assert "which is " in refused(place(outside("a\0b")), tmp_path / "m.onnx")
    assert "which is " in refused(place(outside("a" * 5000)), tmp_path / "m.onnx")
    assert "which is " in refused(place(outside("")), tmp_path / "m.onnx")


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ({"offset": 1}, "16 bytes, and the weight ends at 17"),
        ({"offset": -1}, "no number of bytes"),
        ({"length": -1}, "no number of bytes"),
        ({"length": 17}, "cut short"),
        ({"length": 15}, "needs 16 bytes and has 15"),
        ({"offset": 10**17, "length": 16}, "cut short"),
        ({"offset": "9" * 5000}, "no number of bytes"),
        ({"offset": "one"}, "no number of bytes"),
        ({"length": "1_6"}, "no number of bytes"),
    ],
)
def test_a_span_that_the_file_doesnt_have_is_refused(tmp_path: Path, entries: dict[str, object], told: str) -> None:
    (tmp_path / "w.bin").write_bytes(bytes(16))

    assert told in refused(in_graph(outside("w.bin", **entries)), tmp_path / "m.onnx")


def test_a_link_that_stays_in_the_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "real").write_bytes(bytes(range(16)))
    (tmp_path / "link").symlink_to("sub/real")
    (tmp_path / "m.onnx").write_bytes(in_graph(outside("link")).SerializeToString())

    assert translate(tmp_path / "m.onnx", "net").layer("conv1").output_shape == (-1, 1, 32, 4)


def test_one_file_read_by_many_weights_is_bounded_by_what_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasnet.hailo.translate.loading.MAX_BYTES", 1000)
    (tmp_path / "w.bin").write_bytes(bytes(16))
    made = in_graph(outside("w.bin"))
    for index in range(63):
        tensor = outside("w.bin")
        tensor.name = f"w{index}"
        made.graph.initializer.append(tensor)
    with pytest.raises(ModelError, match=r"1,024 bytes of weights in other files; at most 1,000"):
        from_proto(made, tmp_path)


# What breaks ONNX's own rules, each with the words that name it.


def _with(change: Callable[[onnx.ModelProto], object]) -> onnx.ModelProto:
    made = model([node("Conv", "x w", group=1, strides=[1, 2])], w=floats(6, 4, 1, 3))
    change(made)
    return made


def _attribute(made: onnx.ModelProto, **value: object) -> None:
    (name, what), *_ = value.items()
    kept = [each for each in made.graph.node[0].attribute if each.name != name]
    del made.graph.node[0].attribute[:]
    made.graph.node[0].attribute.extend([*kept, helper.make_attribute(name, what)])


def _raw(made: onnx.ModelProto, data: bytes) -> None:
    made.graph.initializer[0].raw_data = data


def _doubling(made: onnx.ModelProto, count: int = 30) -> None:
    ids = [helper.make_opsetid("", 13), helper.make_opsetid("own", 1)]
    for index in range(count):
        op = {"op_type": f"f{index + 1}", "domain": "own"} if index < count - 1 else {"op_type": "Relu"}
        nodes = [onnx.NodeProto(input=["a"], output=["b"], **op), onnx.NodeProto(input=["b"], output=["c"], **op)]
        made.functions.append(helper.make_function("own", f"f{index}", ["a"], ["c"], nodes, ids))
    made.graph.node[0].output[0] = "z"
    made.graph.node.append(helper.make_node("f0", ["z"], ["y"], domain="own"))
    made.opset_import.append(ids[1])


def _circle(made: onnx.ModelProto) -> None:
    _doubling(made, 2)
    made.functions[1].node[0].op_type = "f0"
    made.functions[1].node[0].domain = "own"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda m: _raw(m, b"\0" * 7), "needs 288 bytes and has 7"),
        (lambda m: _raw(m, b""), "needs 288 bytes and has 0"),
        (lambda m: m.graph.initializer[0].ClearField("raw_data"), "needs 72 numbers and has 0"),
        (lambda m: m.graph.initializer[0].float_data.append(1.0), "holds its data twice"),
        (lambda m: m.graph.initializer[0].int32_data.append(1), "holds its data twice"),
        (lambda m: m.graph.initializer[0].dims.insert(0, -6), "no readable shape"),
        (lambda m: m.graph.initializer[0].dims.extend([10**9] * 5), "needs 288"),
        (lambda m: setattr(m.graph.initializer[0], "data_type", 99), "unknown type 99"),
        (lambda m: setattr(m.graph.initializer[0], "data_type", TensorProto.STRING), "text can't be raw data"),
        (lambda m: m.graph.initializer.append(m.graph.initializer[0]), "weight w appears twice"),
        (lambda m: m.graph.input.append(m.graph.input[0]), "input x appears twice"),
        (lambda m: m.graph.node.append(m.graph.node[0]), "value y is made twice"),
        (lambda m: m.graph.node[0].attribute.append(m.graph.node[0].attribute[0]), "appears twice"),
        (lambda m: m.graph.node[0].input.__setitem__(0, "nobody"), "reads nobody, which nothing makes"),
        (lambda m: setattr(m.graph.output[0], "name", "nobody"), "output nobody is made by no node"),
        (lambda m: _attribute(m, group=0), "its group is 0"),
        (lambda m: _attribute(m, group=-2), "its group is -2"),
        (lambda m: _attribute(m, strides=[1, 0]), "its strides is 0"),
        (lambda m: _attribute(m, dilations=[1, 10**12]), "its dilations is 1000000000000"),
        (lambda m: _attribute(m, kernel_shape=[0, 3]), "its kernel_shape is 0"),
        (lambda m: _attribute(m, strides=2), "its strides is of type INT, and INTS in ONNX"),
        (lambda m: _attribute(m, group="one"), "its group is of type STRING, and INT in ONNX"),
        (lambda m: _attribute(m, pads=[0.5, 0.5, 0.5, 0.5]), "its pads is of type FLOATS, and INTS in ONNX"),
        (lambda m: _attribute(m, auto_pad=3), "its auto_pad is of type INT, and STRING in ONNX"),
        (_doubling, "nodes, inlined; export without functions"),
        (_circle, "call one another in a circle"),
        (lambda m: m.functions.extend(2 * [helper.make_function("own", "f", [], [], [], [])]), "appears twice"),
        (lambda m: m.graph.node.extend(20_000 * [onnx.NodeProto(op_type="Relu", input=["y"])]), "20,000 nodes"),
    ],
)
def test_what_breaks_onnxs_rules_is_refused_by_name_and_at_once(
    tmp_path: Path, change: Callable[[onnx.ModelProto], object], told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    made = _with(change)
    started = time.monotonic()

    assert told in refused(made, tmp_path / "m.onnx")

    assert time.monotonic() - started < 2
    assert capfd.readouterr() == ("", ""), "a library's own words stand beside ours"


def test_functions_that_call_one_another_a_little_are_read(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(_with(lambda m: _doubling(m, 4)).SerializeToString())

    assert translate(tmp_path / "m.onnx", "net").layer("conv1").params["activation"] == "relu"


@pytest.mark.parametrize(
    "inner", [b"\x0a\x00" * (3 << 20), b"\x6a\x00" * (3 << 20)], ids=["empty nodes", "empty values"]
)
def test_two_bytes_a_node_are_counted_before_they_are_parsed(tmp_path: Path, inner: bytes) -> None:
    # Field 7 of a ModelProto is its graph; of a graph, field 1 is a node and 13 a value.
    data = b"\x3a" + _varint(len(inner)) + inner
    (tmp_path / "m.onnx").write_bytes(data)

    with pytest.raises(ModelError, match=r"appears more than|fields|more than 400,000"):
        translate(tmp_path / "m.onnx", "net")


def _varint(number: int) -> bytes:
    head = b""
    while number >= 128:
        head, number = head + bytes([number & 127 | 128]), number >> 7
    return head + bytes([number])


def test_a_pipe_a_device_and_too_long_a_file_are_no_models(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "long.onnx").open("wb") as file:
        file.truncate(3 << 30)

    for path, told in (
        (tmp_path / "pipe", "a pipe"),
        (Path("/dev/zero"), "a device"),
        (tmp_path / "long.onnx", "at most"),
    ):
        with pytest.raises(TranslationError, match=told):
            translate(path, "net")
