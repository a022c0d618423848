"""Variant -> ONNX: a static, folded, reproducible graph, and the files it is kept in.

`graph_parts` gives the nodes, static: every shape known, no Identity, Constant or shape arithmetic left, nothing
dead. Here they become a model, with every weight an initializer named after its module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import GraphProto, ModelProto, StringStringEntryProto, TensorProto, helper

from tasnet.common import TasnetError, sha256, unfinished
from tasnet.network import graph_parts
from tasnet.network.convtasnet import build_network, input_shape
from tasnet.network.static_graph import (
    IR_VERSIONS,
    OPSETS,
    Shape,
    StaticNodes,
    model_of,
    static_nodes,
    traced_module,
    types_of,
    value_infos,
)
from tasnet.network.variant import Size, Variant, VariantError
from tasnet.network.weights import Weights

SHARED_FROM = 1024
"""Bytes above which `write_shared_onnx` gives an initializer a file of its own."""


class ExportError(TasnetError, RuntimeError):
    """The exporter wrote something else than was asked. The message says what; a bug, not a bad input."""


def to_onnx(
    variant: Variant,
    size: Size,
    weights: Weights,
    length: int,
    *,
    opset: int = 13,
    mask_activation: str = "relu",
) -> ModelProto:
    """The graph of `variant` for `length` samples: input `mix`, outputs `est` or `est1`, `est2`, ….

    Equal arguments give equal bytes, in any process. Shapes are those of `input_shape` and `output_shapes`.
    Raises VariantError (a ValueError) for an opset outside 11-17, a length below one frame, or a variant that
    can't be built; ExportError if the exporter didn't keep to opset, IR version or shapes.
    """
    if opset not in OPSETS:
        raise VariantError(f"opset {opset}: one of {OPSETS[0]} to {OPSETS[-1]}")
    input_shape(variant, size, length)  # raises
    network = build_network(variant, size, weights, mask_activation=mask_activation)
    nodes = with_slopes(graph_parts.joined_nodes(variant, size, length, opset, mask_activation), network)
    tensors = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    return with_weights(nodes, tensors, opset)


def with_slopes(traced: StaticNodes, network: torch.nn.Module) -> StaticNodes:
    """The nodes with the network's own slopes: the one thing of its weights that a node holds, and no initializer."""
    nodes = []
    for node in traced.nodes:
        if node.op_type == "LeakyRelu":
            slope = network.get_submodule(".".join(node.name.strip("/").split("/")[:-1])).negative_slope
            node = helper.make_node("LeakyRelu", node.input, node.output, node.name, alpha=slope)
        nodes.append(node)
    return replace(traced, nodes=tuple(nodes))


def module_to_onnx(
    module: torch.nn.Module,
    traced: Mapping[str, Shape],
    inputs: Mapping[str, Shape],
    outputs: Mapping[str, Shape],
    *,
    opset: int = 13,
) -> ModelProto:
    """The graph of any module of this package's parts, its weights named like its state dict.

    It is traced on zeros of the shapes `traced` and given the shapes `inputs` and `outputs`, by name and in order.
    """
    tensors = {name: tensor.numpy() for name, tensor in module.state_dict().items()}
    nodes = static_nodes(traced_module(module, traced, list(outputs), opset), inputs, outputs, opset)
    return with_weights(nodes, tensors, opset, tuple(inputs))


def with_weights(
    traced: StaticNodes, weights: Mapping[str, np.ndarray], opset: int, inputs: Sequence[str] = ("mix",)
) -> ModelProto:
    """The model of these nodes; `weights` holds at least those that they read, `inputs` names what else they do."""
    model = _without_weights(traced, opset, inputs)
    _check(model, opset)
    tensors = {**weights, **traced.constants}
    for info in model.graph.input[len(inputs) :]:
        _, shape = traced.types[info.name]
        _append(model, info.name, tensors[info.name].reshape(shape))
    del model.graph.input[len(inputs) :]
    return model


