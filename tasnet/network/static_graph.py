"""A module -> its static ONNX nodes: every shape known, no Identity, Constant or shape arithmetic, nothing dead.

Torch's tracing exporter writes the nodes (the other one can't go below opset 18 where a ReduceMean is
present); weights stay inputs, named like the state dict: neither their values nor their 20 MB are looked at.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import torch
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

OPSETS = range(11, 18)
"""What the Hailo parser reads and the exporter writes without conversion (18 moves ReduceMean's axes)."""

IR_VERSIONS = {opset: 6 if opset < 13 else 7 if opset < 15 else 8 for opset in OPSETS}
"""The IR version that came with each opset, 8 at most (onnx, docs/Versioning.md)."""

PRODUCER = ("tasnet", "1")

Shape = tuple[int, ...]
Types = dict[str, tuple[int, Shape]]
"""Name -> (element type, shape); 0 for an unknown dimension."""


@dataclass(frozen=True)
class StaticNodes:
    """The nodes of a graph in their order, without weights. Shared by many graphs: nothing in it may be changed."""

    nodes: tuple[NodeProto, ...]
    types: Mapping[str, tuple[int, Shape]]
    """of all that the nodes read and make; a weight's shape is the one that its node wants"""
    constants: Mapping[str, np.ndarray]
    """what the nodes read that is neither a weight nor an input"""
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Traced:
    """What the exporter wrote of a module. Shared too: nothing in it may be changed."""

    nodes: tuple[NodeProto, ...]
    outputs: tuple[str, ...]
    weights: Mapping[str, np.ndarray]
    """by their names in the state dict; of their shapes and types, and of no value"""


def traced_module(module: torch.nn.Module, inputs: Mapping[str, Shape], outputs: Sequence[str], opset: int) -> Traced:
    """The module, traced on zeros of these shapes.

    Outputs without a name here, all if `outputs` is empty, are called as they would be inside a larger graph:
    `<node>_output_0`.
    """
    nodes, made = _trace(module, inputs, list(outputs), opset)
    state = {name: tensor.numpy() for name, tensor in module.state_dict().items()}
    weights = {name: np.broadcast_to(np.zeros((), array.dtype), array.shape) for name, array in state.items()}
    return Traced(tuple(nodes), tuple(made), weights)


def static_nodes(
    traced: Traced, inputs: Mapping[str, Shape], outputs: Mapping[str, Shape | None], opset: int
) -> StaticNodes:
    """The traced nodes, given these input shapes.

    `outputs` gives the shapes of the traced outputs; None where one is to be inferred, and all are if it is empty.
    """
    return _static(traced.nodes, {**traced.weights}, inputs, dict(outputs) or dict.fromkeys(traced.outputs), opset)


def value_infos(types: Mapping[str, tuple[int, Shape | None]]) -> list[ValueInfoProto]:
    """Typed values, as ONNX writes them."""
    return [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in types.items()]


def model_of(
    nodes: Sequence[NodeProto],
    inputs: Sequence[ValueInfoProto],
    outputs: Sequence[ValueInfoProto],
    opset: int,
    *,
    initializers: Sequence[TensorProto] = (),
    values: Sequence[ValueInfoProto] = (),
) -> ModelProto:
    """A model of these parts, which it copies."""
    graph = helper.make_graph(nodes, "tasnet", inputs, outputs, initializers, value_info=values)
    return helper.make_model(
        graph,
        producer_name=PRODUCER[0],
        producer_version=PRODUCER[1],
        ir_version=IR_VERSIONS[opset],
        opset_imports=[helper.make_opsetid("", opset)],
    )


def live_nodes(nodes: Sequence[NodeProto], outputs: Iterable[str]) -> list[NodeProto]:
    """The nodes that an output depends on, in their order."""
    needed, alive = set(outputs), []
    for node in reversed(nodes):
        if needed.intersection(node.output):
            needed.update(node.input)
            alive.append(node)
    return alive[::-1]


def _trace(
    module: torch.nn.Module, inputs: Mapping[str, Shape], outputs: list[str], opset: int
) -> tuple[list[NodeProto], list[str]]:
    """The exporter's nodes, and the names of their outputs."""
    # The tracer looks through the whole Python stack at every operation: that of a new thread is short.
    with ThreadPoolExecutor(1) as thread:
        graph = thread.submit(_exported, module, inputs, outputs, opset).result()
    made = {info.name for info in graph.output} - set(outputs)
    natural = {
        name: f"{node.name}_output_{index}"
        for node in graph.node
        for index, name in enumerate(node.output)
        if node.name and name in made
    }
    return renamed_nodes(graph.node, natural), [natural.get(info.name, info.name) for info in graph.output]


def _exported(module: torch.nn.Module, inputs: Mapping[str, Shape], outputs: list[str], opset: int) -> GraphProto:
    """What torch's exporter writes."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        # The exporter calls itself deprecated and warns of sizes read while tracing: both are meant here.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            tuple(torch.zeros(shape) for shape in inputs.values()),
            file,  # type: ignore[arg-type]  # a file object works since 1.0, but is not in the annotation
            dynamo=False,
            opset_version=opset,
            input_names=list(inputs),
            output_names=outputs,
            export_params=False,
            do_constant_folding=False,
        )
    return onnx.load_model_from_string(file.getvalue()).graph


def renamed_nodes(
    nodes: Iterable[NodeProto], values: Mapping[str, str], names: Mapping[str, str] | None = None
) -> list[NodeProto]:
    """Copies of the nodes, with other names for the values and nodes that are in the mappings."""
    copies = []
    for node in nodes:
        copy = NodeProto()
        copy.CopyFrom(node)
        for group in (copy.input, copy.output):
            for index, name in enumerate(group):
                if name in values:
                    group[index] = values[name]
        if names and copy.name in names:
            copy.name = names[copy.name]
        copies.append(copy)
    return copies


def _static(
    traced: Sequence[NodeProto],
    tensors: dict[str, np.ndarray],
    inputs: Mapping[str, Shape],
    outputs: Mapping[str, Shape | None],
    opset: int,
) -> StaticNodes:
    """The traced nodes with true shapes and without Identity, Constant, shape arithmetic or dead nodes.

    Weights are typed inputs: inference needs their shapes alone. A PReLU slope in `tensors` is reshaped to
    what its node reads.
    """
    # The exporter makes weights of equal value aliases of one; each keeps its own name here.
    nodes = [node for node in traced if not (node.op_type == "Identity" and node.output[0] in tensors)]
    given = {name: (int(TensorProto.FLOAT), shape) for name, shape in inputs.items()}
    made = {name: (int(TensorProto.FLOAT), shape) for name, shape in outputs.items()}
    constants: dict[str, np.ndarray] = {}
    while True:
        weights = {name: (_type_of(array), array.shape) for name, array in (tensors | constants).items()}
        integers = [numpy_helper.from_array(a, name) for name, a in constants.items() if a.dtype == np.int64]
        model = model_of(nodes, value_infos(given | weights), value_infos(made), opset, initializers=integers)
        model = onnx.shape_inference.infer_shapes(model, strict_mode=True)
        before = len(nodes)
        types = types_of(model)
        nodes = live_nodes(_fold(list(model.graph.node), types, tensors, constants, opset), outputs)
        if len(nodes) == before:
            break
    found = _named(nodes, constants)
    used = {name for node in nodes for name in (*node.input, *node.output)}
    kept = {name: (_type_of(array), array.shape) for name, array in (tensors | found).items()}
    all_types = {name: kind for name, kind in (types | kept).items() if name in used}
    return StaticNodes(tuple(nodes), all_types, found, tuple(outputs))


def _fold(
    nodes: list[NodeProto],
    types: Types,
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
    types = {name: (_type_of(array), array.shape) for name, array in inputs.items()}
    graph = helper.make_graph([node], "constant", value_infos(types), [ValueInfoProto(name=node.output[0])])
    model = helper.make_model(graph, ir_version=IR_VERSIONS[opset], opset_imports=[helper.make_opsetid("", opset)])
    outputs: Any = ReferenceEvaluator(model).run(None, inputs)
    return np.asarray(outputs[0])


def _named(nodes: list[NodeProto], constants: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The constants, named after the node that reads them first: `<node>.<operand>`. Changes the nodes."""
    names: dict[str, str] = {}
    for node in nodes:
        for index, name in enumerate(node.input):
            if name in constants:
                node.input[index] = names.setdefault(name, f"{node.name}.{index}")
    return {new: constants[old] for old, new in names.items()}


def types_of(model: ModelProto) -> Types:
    """Element type and shape of every value of the graph whose shape is known."""
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


def _type_of(array: np.ndarray) -> int:
    return int(helper.np_dtype_to_tensor_dtype(array.dtype))
