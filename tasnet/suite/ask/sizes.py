"""The sizes of a piece of a graph, and the piece at other sizes: channels, height and width, dilation.

A size is free where it comes in: the axes of an input, the output channels of a convolution, its dilation. All others
follow node by node, and weights take the shapes that their nodes then want. Sizes that would not fit give no graph.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np
from onnx import AttributeProto, NodeProto, defs, helper, numpy_helper, shape_inference

from tasnet.suite.ask.subgraph import Dims, Subgraph, Weight

CHANNELS, WIDTH, HEIGHT, DILATION = "channels", "width", "height", "dilation"

_BY_ELEMENT = frozenset({"Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "PRelu"})
_BY_CHANNEL = frozenset({"BatchNormalization", "InstanceNormalization"})
_NO_WAY = (shape_inference.InferenceError, ValueError, IndexError, ZeroDivisionError, RuntimeError)


@dataclass(frozen=True, order=True)
class FreeSize:
    """A size that can be chosen: of an input's axis, or of a node (by its number), and what it is now."""

    what: str
    input: str = ""
    node: int = -1
    now: int = 1

    @property
    def place(self) -> tuple[object, ...]:
        """Which size it is, whatever it is now."""
        return self.what, self.input, self.node


Sizes = Mapping[FreeSize, int]


def free_sizes(graph: Subgraph) -> tuple[FreeSize, ...]:
    """Every free size above 1: channels, then width, height and dilation."""
    return tuple(each for what in (CHANNELS, WIDTH, HEIGHT, DILATION) for each in _free(graph, what) if each.now > 1)


def resized(graph: Subgraph, sizes: Sizes) -> Subgraph | None:
    """`graph` with these of its free sizes chosen; None where no graph has them together."""
    shapes = {name: _input(graph, name, sizes) for name in graph.inputs}
    weights = dict(graph.weights)
    nodes = []
    try:
        for number, node in enumerate(graph.nodes):
            chosen = {each.what: size for each, size in sizes.items() if each.node == number}
            fitted = _fitted(graph, node, chosen, shapes, weights)
            shapes |= _made(graph, fitted, shapes, weights)
            nodes.append(fitted)
    except _NO_WAY:
        return None
    if any(size < 1 for dims in shapes.values() for size in dims):
        return None
    return replace(graph, nodes=tuple(nodes), shapes=shapes, weights=weights)


def _free(graph: Subgraph, what: str) -> Iterator[FreeSize]:
    for name in graph.inputs:
        axis = _axis(what, len(graph.shapes[name]))
        if axis is not None:
            yield FreeSize(what, input=name, now=graph.shapes[name][axis])
    for number, node in enumerate(graph.nodes):
        if node.op_type not in ("Conv", "ConvTranspose") or node.input[1] not in graph.weights:
            continue
        if what == CHANNELS and not _depthwise(graph, node):
            yield FreeSize(what, node=number, now=graph.shapes[node.output[0]][1])
        if what == DILATION:
            yield FreeSize(what, node=number, now=max(_ints(node, "dilations") or [1]))


def _axis(what: str, rank: int) -> int | None:
    """The axis of N C H W, N C W or N C that it is."""
    if what == CHANNELS:
        return 1 if rank >= 2 else None
    if what == WIDTH:
        return rank - 1 if rank >= 3 else None
    return rank - 2 if what == HEIGHT and rank >= 4 else None


def _input(graph: Subgraph, name: str, sizes: Sizes) -> Dims:
    dims = list(graph.shapes[name])
    for each, size in sizes.items():
        axis = _axis(each.what, len(dims)) if each.input == name else None
        if axis is not None:
            dims[axis] = size
    return tuple(dims)


# --- one node


def _fitted(
    graph: Subgraph,
    node: NodeProto,
    chosen: Mapping[str, int],
    shapes: Mapping[str, Dims],
    weights: dict[str, Weight],
) -> NodeProto:
    """The node as it must be for these inputs; its weights get their new shapes in `weights`."""
    dynamic = next((name for name in node.input if name in shapes), None)
    if dynamic is None:
        return node
    old, new = graph.shapes[dynamic], shapes[dynamic]
    if node.op_type in ("Conv", "ConvTranspose") and node.input[1] in weights:
        return _convolution(graph, node, chosen, new[1], weights)
    if node.op_type in _BY_CHANNEL:
        for name in node.input[1:]:
            weights[name] = _reshaped(weights[name], (new[1],))
    elif node.op_type in _BY_ELEMENT:
        for name in node.input:
            if name in weights:
                weights[name] = _reshaped(weights[name], _aligned(weights[name].dims, old, new))
    elif node.op_type == "MatMul" and node.input[1] in weights:
        weights[node.input[1]] = _reshaped(weights[node.input[1]], (new[-1], *weights[node.input[1]].dims[1:]))
    elif node.op_type == "Split" and old != new:
        return _split(node, old, new, weights)
    return node