def _without_weights(traced: StaticNodes, opset: int, given: Sequence[str]) -> ModelProto:
    """The model with its weights, in the order in which they are first read, as further inputs."""
    made = [name for node in traced.nodes for name in node.output]
    read = dict.fromkeys(name for node in traced.nodes for name in node.input)
    weights = read.keys() - {*given, *made}
    inputs = [*given, *(name for name in read if name in weights)]
    inner = [name for name in made if name not in traced.outputs]
    groups = [value_infos({name: traced.types[name] for name in names}) for names in (inputs, traced.outputs, inner)]
    return model_of(traced.nodes, groups[0], groups[1], opset, values=groups[2])


def write_onnx(model: ModelProto, path: Path) -> Path:
    """Writes one self-contained ONNX file. Other processes see the old file or the whole new one."""
    _write(path, model.SerializeToString(deterministic=True))
    return path


def write_shared_onnx(model: ModelProto, folder: Path) -> Path:
    """Writes `<sha256>.onnx` with each initializer above 1 KiB as ONNX external data, `<sha256>.bin` beside it.

    Graphs with the same weights share these files: one that is there already is not written again. The file remains
    valid ONNX, read by ONNX Runtime and `onnx.load` as it is, and equal models give equal bytes.
    Safe for many processes at once; the disk is not waited for. `model` is left as it is.
    """
    # The weights are left where they are: copying 20 MB to take them out again takes longer than all else here.
    shared = ModelProto(**_fields(model, but="graph"), graph=GraphProto(**_fields(model.graph, but="initializer")))
    for tensor in model.graph.initializer:
        fields = _fields(tensor)
        data = fields.get("raw_data", b"")
        if len(data) > SHARED_FROM:
            del fields["raw_data"]
            location = f"{sha256(data)}.bin"
            target = folder / location
            if not target.exists() or target.stat().st_size != len(data):
                _write(target, data, lasting=False)
            place = {"location": location, "offset": "0", "length": str(len(data))}
            fields["external_data"] = [StringStringEntryProto(key=key, value=value) for key, value in place.items()]
            fields["data_location"] = TensorProto.EXTERNAL
        shared.graph.initializer.add(**fields)
    data = shared.SerializeToString(deterministic=True)
    target = folder / f"{sha256(data)}.onnx"
    _write(target, data, lasting=False)
    return target


def _fields(message: Any, but: str = "") -> dict[str, Any]:
    """The fields of a protobuf message that are set, except one; large ones are copied."""
    return {field.name: value for field, value in message.ListFields() if field.name != but}


def _write(path: Path, data: bytes, lasting: bool = True) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished.write(path, data, lasting=lasting)


def _check(model: ModelProto, opset: int) -> None:
    """Raises ExportError unless the graph, weights being inputs, is valid and of the opset and IR asked."""
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise ExportError(f"the exported graph is not valid ONNX: {error}") from error
    versions = [(entry.domain, entry.version) for entry in model.opset_import]
    if versions != [("", opset)] or model.ir_version != IR_VERSIONS[opset]:
        raise ExportError(f"asked for opset {opset} and IR {IR_VERSIONS[opset]}, got {versions}, {model.ir_version}")
    known = types_of(model)
    for node in model.graph.node:
        if node.op_type in ("Identity", "Constant", "Shape"):
            raise ExportError(f"{node.name}: a node of type {node.op_type} is left over")
        for name in node.output:
            if name not in known or not all(dim > 0 for dim in known[name][1]):
                raise ExportError(f"{node.name}: the shape of its output is not known")


def _append(model: ModelProto, name: str, array: np.ndarray) -> None:
    """Adds an initializer, in place: its bytes are copied once."""
    kind = helper.np_dtype_to_tensor_dtype(array.dtype)
    # A scalar constant is written as [1].
    dims = array.shape or (1,)
    model.graph.initializer.add(name=name, data_type=kind, dims=dims, raw_data=array.tobytes())
