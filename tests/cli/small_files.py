"""Small models and HARs for the commands."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import TensorProto, helper

from tasnet.hailo.files.har import write
from tasnet.hailo.files.hn import Layer, Network


def model(path: Path, op: str = "Relu", width: int = 100, channels: int = 8) -> Path:
    """An ONNX file of one node on [1, channels, 1, width]."""
    shape = [1, channels, 1, width]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node(op, ["x"], ["y"], name="node")], "g", ends[:1], ends[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7), str(path))
    return path


def har(path: Path, width: int, kind: str = "activation") -> Path:
    """A HAR of one layer on rows of 512 x width."""
    shape = (-1, 1, width, 512)
    names = ("input_layer1", "node1", "output_layer1")
    kinds = ("input_layer", kind, "output_layer")
    layers = tuple(
        Layer(
            name,
            each,
            names[index - 1 : index] if index else (),
            names[index + 1 : index + 2],
            (shape,),
            (shape,),
        )
        for index, (name, each) in enumerate(zip(names, kinds, strict=True))
    )
    write(Network("net", layers, ("node1",)), path)
    return path
