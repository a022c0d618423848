"""Any of a graph's nodes as a graph of their own: what is to be shown to a toolchain, and to its vendor.

A `Subgraph` holds nodes, shapes and what is known of its weights, but no weight and, once written, no name of whoever
made it: `to_model` numbers everything and draws the weights from their shapes alone, so that equal pieces give equal
bytes. Integers, bounds and exponents belong to the graph's structure and stay as they are.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

Dims = tuple[int, ...]

_STRUCTURE: Mapping[str, frozenset[int]] = {
    "Pad": frozenset({2}),
    "Clip": frozenset({1, 2}),
    "Resize": frozenset({1, 2}),
    "Upsample": frozenset({1}),
    "Pow": frozenset({1}),
    "Max": frozenset(range(8)),
    "Min": frozenset(range(8)),
}
"""Op -> the inputs whose floats say what the op does, beside all that are no floats; a vector there is a weight."""

_FROM_INPUTS = frozenset({"Conv", "ConvTranspose", "MatMul", "Gemm"})
"""ops whose weights are drawn the smaller the more inputs they add up"""


@dataclass(frozen=True)
class Weight:
    """What is known of an initializer: its shape and type, its values where they are structure, else none.

    `alike` is true where all its elements are one number: such a slope or scale may be read as another layer.
    """

    dims: Dims
    kind: int
    """a TensorProto.DataType"""
    values: np.ndarray | None = None
    alike: bool = False


@dataclass(frozen=True)
class Subgraph:
    """Nodes in an order in which they can run, and what they read and make. Shapes are ONNX's, N C H W."""

    nodes: tuple[NodeProto, ...]
    shapes: Mapping[str, Dims]
    """of every value that a node reads or makes, weights excepted"""
    kinds: Mapping[str, int]
    """of the same: a TensorProto.DataType"""
    weights: Mapping[str, Weight]
    opset: int
    ir_version: int

    @property
    def inputs(self) -> tuple[str, ...]:
        """What is read and neither made here nor a weight, in the order in which it is read."""
        made = {name for node in self.nodes for name in node.output}
        read = (name for node in self.nodes for name in node.input if name)
        return tuple(dict.fromkeys(name for name in read if name not in made and name not in self.weights))

    @property
    def outputs(self) -> tuple[str, ...]:
        """What is made and not read here, in the order in which it is made."""
        read = {name for node in self.nodes for name in node.input}
        return tuple(name for node in self.nodes for name in node.output if name and name not in read)

    @property
    def usable(self) -> bool:
        """Whether it can be asked about: it reads something, makes something, and both are float32."""
        ends = (*self.inputs, *self.outputs)
        floats = all(self.kinds.get(name) == TensorProto.FLOAT and name in self.shapes for name in ends)
        return bool(self.nodes) and bool(self.inputs) and bool(self.outputs) and floats


def subgraph_of(model: onnx.ModelProto) -> Subgraph:
    """The whole of a settled model: every shape known, constants among the initializers, no functions."""
    graph = model.graph
    given = {each.name: each for each in graph.initializer}
    values = [each for each in (*graph.input, *graph.value_info, *graph.output) if each.name not in given]
    structure = {
        node.input[index]
        for node in graph.node
        for index in _STRUCTURE.get(node.op_type, ())
        if index < len(node.input)
    }
    return Subgraph(
        tuple(graph.node),
        {each.name: tuple(dim.dim_value for dim in each.type.tensor_type.shape.dim) for each in values},
        {each.name: each.type.tensor_type.elem_type for each in values},
        {name: _weight(tensor, name in structure) for name, tensor in given.items()},
        next((each.version for each in model.opset_import if each.domain in ("", "ai.onnx")), 13),
        model.ir_version,
    )


def with_nodes(whole: Subgraph, kept: Iterable[int]) -> Subgraph:
    """The nodes of these numbers alone; what the others made is read from outside."""
    return replace(whole, nodes=tuple(whole.nodes[index] for index in sorted(set(kept))))


def shortcuts(graph: Subgraph) -> tuple[Subgraph, ...]:
    """The graphs in which the readers of one value read an earlier one of its shape, from which it comes.

    What lay between is gone, unless an output depends on it otherwise. The shortest come first.
    """
    above: dict[str, set[str]] = {}
    for node in graph.nodes:
        read = {name for name in node.input if name in graph.shapes}
        reached = read.union(*(above.get(name, set()) for name in read))
        above |= dict.fromkeys(node.output, reached)
    outputs = set(graph.outputs)
    found = []
    for value, sources in above.items():
        for source in sorted(sources):
            if value not in outputs and graph.shapes[source] == graph.shapes.get(value):
                nodes = _live([_reading(node, value, source) for node in graph.nodes], outputs)
                found.append(replace(graph, nodes=tuple(nodes)))
    return tuple(sorted(found, key=lambda each: len(each.nodes)))