def _convolution(
    graph: Subgraph, node: NodeProto, chosen: Mapping[str, int], channels: int, weights: dict[str, Weight]
) -> NodeProto:
    kernel = weights[node.input[1]]
    groups = (_ints(node, "group") or [1])[0]
    made = chosen.get(CHANNELS, graph.shapes[node.output[0]][1])
    if _depthwise(graph, node):
        made = channels * (graph.shapes[node.output[0]][1] // groups)
        groups = channels
    if channels % groups or made % groups:
        raise ValueError("no such groups")
    ends = (made, channels // groups) if node.op_type == "Conv" else (channels, made // groups)
    weights[node.input[1]] = _reshaped(kernel, (*ends, *kernel.dims[2:]))
    if len(node.input) > 2 and node.input[2]:
        weights[node.input[2]] = _reshaped(weights[node.input[2]], (made,))
    changed: dict[str, Sequence[int] | int] = {"group": groups}
    if DILATION in chosen:
        before = _ints(node, "dilations")
        after = [chosen[DILATION] if each == max(before) else each for each in before]
        # SAME padding stays SAME
        scales = zip(_ints(node, "pads"), (*after, *after), (*before, *before), strict=False)
        pads = [pad * now / then for pad, now, then in scales]
        if any(pad != int(pad) for pad in pads):
            raise ValueError("no such padding")
        changed |= {"dilations": after, "pads": [int(pad) for pad in pads]}
    return _with_attributes(node, changed)


def _split(node: NodeProto, old: Dims, new: Dims, weights: dict[str, Weight]) -> NodeProto:
    axis = (_ints(node, "axis") or [0])[0]
    parts = _ints(node, "split")
    if len(node.input) > 1 and node.input[1] in weights:
        values = weights[node.input[1]].values
        parts = [] if values is None else [int(each) for each in values]
    scaled = [part * new[axis] / old[axis] for part in parts]
    if any(part != int(part) or part < 1 for part in scaled):
        raise ValueError("no such parts")
    if len(node.input) > 1 and parts:
        held = weights[node.input[1]]
        weights[node.input[1]] = replace(held, values=np.array(scaled, np.int64))
        return node
    return _with_attributes(node, {"split": [int(part) for part in scaled]}) if parts else node


def _made(
    graph: Subgraph, node: NodeProto, shapes: Mapping[str, Dims], weights: Mapping[str, Weight]
) -> dict[str, Dims]:
    """The shapes of what the node makes, by ONNX's own rules. Raises what doesn't fit."""
    types, data = {}, {}
    for name in filter(None, node.input):
        dims = weights[name].dims if name in weights else shapes[name]
        kind = weights[name].kind if name in weights else graph.kinds[name]
        types[name] = helper.make_tensor_type_proto(kind, dims)
        if name in weights and (values := weights[name].values) is not None:
            data[name] = numpy_helper.from_array(values, name)
    schema = defs.get_schema(node.op_type, graph.opset, node.domain)
    found = shape_inference.infer_node_outputs(
        schema, node, types, data, opset_imports=[helper.make_opsetid("", graph.opset)]
    )
    made = {name: tuple(dim.dim_value for dim in proto.tensor_type.shape.dim) for name, proto in found.items() if name}
    if any(name not in made for name in node.output if name):
        raise ValueError("no shape follows")
    if node.op_type in ("Reshape", "Squeeze", "Unsqueeze") and prod(made[node.output[0]]) != prod(
        shapes[node.input[0]]
    ):
        raise ValueError("another count of elements")
    return made


def _depthwise(graph: Subgraph, node: NodeProto) -> bool:
    groups = (_ints(node, "group") or [1])[0]
    source = graph.shapes.get(node.input[0], ())
    return groups > 1 and len(source) > 1 and groups == source[1]


def _reshaped(weight: Weight, dims: Dims) -> Weight:
    if dims == weight.dims:
        return weight
    if weight.values is not None:
        if weight.values.size != 1:
            raise ValueError("its values are part of the graph")
        return replace(weight, dims=dims, values=np.full(dims, weight.values.reshape(-1)[0]))
    return replace(weight, dims=dims)


def _aligned(dims: Dims, old: Dims, new: Dims) -> Dims:
    """A weight's shape beside a value that goes from `old` to `new`: axes from the last, those of 1 stay."""
    fitted = list(dims)
    for back in range(1, min(len(dims), len(old)) + 1):
        if dims[-back] == old[-back]:
            fitted[-back] = new[-back]
    return tuple(fitted)


def _ints(node: NodeProto, name: str) -> list[int]:
    found = next((each for each in node.attribute if each.name == name), None)
    if found is None:
        return []
    return [found.i] if found.type == AttributeProto.INT else list(found.ints)


def _with_attributes(node: NodeProto, changed: Mapping[str, Sequence[int] | int]) -> NodeProto:
    """The node with those of the attributes that it has at new values."""
    copy = NodeProto()
    copy.CopyFrom(node)
    for each in copy.attribute:
        if each.name in changed:
            each.CopyFrom(helper.make_attribute(each.name, changed[each.name]))
    return copy
