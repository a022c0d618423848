"""What a graph asks of the chip: its kinds of layers and their sizes, by what the constraints measure.

Nothing else of a graph is kept: no names, no weights, no place of a layer among the others. Of each kind only the
demands remain that no other demand of the graph covers, and the count of the layers at work.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from math import prod
from typing import Any

from tasnet.hailo.files import Layer, Network, row_elements, widest_shape
from tasnet.hailo.predict.layer_controllers import NO_WORK
from tasnet.hailo.predict.layer_needs import memory_units, mixes_positions

SIZES = (
    "height",
    "width",
    "row_elements",
    "channels_in",
    "channels_out",
    "taps",
    "dilation",
    "memory_units",
)
"""what the numbers of `Demand.sizes` count; `memory_units` is 0 where rows can be folded"""
LINEAR = "linear"
"""the activation of a layer without one"""


@dataclass(frozen=True, order=True)
class LayerKind:
    """What of a layer is not a size. `kernel` and `strides` say along which axes they are above 1."""

    type: str
    layout: str
    """row (one pixel high), column (one wide), pixel or image: of the shape with the widest row"""
    kernel: str
    strides: str
    grouped: bool
    activation: str

    @property
    def bare(self) -> LayerKind:
        """The kind without its activation."""
        return self if self.activation == LINEAR else replace(self, activation=LINEAR)

    @property
    def text(self) -> str:
        """Such as `conv 1x1 column leaky`."""
        words = [self.type, _KERNELS[self.kernel] if self.type in _WITH_KERNEL else "", self.layout]
        words += ["strided"] * bool(self.strides) + ["grouped"] * self.grouped
        return " ".join(filter(None, [*words, self.activation if self.activation != LINEAR else ""]))


SEEN_KIND = LayerKind("conv", "row", "", "", False, LINEAR)
"""what was seen to compile alone: SEEN_POINTWISE has its sizes"""


@dataclass(frozen=True, order=True)
class Demand:
    """A kind of layer at a size. `sizes` are in the order of SIZES."""

    kind: LayerKind
    sizes: tuple[int, ...]

    def covers(self, other: Demand) -> bool:
        """Whether this is the same kind at no smaller a size; a layer without activation is no harder than with one."""
        return other.kind in {self.kind, self.kind.bare} and all(
            mine >= its for mine, its in zip(self.sizes, other.sizes, strict=True)
        )

    def size(self, name: str) -> int:
        """One of SIZES."""
        return self.sizes[SIZES.index(name)]


@dataclass(frozen=True)
class Demands:
    """What a graph asks: the demands that none of its others covers, in order, and its layers at work."""

    layers: tuple[Demand, ...]
    layers_at_work: int

    @property
    def widest_row(self) -> int:
        """Elements of the widest row; 0 for a graph without layers at work."""
        return max((each.size("row_elements") for each in self.layers), default=0)


_KIND = tuple(each.name for each in fields(LayerKind))
_WITH_KERNEL = frozenset({"conv", "dw", "deconv"})
_KERNELS = {"": "1x1", "h": "kx1", "w": "1xk", "hw": "kxk"}


def demands_of(network: Network | Iterable[Layer]) -> Demands:
    """What the layers at work ask together."""
    working = [layer for layer in network if layer.type not in NO_WORK]
    found = {demand_of(layer) for layer in working}
    kept = [each for each in found if not any(other != each and other.covers(each) for other in found)]
    return Demands(tuple(sorted(kept)), len(working))


def demand_of(layer: Layer) -> Demand:
    """What one layer at work asks."""
    shapes = (*layer.input_shapes, *layer.output_shapes)
    height, width = max(each[1] for each in shapes), max(each[2] for each in shapes)
    # What the HN writes of kernels, strides and groups beside other types is the vendor's bookkeeping.
    params = layer.params if layer.type in _WITH_KERNEL else {}
    kernel = layer.kernel if params else (1, 1)
    kind = LayerKind(
        layer.type,
        _layout(height, width),
        _axes(kernel),
        _axes([int(each) for each in params.get("strides", (1, 1, 1, 1))[1:3]]),
        int(params.get("groups", 1)) > 1,
        str(layer.params.get("activation") or LINEAR),
    )
    sizes = (
        height,
        width,
        row_elements(widest_shape(layer)),
        sum(each[3] for each in layer.input_shapes),
        max(each[3] for each in layer.output_shapes),
        prod(kernel),
        max(int(each) for each in params.get("dilations", (1, 1, 1, 1))),
        memory_units(layer) if mixes_positions(layer) and layer.input_shapes else 0,
    )
    return Demand(kind, sizes)


def _layout(height: int, width: int) -> str:
    if height == 1:
        return "pixel" if width == 1 else "row"
    return "column" if width == 1 else "image"


def _axes(numbers: Iterable[int]) -> str:
    """Along which of height and width a number is above 1."""
    return "".join(axis for axis, number in zip("hw", numbers, strict=True) if number > 1)


def demands_json(demands: Demands) -> dict[str, Any]:
    """The demands as JSON, such as a reviewable file or a store's note keeps; sizes by name."""
    return {
        "layers_at_work": demands.layers_at_work,
        "layers": [
            {**asdict(each.kind), **dict(zip(SIZES, each.sizes, strict=True))} for each in sorted(demands.layers)
        ],
    }


def demands_from_json(content: Any) -> Demands:
    """The demands that `demands_json` gave. Raises ValueError, one line, for anything that it wouldn't give."""
    try:
        layers = tuple(
            Demand(LayerKind(**{name: each[name] for name in _KIND}), tuple(each[name] for name in SIZES))
            for each in content["layers"]
        )
        found = Demands(layers, content["layers_at_work"])
        numbers = (found.layers_at_work, *(size for each in layers for size in each.sizes))
        if demands_json(found) == content and {type(each) for each in numbers} == {int}:
            return found
    except (KeyError, TypeError):
        pass
    raise ValueError("not the demands of a graph")
