"""Nothing is clear by emptiness: what is no network is an error, whichever of the three files it comes in."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from tasnet.cli import main
from tasnet.hailo.files.hn import dumps
from tasnet.hailo.predict.reference import predict_file
from tasnet.hailo.translate import translate
from tests.hailo.onnx_models import floats, model, node

Graph = dict[str, Any]
Weights = dict[str, np.ndarray]


def whole() -> tuple[Graph, Weights]:
    """The HN of two branches with a kernel each, joined: as the vendor writes it, and its weights."""
    made = model(
        [
            node("Conv", "x w", "a", "conv", kernel_shape=[1, 3]),
            node("Conv", "a d", "b", "depth", group=6, pads=[0, 1, 0, 1]),
            node("Concat", "a b", "c", "join", axis=1),
            node("ConvTranspose", "c t", "e", "up", strides=[1, 2], kernel_shape=[1, 2]),
            node("Sigmoid", "e", "y"),
        ],
        w=floats(6, 4, 1, 3),
        d=floats(6, 1, 1, 3),
        t=floats(12, 2, 1, 2),
    )
    network = translate(made, "net")
    return json.loads(dumps(network)), dict(network.weights)


def har(path: Path, graph: Graph | str, weights: Weights | None) -> Path:
    """A HAR as the vendor writes one: a flat tar of the graph's JSON and an npz."""
    npz = io.BytesIO()
    np.savez(npz, **(weights or {}))
    members = {"net.hn": (graph if isinstance(graph, str) else json.dumps(graph)).encode(), "net.npz": npz.getvalue()}
    with tarfile.open(path, "w") as archive:
        for name, data in members.items():
            if name.endswith(".npz") and weights is None:
                continue
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def refused(path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What `tasnet check` says of a file that it can't read: one line, exit code 2, and no verdict."""
    assert main(["check", str(path)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    return told.err


def test_the_graph_that_the_others_are_made_of_has_a_verdict(tmp_path: Path) -> None:
    graph, weights = whole()
    (tmp_path / "n.hn").write_text(json.dumps(graph))

    assert predict_file(har(tmp_path / "n.har", graph, weights), "hailo8") == predict_file(tmp_path / "n.hn", "hailo8")


def _set(name: str, key: str, value: object) -> Callable[[Graph], object]:
    return lambda graph: graph["layers"][f"net/{name}"].__setitem__(key, value)


def _param(name: str, key: str, value: object) -> Callable[[Graph], object]:
    return lambda graph: graph["layers"][f"net/{name}"]["params"].__setitem__(key, value)


def _ones(graph: Graph) -> None:
    for layer in graph["layers"].values():
        for key in ("input_shapes", "output_shapes"):
            layer[key] = [[-1, 1, 1, 1] for _ in layer[key]]


def _ones_with_their_kernels(graph: Graph) -> None:
    _ones(graph)
    del graph["layers"]["net/dw1"], graph["layers"]["net/concat1"], graph["layers"]["net/deconv1"]
    layers = graph["layers"]
    layers["net/conv1"] |= {"output": ["net/output_layer1"]}
    layers["net/conv1"]["params"]["kernel_shape"] = [1, 1, 1, 1]
    layers["net/output_layer1"]["input"] = ["net/conv1"]
    graph["net_params"]["output_layers_order"] = ["net/conv1"]


def _circle(graph: Graph) -> None:
    layers = graph["layers"]
    layers["net/dw1"]["input"] = ["net/concat1"]
    layers["net/dw1"]["input_shapes"] = [[-1, 1, 30, 12]]
    layers["net/concat1"]["output"].append("net/dw1")
    layers["net/concat1"]["output_shapes"].append([-1, 1, 30, 12])
    layers["net/conv1"]["output"] = ["net/concat1"]


def _itself(graph: Graph) -> None:
    layer = graph["layers"]["net/deconv1"]
    layer["input"].append("net/deconv1")
    layer["output"].append("net/deconv1")


def _unread(graph: Graph) -> None:
    graph["layers"]["net/dw2"] = {**graph["layers"]["net/dw1"], "output": []}
    graph["layers"]["net/conv1"]["output"].append("net/dw2")


def _unfed(graph: Graph) -> None:
    graph["layers"]["net/dw1"] |= {"input": [], "input_shapes": []}
    graph["layers"]["net/conv1"]["output"] = ["net/concat1"]


def _two_scopes(graph: Graph) -> None:
    graph["layers"]["other/conv1"] = graph["layers"]["net/conv1"]


BROKEN: list[tuple[Callable[[Graph], object], str]] = [
    (lambda g: g["layers"].clear(), "no layer beside"),
    (lambda g: [g["layers"].pop(n) for n in list(g["layers"]) if "put_layer" not in n], "no layer beside"),
    (lambda g: g["layers"].pop("net/input_layer1"), "input_layer"),
    (_ones, "can't leave|reads"),
    (_ones_with_their_kernels, "every shape of the graph is 1x1x1"),
    (_circle, "in a circle|can't leave"),
    (_itself, "reads itself"),
    (_unread, "leads nowhere"),
    (_unfed, "has no input"),
    (_two_scopes, "two layers are called conv1"),
    (_set("conv1", "output", ["net/dw1"]), "whose 'output' doesn't name it"),
    (_set("dw1", "input", ["net/input_layer1"]), "whose 'input' doesn't name it"),
    (_set("dw1", "input", ["net/conv1", "net/nobody"]), "nobody, which is not in the graph"),
    (_set("dw1", "input_shapes", [[-1, 1, 31, 6]]), "reads 1x31x6 from conv1, which leaves 1x30x6"),
    (_set("dw1", "input_shapes", [[-1, 1, 30, 6], [-1, 1, 30, 6]]), "1 inputs and 2 input shapes"),
    (_set("conv1", "output_shapes", [[-1, 1, 30, 0]] * 2), "positive sizes"),
    (_set("conv1", "output_shapes", [[-1, 1, 30, 10**21]] * 2), "sizes from 1 to 16,777,216"),
    (_set("conv1", "output_shapes", [[-1, 1, 10**9, 6]] * 2), "sizes from 1 to 16,777,216"),
    (_set("conv1", "output_shapes", [[-1, 1, 29, 6]] * 2), "can't leave 1x29x6"),
    (_param("conv1", "kernel_shape", [1, 3, 4, 0]), "4 positive sizes"),
    (_param("conv1", "kernel_shape", [1, 3, 4, 7]), "leaves 7 channels"),
    (_param("conv1", "kernel_shape", [1, 3, 5, 6]), "is for 5 channels, and it reads 4"),
    (_param("conv1", "kernel_shape", [1, 5, 4, 6]), "30 read by|32 read by a kernel of 5"),
    (_param("conv1", "strides", [1, 1, 2, 1]), "at stride 2"),
    (_param("conv1", "strides", [1, 1, 0, 1]), "4 positive sizes"),
    (_param("conv1", "groups", 0), "'groups' must be a positive"),
    (_param("dw1", "kernel_shape", [1, 3, 5, 1]), "is for 5 channels, and it reads 6"),
    (_param("deconv1", "kernel_shape", [1, 2, 13, 2]), "is for 13 channels"),
    (_param("deconv1", "kernel_shape", [1, 2, 12, 3]), "kernel_shape"),
    (_set("concat1", "output_shapes", [[-1, 1, 30, 13]]), "reads|1x30x6 \\+ 1x30x6"),
    (_param("conv1", "leaky_alpha", 1e999), "Infinity"),
    (lambda g: g["net_params"].__setitem__("output_layers_order", ["net/nobody"]), "names nobody"),
]


@pytest.mark.parametrize("kind", ["hn", "har"])
@pytest.mark.parametrize(("change", "told"), BROKEN)
def test_a_graph_that_is_no_network_is_an_error_and_never_a_verdict(
    tmp_path: Path, kind: str, change: Callable[[Graph], object], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    graph, weights = whole()
    change(graph)
    path = tmp_path / f"n.{kind}"
    if kind == "hn":
        path.write_text(json.dumps(graph))
    else:
        har(path, graph, weights)

    said = refused(path, capsys)

    assert any(each.replace("\\", "") in said for each in told.split("|")), said


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"name": "n", "layers": {"n/a": {"type": "conv"}, "n/a": {"type": "dw"}}}', "names n/a twice"),
        ('{"name": "n", "layers": ' + "[" * 100_000, "not JSON"),
        ('{"name": "n", "layers": ' + '{"a":' * 100_000, "not JSON"),
        ('{"name": "n", "x": ' + "9" * 10_000 + "}", "not JSON"),
        ('{"name": "n", "x": NaN}', "holds NaN"),
        ('{"name": "n", "x": -Infinity}', "holds -Infinity"),
        ("{" + " " * (1 << 24), "at most 16,777,216"),
    ],
    ids=["a layer twice", "deep lists", "deep objects", "digits", "NaN", "infinity", "too long"],
)
def test_json_that_would_be_read_wrong_or_for_ever_is_refused(
    tmp_path: Path, text: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "n.hn").write_text(text)

    assert told in refused(tmp_path / "n.hn", capsys)


BAD_WEIGHTS: list[tuple[Callable[[Weights], object], str]] = [
    (lambda w: w.pop("net/conv1/kernel:0"), "conv1 has no kernel"),
    (lambda w: w.clear(), "has no kernel"),
    (lambda w: w.update({"net/conv1/kernel:0": floats(1, 3, 4, 5)}), "its kernel is [1, 3, 4, 5]"),
    (lambda w: w.update({"net/conv1/bias:0": floats(7)}), "7 values of bias for 6 channels"),
    (lambda w: w["net/dw1/kernel:0"].__setitem__(0, np.nan), "dw1/kernel:0 holds a NaN"),
    (lambda w: w["net/deconv1/bias:0"].__setitem__(0, -np.inf), "is infinite in float32"),
    (lambda w: w.update({"net/conv1/kernel:0": np.full((1, 3, 4, 6), 1e300)}), "is infinite in float32"),
    (lambda w: w.update({"net/conv1/kernel:0": np.full((1, 3, 4, 6), "a")}), "holds no real numbers"),
    (lambda w: w.update({"net/conv1/kernel:0": np.full((1, 3, 4, 6), 1j)}), "holds no real numbers"),
]


@pytest.mark.parametrize(("change", "told"), BAD_WEIGHTS)
def test_weights_that_are_missing_misshapen_or_no_numbers_are_an_error_of_a_har(
    tmp_path: Path, change: Callable[[Weights], object], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    graph, weights = whole()
    weights = {key: array.copy() for key, array in weights.items()}
    change(weights)

    assert told in refused(har(tmp_path / "n.har", graph, weights), capsys)


def test_a_har_without_its_weights_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph, _ = whole()

    assert "there is no net.npz in the file" in refused(har(tmp_path / "n.har", graph, None), capsys)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, np.float64(1e300)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_of_an_onnx_file_that_are_no_numbers_in_float32_are_an_error(
    tmp_path: Path, value: float, dtype: type[np.floating[Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    with np.errstate(all="ignore"):
        kernel = np.full((6, 4, 1, 3), value, dtype)
    nodes = [node("Cast", "w", "f", to=TensorProto.FLOAT), node("Conv", "x f")]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, 1, 32])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(kernel, "w")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    (tmp_path / "m.onnx").write_bytes(made.SerializeToString())

    assert "is infinite in float32" in refused(tmp_path / "m.onnx", capsys)


def test_an_onnx_network_without_an_output_channel_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = helper.make_graph(
        [node("Conv", "x w")],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, 1, 32])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(floats(0, 4, 1, 3), "w")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    (tmp_path / "m.onnx").write_bytes(made.SerializeToString())

    assert "needs sizes from 1" in refused(tmp_path / "m.onnx", capsys)


def test_every_network_that_the_translator_writes_is_whole(tmp_path: Path) -> None:
    graph, weights = whole()
    # Weights in another precision are read as what they are in float32.
    double = {key: array.astype(np.float64) for key, array in weights.items()}

    assert predict_file(har(tmp_path / "n.har", graph, double), "hailo8").kind.value in {"clear", "blocked", "unknown"}
