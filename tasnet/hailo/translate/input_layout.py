"""Which axis of an input is its height, its width and its channels: inferred from the layers that read it.

ONNX has no layout: a Conv says that axis 1 of its operand is the channels, and no more. A network from TensorFlow
takes NHWC and turns it with a Transpose, or with a Reshape where an axis is 1, before the first Conv. So each axis
is followed through what only moves it, to the first layer that gives it a meaning. Where none does, it is NCHW.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import onnx_ir as ir

from tasnet.hailo.translate.draft import Label, constant, ints, onnx_shape
from tasnet.hailo.translate.errors import NodeError

_LAYOUT = {4: ("N", "C", "H", "W"), 3: ("N", "C", "W"), 2: ("N", "C")}
"""rank -> what ONNX's layers take its axes for"""

_GIVES_MEANING = frozenset(
    {
        "AveragePool",
        "BatchNormalization",
        "Conv",
        "ConvTranspose",
        "DepthToSpace",
        "GlobalAveragePool",
        "GlobalMaxPool",
        "GroupNormalization",
        "InstanceNormalization",
        "LRN",
        "LpPool",
        "MaxPool",
        "SpaceToDepth",
    }
)
_RESHAPES = frozenset({"Flatten", "Reshape", "Squeeze", "Unsqueeze"})
_RESIZES = frozenset({"Concat", "Expand", "Pad", "Resize", "Slice", "Split", "Tile", "Upsample"})
"""ops that change the size of an axis, and leave it where it is"""

_Axis = int | None
"""an axis, the same number wherever it is the same; None for a size of 1, which needs no place"""


@dataclass
class _Axes:
    """Union-find over the axes of all values, with a label per class."""

    parents: list[int] = field(default_factory=list)
    labels: dict[int, str] = field(default_factory=dict)
    of: dict[ir.Value, tuple[_Axis, ...]] = field(default_factory=dict)

    def add(self, shape: tuple[int, ...]) -> tuple[_Axis, ...]:
        """New axes for a value of this shape."""
        made: list[_Axis] = []
        for size in shape:
            made.append(None if size == 1 else len(self.parents))
            if size != 1:
                self.parents.append(len(self.parents))
        return tuple(made)

    def root(self, axis: int) -> int:
        while self.parents[axis] != axis:
            self.parents[axis] = axis = self.parents[self.parents[axis]]
        return axis

    def label(self, axis: _Axis) -> Label:
        return None if axis is None else self.labels.get(self.root(axis))

    def name(self, axis: _Axis, label: str) -> None:
        """The first layer that gives a meaning decides; where another one differs, its own rule says so."""
        if axis is not None:
            self.labels.setdefault(self.root(axis), label)

    def unite(self, one: _Axis, other: _Axis) -> None:
        if one is None or other is None:
            return
        first, second = self.root(one), self.root(other)
        label, other_label = self.labels.get(first), self.labels.get(second)
        if first == second or (label is not None and other_label is not None and label != other_label):
            return
        self.parents[second] = first
        if label is None and other_label is not None:
            self.labels[first] = other_label


def input_layouts(graph: ir.Graph) -> dict[ir.Value, tuple[Label, ...]]:
    """A label per axis of each input, None for a size of 1. Raises NodeError where no place fits."""
    axes = _Axes()
    for value in graph.inputs:
        axes.of[value] = axes.add(onnx_shape(value))
    for node in graph:
        _follow(axes, node)
    return {value: _labels(axes, value) for value in graph.inputs}


def is_onnx_layout(labels: tuple[Label, ...]) -> bool:
    """True where the axes stand in the order that ONNX's layers take for granted."""
    taken = _LAYOUT.get(len(labels), labels)
    return all(label in {None, own} for label, own in zip(labels, taken, strict=True))


def _follow(axes: _Axes, node: ir.Node) -> None:
    operands = [(value, axes.of[value]) for value in node.inputs if value is not None and value in axes.of]
    if not operands:
        return
    source, known = operands[0]
    results = [value for value in node.outputs if value.shape is not None]
    for value in results:
        axes.of[value] = axes.add(onnx_shape(value))
    if not results:
        return
    result, made = results[0], axes.of[results[0]]
    if node.op_type in _GIVES_MEANING and len(known) in _LAYOUT and node.inputs[0] is source:
        for axis, label in zip(known, _LAYOUT[len(known)], strict=True):
            axes.name(axis, label)
        if len(made) == len(known):
            for axis, label in zip(made, _LAYOUT[len(known)], strict=True):
                axes.name(axis, label)
    elif node.op_type == "Transpose":
        order = ints(node, "perm", tuple(reversed(range(len(known)))))
        _unite_all(axes, [known[axis] for axis in order], made)
    elif node.op_type in _RESHAPES:
        before = [(size, axis) for size, axis in zip(onnx_shape(source), known, strict=True) if size != 1]
        after = [(size, axis) for size, axis in zip(onnx_shape(result), made, strict=True) if size != 1]
        if [size for size, _ in before] == [size for size, _ in after]:
            _unite_all(axes, [axis for _, axis in before], [axis for _, axis in after])
    elif node.op_type.startswith("Reduce"):
        given = constant(node, 1)
        named = given.ravel() if given is not None else ints(node, "axes", tuple(range(len(known))))
        gone = {int(axis) % len(known) for axis in named}
        keeps = bool(node.attributes.get_int("keepdims", 1))
        kept = [axis for place, axis in enumerate(known) if keeps or place not in gone]
        if len(kept) == len(made):
            _unite_all(axes, kept, made)
    else:
        _unite_broadcast(axes, node, operands, results)


def _unite_broadcast(
    axes: _Axes, node: ir.Node, operands: list[tuple[ir.Value, tuple[_Axis, ...]]], results: list[ir.Value]
) -> None:
    """Axes of one place from the right are one where their sizes are, or where the op only changes a size."""
    for result in results:
        made, size = axes.of[result], onnx_shape(result)
        for value, known in operands:
            own = onnx_shape(value)
            for place in range(1, min(len(own), len(size)) + 1):
                if own[-place] == size[-place] or (node.op_type in _RESIZES and len(own) == len(size)):
                    axes.unite(known[-place], made[-place])


def _unite_all(axes: _Axes, ones: list[_Axis], others: tuple[_Axis, ...] | list[_Axis]) -> None:
    for one, other in zip(ones, others, strict=True):
        axes.unite(one, other)


def _labels(axes: _Axes, value: ir.Value) -> tuple[Label, ...]:
    shape = onnx_shape(value)
    found = [axes.label(axis) for axis in axes.of[value]]
    for place, (size, own) in enumerate(zip(shape, _LAYOUT[len(shape)], strict=True)):
        if size != 1 and found[place] is None and own not in found:
            found[place] = own
    labels = [label for size, label in zip(shape, found, strict=True) if size != 1]
    if None in labels or len(set(labels)) != len(labels):
        uses = list(value.uses())
        reader = uses[0][0] if uses else None
        text = " ".join(f"{size}:{label or '?'}" for size, label in zip(shape, found, strict=True) if size != 1)
        if reader is not None:
            raise NodeError(
                reader,
                f"input {value.name} {list(shape)} has no one layout (its sizes are read as {text})",
                "feed it as [batch, channels, height, width], and drop what turns it",
            )
    return tuple(found)
