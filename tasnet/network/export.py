"""Variant -> ONNX: a static, folded, reproducible graph, and the files it is kept in.

Torch's tracing exporter writes the nodes (the other one can't go below opset 18 where a ReduceMean is
present); what follows makes the graph plain: every shape known, no Identity, Constant or shape arithmetic
left, nothing dead, and every weight an initializer named after its module.
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from tasnet.network.convtasnet import build, input_shape, output_names, output_shapes
from tasnet.network.variant import Size, Variant, VariantError
from tasnet.network.weights import Weights

OPSETS = range(11, 18)
"""What the Hailo parser reads and the exporter writes without conversion (18 moves ReduceMean's axes)."""

IR_VERSIONS = {opset: 6 if opset < 13 else 7 if opset < 15 else 8 for opset in OPSETS}
"""The IR version that came with each opset, 8 at most (onnx, docs/Versioning.md)."""

PRODUCER = ("tasnet", "1")
SHARED_FROM = 1024
"""Bytes above which `save_shared` gives an initializer a file of its own."""

_Types = dict[str, tuple[int, tuple[int, ...]]]


class ExportError(RuntimeError):
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
    shape = input_shape(variant, size, length)
    network = build(variant, size, weights, mask_activation=mask_activation)
    # The graph doesn't depend on the length, except that a cumulative norm holds the count of every frame:
    # all others are traced on a few frames, which costs nothing, and get their true shape below.
    traced = length if variant.norm == "cgln" else min(length, 4 * size.L)
    names = output_names(variant, size)
    model = _trace(network, input_shape(variant, size, traced), names, opset)
    tensors = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    outputs = dict(zip(names, output_shapes(variant, size, length), strict=True))
    model = _plain(model, tensors, {"mix": shape}, outputs, opset)
    _check(model, opset)
    _attach(model, tensors)
    return model


def save(model: ModelProto, path: Path) -> Path:
    """Writes one self-contained ONNX file. Other processes see the old file or the whole new one."""
    _write(path, model.SerializeToString(deterministic=True))
    return path


def save_shared(model: ModelProto, folder: Path, name: str) -> Path:
    """Writes `folder/name` with each initializer above 1 KiB as ONNX external data, `<sha256>.bin` beside it.

    Graphs with the same weights share these files: one that is there already is not written again. The file
    remains valid ONNX, read by ONNX Runtime and `onnx.load` as it is, and equal models give equal bytes.
    Safe for many processes at once. `model` is left as it is.
    """
    shared = ModelProto()
    shared.CopyFrom(model)
    for tensor in shared.graph.initializer:
        data = tensor.raw_data
        if len(data) <= SHARED_FROM:
            continue
        location = f"{hashlib.sha256(data).hexdigest()}.bin"
        target = folder / location
        if not target.exists() or target.stat().st_size != len(data):
            _write(target, data)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", location), ("offset", "0"), ("length", str(len(data)))):
            tensor.external_data.add(key=key, value=value)
    return save(shared, folder / name)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _trace(network: torch.nn.Module, shape: tuple[int, ...], names: Iterable[str], opset: int) -> ModelProto:
    """The exporter's graph, with the weights as further inputs named like the state dict."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        # The exporter calls itself deprecated and warns of sizes read while tracing: both are meant here.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (torch.zeros(shape),),
            file,  # type: ignore[arg-type]  # a file object works since 1.0, but is not in the annotation
            dynamo=False,
            opset_version=opset,
            input_names=["mix"],
            output_names=list(names),
            export_params=False,
            do_constant_folding=False,
        )
    return onnx.load_model_from_string(file.getvalue())


def _plain(
    traced: ModelProto,
    tensors: dict[str, np.ndarray],
    inputs: Mapping[str, tuple[int, ...]],
    outputs: Mapping[str, tuple[int, ...]],
    opset: int,
) -> ModelProto:
    """The traced graph with true shapes and without Identity, Constant, shape arithmetic or dead nodes.

    Weights are typed inputs still: inference and the checker need their shapes, not their 20 MB.
    Constants of the graph are added to `tensors`; a PReLU slope there is reshaped to what the node reads.
    """
    nodes = [
        # The exporter makes weights of equal value aliases of one; each keeps its own name and value here.
        node
        for node in traced.graph.node
        if not (node.op_type == "Identity" and node.output[0] in tensors)
    ]
    constants: dict[str, np.ndarray] = {}
    while True:
        weights = {name: (_type_of(array), array.shape) for name, array in (tensors | constants).items()}
        graph = helper.make_graph(
            nodes,
            "tasnet",
            [*_infos({n: (TensorProto.FLOAT, s) for n, s in inputs.items()}), *_infos(weights)],
            _infos({n: (TensorProto.FLOAT, s) for n, s in outputs.items()}),
            [numpy_helper.from_array(array, name) for name, array in constants.items() if array.dtype == np.int64],
        )
        model = helper.make_model(
            graph,
            producer_name=PRODUCER[0],
            producer_version=PRODUCER[1],
            ir_version=IR_VERSIONS[opset],
            opset_imports=[helper.make_opsetid("", opset)],
        )
        model = onnx.shape_inference.infer_shapes(model, strict_mode=True)
        before = len(nodes)
        nodes = _fold(list(model.graph.node), _types(model), tensors, constants, opset)
        nodes = _live(nodes, outputs)
        if len(nodes) == before:
            break
    tensors.update(_renamed(nodes, constants))
    used = {name for node in nodes for name in node.input}
    for name in tensors.keys() - used:
        del tensors[name]
    values = [info for info in model.graph.value_info if info.name in used]
    inputs_and_weights = _infos(
        {n: (TensorProto.FLOAT, s) for n, s in inputs.items()}
        | {name: (_type_of(tensors[name]), tensors[name].shape) for name in _in_order(nodes, tensors)}
    )
    plain = helper.make_graph(nodes, "tasnet", inputs_and_weights, model.graph.output, value_info=values)
    model.graph.CopyFrom(plain)
    return model


def _fold(
    nodes: list[NodeProto],
    types: _Types,
    tensors: dict[str, np.ndarray],
    constants: dict[str, np.ndarray],
    opset: int,
) -> list[NodeProto]:
    """The nodes without those whose value is known: constants, shapes, and arithmetic on them."""
    kept: list[NodeProto] = []
    same: dict[str, str] = {}
    for node in nodes:
        for index, name in enumerate(node.input):
            node.input[index] = same.get(name, name)
        output = node.output[0]
        if node.op_type == "Constant":
            constants[output] = numpy_helper.to_array(node.attribute[0].t)
        elif node.op_type == "Shape" and node.input[0] in types:
            constants[output] = np.array(types[node.input[0]][1], np.int64)
        elif node.op_type in ("Identity", "Expand", "Cast") and types.get(node.input[0]) == types.get(output):
            # An Expand to the shape it has already comes with every repeat.
            same[output] = node.input[0]
        elif node.op_type == "Unsqueeze" and node.input[0] in tensors:
            # Torch keeps a PReLU slope as [1], ONNX wants [1, 1, 1]: the weight keeps its name.
            name = node.input[0]
            tensors[name] = tensors[name].reshape(types[output][1])
            same[output] = name
        elif all(name in constants for name in node.input):
            constants[output] = _evaluate(node, constants, opset)
        else:
            kept.append(node)
    return kept


def _evaluate(node: NodeProto, constants: dict[str, np.ndarray], opset: int) -> np.ndarray:
    # A slow import, and few graphs need it.
    from onnx.reference import ReferenceEvaluator

    inputs: dict[str, Any] = {name: constants[name] for name in node.input if name}
    infos = _infos({name: (_type_of(array), array.shape) for name, array in inputs.items()})
    graph = helper.make_graph([node], "constant", infos, [ValueInfoProto(name=node.output[0])])
    model = helper.make_model(graph, ir_version=IR_VERSIONS[opset], opset_imports=[helper.make_opsetid("", opset)])
    outputs: Any = ReferenceEvaluator(model).run(None, inputs)
    return np.asarray(outputs[0])


def _live(nodes: list[NodeProto], outputs: Iterable[str]) -> list[NodeProto]:
    """The nodes that an output depends on, in their order."""
    needed, live = set(outputs), []
    for node in reversed(nodes):
        if needed.intersection(node.output):
            needed.update(node.input)
            live.append(node)
    return live[::-1]


def _renamed(nodes: list[NodeProto], constants: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The constants, named after the node that reads them first: `<node>.<operand>`. Changes the nodes."""
    names: dict[str, str] = {}
    for node in nodes:
        for index, name in enumerate(node.input):
            if name in constants:
                node.input[index] = names.setdefault(name, f"{node.name}.{index}")
    return {new: constants[old] for old, new in names.items()}


def _in_order(nodes: Iterable[NodeProto], tensors: dict[str, np.ndarray]) -> list[str]:
    """The names of the tensors in the order in which the nodes first read them."""
    return list(dict.fromkeys(name for node in nodes for name in node.input if name in tensors))


def _check(model: ModelProto, opset: int) -> None:
    """Raises ExportError unless the graph, weights being inputs, is valid and of the opset and IR asked."""
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise ExportError(f"the exported graph is not valid ONNX: {error}") from error
    versions = [(entry.domain, entry.version) for entry in model.opset_import]
    if versions != [("", opset)] or model.ir_version != IR_VERSIONS[opset]:
        raise ExportError(f"asked for opset {opset} and IR {IR_VERSIONS[opset]}, got {versions}, {model.ir_version}")
    known = _types(model)
    for node in model.graph.node:
        if node.op_type in ("Identity", "Constant", "Shape"):
            raise ExportError(f"{node.name}: a node of type {node.op_type} is left over")
        for name in node.output:
            if name not in known or not all(dim > 0 for dim in known[name][1]):
                raise ExportError(f"{node.name}: the shape of its output is not known")


def _attach(model: ModelProto, tensors: dict[str, np.ndarray]) -> None:
    """Makes the weight inputs initializers."""
    for name in _in_order(model.graph.node, tensors):
        model.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(tensors[name]), name))
    del model.graph.input[1:]


def _types(model: ModelProto) -> _Types:
    """Element type and shape of every value of the graph whose shape is known; 0 for an unknown dimension."""
    graph = model.graph
    return {
        info.name: (
            info.type.tensor_type.elem_type,
            tuple(dim.dim_value for dim in info.type.tensor_type.shape.dim),
        )
        for group in (graph.input, graph.output, graph.value_info)
        for info in group
        if info.type.tensor_type.HasField("shape")
    }


def _infos(types: _Types) -> list[ValueInfoProto]:
    return [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in types.items()]


def _type_of(array: np.ndarray) -> int:
    return int(helper.np_dtype_to_tensor_dtype(array.dtype))
