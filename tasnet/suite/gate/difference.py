"""How one HN graph differs from another, layer by layer, and how large both are.

Layers are matched by the names of the ONNX nodes that they came from, or, where a module's insertion has renumbered
those, by their structure in the graph's order: whichever leaves fewer differences.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import Enum
from typing import Any

import numpy as np

from tasnet.hailo.files import Layer, Network, Shape, row_elements, total_figures, widest_shape


class GraphChangeKind(str, Enum):
    """What differs between two graphs, the gravest first."""

    STRUCTURE = "structure"
    """layers, their sizes, or how they are joined"""
    WEIGHTS = "weights"
    """the same layers with other weights"""
    NAMES = "names"
    """the same function bit for bit, with other names of ONNX nodes and weights"""


@dataclass(frozen=True)
class GraphSizes:
    """How large a graph is: MACs and weights as the vendor's profiler counts them, elements of its widest row."""

    layers: int
    macs: int
    weights: int
    widest_row: int
    onnx_bytes: int


GROWN: Mapping[str, str] = {
    "macs": "MACs",
    "weights": "weights",
    "widest_row": "widest row",
    "onnx_bytes": "ONNX bytes",
}
"""the sizes whose growth is limited -> their names for a person"""


@dataclass(frozen=True)
class LayerChange:
    """One layer: `layer` is its name in the HAR (the base's, if it is gone), `node` its first ONNX node's."""

    layer: str
    type: str
    node: str
    what: str
    """`added`, `removed`, or what changed: `out 512 -> 640, row 1,023,488 -> 1,279,360`"""

    @property
    def cause(self) -> str:
        """The change without what varies from block to block and from case to case; equal causes are grouped."""
        # A row follows from the channels, and is another in each layout.
        what = re.sub(r", row .*$", "", self.what)
        return f"{self.type} {re.sub(r'[0-9]+', 'N', self.node) or '(no node)'}: {what}"


@dataclass(frozen=True)
class GraphDifference:
    """How a graph differs from the base's."""

    kind: GraphChangeKind
    layers: tuple[LayerChange, ...]
    before: GraphSizes
    after: GraphSizes

    @property
    def cause(self) -> tuple[str, ...]:
        """Equal for graphs that changed for the same reason."""
        return tuple(sorted({change.cause for change in self.layers})) or (_NO_LAYER_CHANGED[self.kind],)

    def count(self, what: str) -> int:
        """How many layers are `added` or `removed`."""
        return sum(change.what == what for change in self.layers)

    @property
    def grown(self) -> dict[str, float]:
        """Size -> its growth as a share of what it was; below zero for one that shrank."""
        return {name: _share(getattr(self.before, name), getattr(self.after, name)) for name in GROWN}


_NO_LAYER_CHANGED = {
    GraphChangeKind.STRUCTURE: "no layer is other; the graph's outputs are",
    GraphChangeKind.WEIGHTS: "weights alone",
    GraphChangeKind.NAMES: "names alone",
}


def graph_sizes(network: Network, onnx_bytes: int) -> GraphSizes:
    """The sizes of a graph; the caller gives the bytes of its ONNX file with its weights."""
    counted = total_figures(network)
    rows = max((row_elements(widest_shape(layer)) for layer in network), default=0)
    return GraphSizes(len(network.layers), counted.macs, counted.weights, rows, onnx_bytes)


def graph_difference(
    before: Network, after: Network, onnx_bytes: tuple[int, int], weights: Callable[[], tuple[Network, Network]]
) -> GraphDifference:
    """How `after` differs from `before`; the ONNX bytes of both go into their sizes.

    `weights` gives the two with their weights, and is asked where the layers are the same: reading them takes longer
    than all else here.
    """
    layers, pairs = _matched_layers(before, after)
    old, new = (graph_sizes(each, size) for each, size in zip((before, after), onnx_bytes, strict=True))
    if layers or len(before.output_layers) != len(after.output_layers):
        return GraphDifference(GraphChangeKind.STRUCTURE, layers, old, new)
    one, other = weights()
    # A HAR without its weights can't say that they are the same.
    known = bool(one.weights and other.weights) or not old.weights
    same = known and all(_same_weights(one, other, was.name, now.name) for was, now in pairs)
    return GraphDifference(GraphChangeKind.NAMES if same else GraphChangeKind.WEIGHTS, (), old, new)


_Pairs = list[tuple[Layer, Layer]]


def _matched_layers(before: Network, after: Network) -> tuple[tuple[LayerChange, ...], _Pairs]:
    """The layers that differ in the order of `after`, those that are gone last; and the layers that were matched."""
    ways = [(_changes(before, after, pairs), pairs) for pairs in (_by_node(before, after), _by_order(before, after))]
    # Of two matchings with as many changed layers the one that adds and removes less.
    return min(ways, key=lambda way: (len(way[0]), sum(each.what in ("added", "removed") for each in way[0])))


