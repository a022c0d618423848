"""Sources on an axis of their own, or on the batch -> sources side by side on the channels, as the chip must have them.

PyTorch's separators split the mask's channels [1, S * N, T] into [1, S, N, T], multiply by the mixture [1, 1, N, T],
and decode [S, N, T] as a batch. An HN's batch is free and it has one axis of channels: so the mixture is repeated S
times, and the decoder has S groups with the same weights. Exactly the same function; that the vendor reads such a
file was not observed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from tasnet.hailo.translate.draft import onnx_shape

_ELEMENTWISE = frozenset({"Clip", "Dropout", "Elu", "HardSigmoid", "Identity", "LeakyRelu", "Relu", "Sigmoid", "Tanh"})
_BINARY = frozenset({"Add", "Div", "Mul", "Sub"})
_RESHAPES = frozenset({"Flatten", "Reshape", "Squeeze", "Unsqueeze"})


@dataclass(frozen=True)
class _Split:
    """A value with `count` sources on an axis: the same numbers as `flat`, [1, count * N, …]."""

    flat: ir.Value
    count: int


def gather_sources(graph: ir.Graph) -> tuple[str, ...]:
    """Rewrite in place what follows a split of the channels, up to where they are joined again.

    Returns the names of the nodes that split. What can't be followed is left, and its Reshape is refused by its rule.
    """
    splits: dict[ir.Value, _Split] = {}
    names: list[str] = []
    for node in list(graph):
        value = node.inputs[0] if node.inputs else None
        if value is None or node.domain not in {"", "ai.onnx"}:
            continue
        if node.op_type in _RESHAPES and value not in splits:
            count = _source_count(onnx_shape(value), onnx_shape(node.outputs[0]))
            if count > 1:
                splits[node.outputs[0]] = _Split(value, count)
                names.append(node.name or "")
        elif node.op_type in _RESHAPES:
            _follow_reshape(node, splits, splits[value])
        elif node.op_type in _ELEMENTWISE and value in splits:
            _repeat_on_channels(graph, node, [splits[value].flat, *node.inputs[1:]], splits, splits[value].count)
        elif node.op_type in _BINARY and any(each in splits for each in node.inputs):
            _gather_binary(graph, node, splits)
        elif node.op_type == "ConvTranspose" and value in splits and onnx_shape(value)[0] == splits[value].count:
            _gather_decoder(graph, node, splits)
    return tuple(names)


def _source_count(source: tuple[int, ...], target: tuple[int, ...]) -> int:
    """The sources that [1, S * N, …] -> [1, S, N, …] or [S, N, …] tells apart; 0 for another reshape."""
    rest = target[1:] if target[:1] == (1,) else target
    if len(source) < 3 or source[0] != 1 or len(rest) != len(source) or rest[2:] != source[2:]:
        return 0
    return rest[0] if rest[1] > 1 and rest[0] * rest[1] == source[1] else 0


def _follow_reshape(node: ir.Node, splits: dict[ir.Value, _Split], split: _Split) -> None:
    """Sources move between the batch and an axis of their own, or back to the channels, without moving data."""
    shape, flat = onnx_shape(node.outputs[0]), onnx_shape(split.flat)
    moving = [size for size in shape if size != 1]
    if moving == [size for size in flat if size != 1]:
        node.replace_input_with(0, split.flat)
    elif moving == [size for size in (split.count, flat[1] // split.count, *flat[2:]) if size != 1]:
        splits[node.outputs[0]] = split


def _gather_binary(graph: ir.Graph, node: ir.Node, splits: dict[ir.Value, _Split]) -> None:
    found = [splits[each] for each in node.inputs if each is not None and each in splits]
    first, count = found[0], found[0].count
    shape = onnx_shape(node.outputs[0])
    if any(each.count != count or each.flat.shape != first.flat.shape for each in found) or shape[:2] != (1, count):
        return
    channels = onnx_shape(first.flat)[1] // count
    operands: list[ir.Value] = []
    for each in node.inputs:
        if each is None or each.shape is None:
            return
        if each in splits:
            operands.append(splits[each].flat)
            continue
        own = onnx_shape(each)
        if each.const_value is not None or own[:3] != (1, 1, channels) or len(own) != len(shape):
            return
        once = _insert_node(graph, node, "Reshape", [each], (1, channels, *own[3:]), "")
        operands.append(
            _insert_node(graph, node, "Concat", [once] * count, (1, count * channels, *own[3:]), node.name or "")
        )
    _repeat_on_channels(graph, node, operands, splits, count)


def _gather_decoder(graph: ir.Graph, node: ir.Node, splits: dict[ir.Value, _Split]) -> None:
    """A decoder on a batch of sources -> one group of it a source, all with its weights."""
    value = node.inputs[0]
    constants = [each.const_value if each is not None else None for each in node.inputs[1:]]
    if value is None or any(each is None for each in constants):
        return
    split = splits[value]
    flat, batch = onnx_shape(split.flat), onnx_shape(value)
    if batch[0] != split.count or batch[1] * split.count != flat[1]:
        return
    tiled: list[ir.Value] = []
    for each in constants:
        assert each is not None
        array = np.concatenate([each.numpy()] * split.count)
        tiled.append(ir.Value(name=f"{each.name}_per_source", shape=ir.Shape(array.shape), type=value.type))
        tiled[-1].const_value = ir.Tensor(array)
    count = node.attributes.get_int("group", 1) * split.count
    made = _repeat_on_channels(graph, node, [split.flat, *tiled], splits, split.count)
    made.attributes["group"] = ir.AttrInt64("group", count)


def _repeat_on_channels(
    graph: ir.Graph,
    node: ir.Node,
    operands: list[ir.Value | None] | list[ir.Value],
    splits: dict[ir.Value, _Split],
    count: int,
) -> ir.Node:
    """The node again, on operands with the sources on the channels; the old one is removed once nothing reads it."""
    shape = onnx_shape(node.outputs[0])
    parts = shape if shape[0] == count else shape[1:]
    flat = _insert_node(
        graph, node, node.op_type, list(operands), (1, parts[0] * parts[1], *parts[2:]), node.name or ""
    )
    splits[node.outputs[0]] = _Split(flat, count)
    made = flat.producer()
    assert made is not None
    made.attributes.update(node.attributes)
    return made


def _insert_node(
    graph: ir.Graph,
    before: ir.Node,
    op: str,
    operands: list[ir.Value | None] | list[ir.Value],
    shape: tuple[int, ...],
    name: str,
) -> ir.Value:
    made = ir.Value(name=f"{before.outputs[0].name}_flat_{op}", shape=ir.Shape(shape), type=before.outputs[0].type)
    attributes = [ir.AttrInt64("axis", 1)] if op == "Concat" else []
    graph.insert_before(before, ir.Node("", op, operands, attributes, outputs=[made], name=name))
    return made