def _reading(node: NodeProto, value: str, source: str) -> NodeProto:
    """The node with `source` in the place of `value`."""
    if value not in node.input:
        return node
    copy = NodeProto()
    copy.CopyFrom(node)
    copy.input[:] = [source if name == value else name for name in node.input]
    return copy


def _live(nodes: Sequence[NodeProto], outputs: Collection[str]) -> list[NodeProto]:
    needed, kept = set(outputs), []
    for node in reversed(nodes):
        if not needed.isdisjoint(node.output):
            kept.append(node)
            needed.update(node.input)
    return kept[::-1]


def to_model(graph: Subgraph, names: Sequence[str] = ("input", "output")) -> onnx.ModelProto:
    """An ONNX model with drawn weights, everything in it named by kind and number. Equal graphs give equal bytes."""
    inputs, outputs = graph.inputs, graph.outputs
    called = {name: f"{names[0]}{number}" for number, name in enumerate(inputs, 1)}
    called |= {name: f"{names[1]}{number}" for number, name in enumerate(outputs, 1)}
    read = tuple(dict.fromkeys(name for node in graph.nodes for name in node.input if name in graph.weights))
    called |= {name: f"weight{number}" for number, name in enumerate(read, 1)}
    nodes = []
    for number, node in enumerate(graph.nodes, 1):
        for name in node.output:
            if name and name not in called:
                called[name] = f"value{number}" + (f"_{node.output[:].index(name)}" if len(node.output) > 1 else "")
        plain = NodeProto(op_type=node.op_type, domain=node.domain, name=f"{node.op_type}_{number}")
        plain.input.extend(called.get(name, "") for name in node.input)
        plain.output.extend(called.get(name, "") for name in node.output)
        plain.attribute.extend(node.attribute)
        for attribute in plain.attribute:
            attribute.ClearField("doc_string")
        nodes.append(plain)
    role = {name: (node.op_type, index) for node in graph.nodes for index, name in enumerate(node.input)}
    tensors = [numpy_helper.from_array(drawn(graph.weights[name], *role[name]), called[name]) for name in read]
    inner = [name for node in graph.nodes for name in node.output if name in graph.shapes and name not in outputs]
    made = helper.make_graph(
        nodes,
        "isolated",
        _infos(graph, inputs, called),
        _infos(graph, outputs, called),
        tensors,
        value_info=_infos(graph, inner, called),
    )
    model = helper.make_model(made, producer_name="tasnet", opset_imports=[helper.make_opsetid("", graph.opset)])
    model.ir_version = graph.ir_version
    return model


def drawn(weight: Weight, op: str, place: int) -> np.ndarray:
    """The values of a weight that the op reads at this place of its inputs: its own where they are structure.

    Otherwise positive numbers of a size at which sums and roots stay in range, the same for the same shape.
    """
    if weight.values is not None:
        return weight.values
    seed = zlib.crc32(f"{op} {place} {weight.dims}".encode())
    random = np.random.default_rng(seed)
    dtype = helper.tensor_dtype_to_np_dtype(weight.kind)
    if weight.alike:
        return np.full(weight.dims, random.uniform(0.1, 0.9), dtype)
    if op in _FROM_INPUTS and place == 1:
        added = max(1, int(np.prod(weight.dims[1:] if op == "Conv" else weight.dims[:1])))
        return random.normal(0, added**-0.5, weight.dims).astype(dtype)
    return random.uniform(0.1, 0.9, weight.dims).astype(dtype)


def _weight(tensor: TensorProto, structure: bool) -> Weight:
    dims = tuple(tensor.dims)
    values = numpy_helper.to_array(tensor)
    floats = np.issubdtype(values.dtype, np.floating)
    # 0 and 1 are nobody's, and a rule may look for them
    plain = values.size == 1 and (structure or values.reshape(-1)[0] in (0, 1))
    if not floats or plain or values.size == 0:
        return Weight(dims, tensor.data_type, values)
    return Weight(dims, tensor.data_type, None, bool(values.size == 1 or np.all(values == values.reshape(-1)[0])))


def _infos(graph: Subgraph, names: Collection[str], called: Mapping[str, str]) -> list[onnx.ValueInfoProto]:
    return [helper.make_tensor_value_info(called[name], graph.kinds[name], graph.shapes[name]) for name in names]