def _changes(before: Network, after: Network, pairs: _Pairs) -> tuple[LayerChange, ...]:
    old_of = {new.name: old for old, new in pairs}
    new_of = {old.name: new.name for old, new in pairs}
    found = []
    for layer in after:
        old = old_of.get(layer.name)
        what = ", ".join(_phrases(old, layer, new_of)) if old else "added"
        if what:
            found.append(_change(layer, what))
    found += [_change(layer, "removed") for layer in before if layer.name not in new_of]
    return tuple(found)


def _change(layer: Layer, what: str) -> LayerChange:
    return LayerChange(layer.name, layer.type, layer.original_names[0] if layer.original_names else "", what)


def _by_node(before: Network, after: Network) -> _Pairs:
    """Pairs of layers of one type from the same ONNX nodes; if there are several, in their order."""
    old: dict[tuple[str, ...], list[Layer]] = {}
    for layer in before:
        old.setdefault((layer.type, *layer.original_names), []).append(layer)
    pairs = []
    for layer in after:
        if those := old.get((layer.type, *layer.original_names)):
            pairs.append((those.pop(0), layer))
    return pairs


def _by_order(before: Network, after: Network) -> _Pairs:
    """Pairs of layers at the same place in the graph's order: equal ones, then between those layers of one type."""
    pairs = []
    first = SequenceMatcher(None, [_structure(each) for each in before], [_structure(each) for each in after], False)
    for tag, a, b, c, d in first.get_opcodes():
        old, new = before.layers[a:b], after.layers[c:d]
        if tag == "equal":
            pairs += [*zip(old, new, strict=True)]
        else:
            second = SequenceMatcher(None, [each.type for each in old], [each.type for each in new], False)
            pairs += [
                (old[block.a + step], new[block.b + step])
                for block in second.get_matching_blocks()
                for step in range(block.size)
            ]
    return pairs


def _structure(layer: Layer) -> str:
    return repr((layer.type, layer.input_shapes, layer.output_shape, sorted(layer.params.items())))


def _phrases(old: Layer, new: Layer, new_of: Mapping[str, str]) -> Iterator[str]:
    """What changed about a layer, a phrase each."""
    ins = [sum(shape[3] for shape in layer.input_shapes) for layer in (old, new)]
    yield from _arrow("in", *ins)
    yield from _arrow("out", old.output_shape[3], new.output_shape[3])
    yield from _arrow("kernel", *("x".join(map(str, layer.kernel)) for layer in (old, new)))
    kernels = {"kernel_shape"}
    for name in sorted({*old.params, *new.params} - kernels):
        yield from _arrow(name, _text(old.params.get(name)), _text(new.params.get(name)))
    if ins[0] == ins[1] and old.output_shape[3] == new.output_shape[3] and old.kernel == new.kernel:
        # A change of the kernel that no other phrase names: channels of a group, a fully connected layer.
        yield from _arrow("kernel shape", *(_text(layer.params.get("kernel_shape")) for layer in (old, new)))
    if [new_of.get(name) for name in old.inputs] != list(new.inputs) and len(old.inputs) == len(new.inputs):
        yield from _rewired(old, new, new_of)
    yield from _arrow("inputs", len(old.inputs), len(new.inputs))
    yield from _arrow("size", _plane(old.output_shape), _plane(new.output_shape))
    yield from _arrow("row", f"{row_elements(widest_shape(old)):,}", f"{row_elements(widest_shape(new)):,}")


def _rewired(old: Layer, new: Layer, new_of: Mapping[str, str]) -> Iterator[str]:
    """Inputs that come from another layer than before. An input from an added layer is part of that change."""
    known = {*new_of.values()}
    moved = [
        source
        for was, source in zip(old.inputs, new.inputs, strict=True)
        if was in new_of and source in known and new_of[was] != source
    ]
    if moved:
        yield f"reads {', '.join(moved)}"


def _arrow(name: str, old: Any, new: Any) -> Iterator[str]:
    if old != new:
        yield f"{name} {old} -> {new}"


def _plane(shape: Shape) -> str:
    return f"{shape[1]}x{shape[2]}"


def _text(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "x".join(map(str, value))
    return "none" if value is None else str(value)


def _same_weights(before: Network, after: Network, old: str, new: str) -> bool:
    arrays = [_weights(before, old), _weights(after, new)]
    return arrays[0].keys() == arrays[1].keys() and all(
        np.array_equal(array, arrays[1][name]) for name, array in arrays[0].items()
    )


def _weights(network: Network, layer: str) -> dict[str, Any]:
    prefix = f"{network.name}/{layer}/"
    return {name.removeprefix(prefix): array for name, array in network.weights.items() if name.startswith(prefix)}


def _share(before: int, after: int) -> float:
    if before == after:
        return 0.0
    return after / before - 1 if before else float("inf")


def layer_types(changes: Sequence[LayerChange]) -> str:
    """`2 conv, 1 ew_add`: how many layers of each type."""
    counts = Counter(change.type for change in changes)
    return ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
