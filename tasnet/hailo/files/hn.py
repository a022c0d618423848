"""The HN graph: layers, shapes and figures as Hailo's own files carry them, and their JSON.

Read off files that Dataflow Compiler 3.33.0 wrote (a small CNN and a 1179-layer Conv-TasNet, state Parsed).
All shapes are NHWC with a free batch: `(-1, H, W, C)`. Weights are float32 arrays keyed as in the HAR's npz:
`<scope>/<layer>/kernel:0` in HWIO `[kh, kw, cin, cout]` (depthwise `[kh, kw, c, 1]`), `<scope>/<layer>/bias:0`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from math import isfinite
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from tasnet.common import open_regular, printable, read_text
from tasnet.hailo.files.hn_checks import MAX_AXIS_SIZE, HNError, check_network

Shape = tuple[int, int, int, int]
"""`(-1, H, W, C)`"""

Weights = Mapping[str, npt.NDArray[np.float32]]

_DOUBLE_SCALE = frozenset({"dw", "normalization", "ew_add", "ew_sub", "ew_mult", "feature_multiplier"})
_NO_PARAMS = frozenset({"shortcut"})


MAX_HN_BYTES = 1 << 24
"""bytes of an `.hn`: the 1179-layer Conv-TasNet takes less than 2 MB"""


@dataclass(frozen=True)
class Layer:
    """One layer of the graph. `name`, `inputs` and `outputs` are without scope.

    `outputs` are the consumers' names, in the order in which the vendor lists them; `input_shapes` has one
    shape per input, `output_shapes` repeats the one output shape once per consumer, at least once; of a
    `feature_splitter` each consumer reads the part at its place (the layer is observed, this reading of it is not).
    """

    name: str
    type: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    input_shapes: tuple[Shape, ...]
    output_shapes: tuple[Shape, ...]
    original_names: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def output_shape(self) -> Shape:
        """The shape of the layer's result, `(-1, H, W, C)`; of a `feature_splitter` that of its first part."""
        return self.output_shapes[0]

    @property
    def kernel(self) -> tuple[int, int]:
        """(kh, kw) of a layer with a kernel, (1, 1) of any other."""
        shape = self.params.get("kernel_shape")
        if not isinstance(shape, list | tuple) or len(shape) != 4:
            return (1, 1)
        pooled = self.type in {"maxpool", "avgpool"}
        return (int(shape[1]), int(shape[2])) if pooled else (int(shape[0]), int(shape[1]))


class AssumptionKind(str, Enum):
    """What kind of thing was assumed where a graph was read."""

    RANK = "rank"
    """an input that is not rank 4 was given a height or a width of 1"""
    AXIS_ORDER = "door"
    """an input or output has another order of axes than ONNX's N C H W; `door` is its name in stored HARs"""
    SOURCES = "sources"
    """sources on an axis of their own were gathered on the channels"""
    UNUSED = "unused"
    """an input that no output depends on was left out"""


@dataclass(frozen=True)
class Assumption:
    """One thing that was assumed about a graph, and that no file of the vendor's shows."""

    kind: AssumptionKind
    text: str
    """one line: what, of which input or output"""


@dataclass(frozen=True)
class Network:
    """A graph and its weights. `name` is the model name and the one scope."""

    name: str
    layers: tuple[Layer, ...]
    output_layers: tuple[str, ...]
    """the last real layers, in the order of the model's outputs"""
    weights: Weights = field(default_factory=lambda: MappingProxyType({}))
    assumptions: tuple[Assumption, ...] = ()

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def layer(self, name: str) -> Layer:
        """The layer of that name; KeyError if there is none."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(name)

    def weight(self, layer: str, what: str) -> npt.NDArray[np.float32] | None:
        """The array `what` (`kernel`, `bias`, ...) of a layer, or None if it has none."""
        return self.weights.get(f"{self.name}/{layer}/{what}:0")


@dataclass(frozen=True)
class Figures:
    """Per-layer figures as the vendor's profiler counts them, per frame: weights, MACs and operations."""

    weights: int = 0
    macs: int = 0
    ops: int = 0

    def __add__(self, other: Figures) -> Figures:
        return Figures(self.weights + other.weights, self.macs + other.macs, self.ops + other.ops)


def figures_of(layer: Layer) -> Figures:
    """The figures of one layer, by the profiler's formulas (bias counted whether the model has one or not)."""
    _, height, width, channels = layer.output_shape
    pixels = height * width
    shape = [int(v) for v in layer.params.get("kernel_shape", ())]
    if layer.type == "conv":
        taps = shape[0] * shape[1] * shape[2] // int(layer.params.get("groups", 1))
        return Figures(taps * channels + channels, pixels * channels * (taps + 1), 2 * pixels * channels * taps)
    if layer.type == "dw":
        taps = shape[0] * shape[1]
        return Figures(taps * channels + channels, pixels * channels * (taps + 1), 2 * pixels * channels * taps)
    if layer.type == "deconv":
        kernel = shape[0] * shape[1] * shape[2] * shape[3] // int(layer.params.get("groups", 1))
        return Figures(kernel + channels, pixels * (kernel + channels), 2 * pixels * kernel)
    if layer.type == "dense":
        kernel = shape[0] * shape[1]
        return Figures(kernel + shape[1], kernel, 2 * kernel)
    if layer.type.startswith("ew_") or layer.type == "feature_multiplier":
        return Figures(0, pixels * channels // 2, pixels * channels)
    if layer.type == "normalization":
        return Figures(0, pixels * channels, 2 * pixels * channels)
    if layer.type == "reduce_mean":
        reduced = layer.input_shapes[0][3]
        return Figures(0, pixels * (reduced + 1) // 2, pixels * (reduced + 1))
    return Figures()


def total_figures(network: Network) -> Figures:
    """The sum of all layers' figures."""
    return sum((figures_of(layer) for layer in network), Figures())


def hn_dict(network: Network) -> dict[str, Any]:
    """The HN as the JSON object that stands in a HAR's `.hn` member."""

    def scoped(name: str) -> str:
        return f"{network.name}/{name}"

    layers: dict[str, Any] = {}
    for layer in network:
        entry: dict[str, Any] = {
            "type": layer.type,
            "input": [scoped(n) for n in layer.inputs],
            "output": [scoped(n) for n in layer.outputs],
            "input_shapes": [list(s) for s in layer.input_shapes],
            "output_shapes": [list(s) for s in layer.output_shapes],
        }
        if layer.type != "shortcut":
            entry["original_names"] = list(layer.original_names)
        entry["compilation_params"] = {"hw_layer_type_list": ["lcu"]} if layer.type == "resize" else {}
        double = layer.type in _DOUBLE_SCALE
        entry["quantization_params"] = {
            "quantization_groups": 1,
            "precision_mode": "a8_w8_a8",
            "bias_mode": "double_scale_initialization" if double else "single_scale_decomposition",
        }
        if layer.type in {"input_layer", "output_layer"}:
            entry.update(layer.params)
        elif layer.type not in _NO_PARAMS:
            entry["params"] = dict(layer.params)
        layers[scoped(layer.name)] = entry
    return {
        "name": network.name,
        "net_params": {
            "version": "1.0",
            "stage": "HN",
            "clusters_placement": [[]],
            "clusters_to_skip": [],
            "output_layers_order": [scoped(n) for n in network.output_layers],
            "is_transformer": False,
            "transposed_net": False,
            "net_scopes": [network.name],
            "lora_adapters": [],
        },
        "layers": layers,
    }


def dumps(network: Network) -> str:
    """The HN's JSON text, the same for the same graph."""
    # Without an indent: json's indenting encoder is plain Python and takes ten times as long.
    return json.dumps(hn_dict(network))


def is_hn(path: Path) -> bool:
    """True for a JSON object, which neither a HAR nor an ONNX file starts as."""
    try:
        with open_regular(path, most=MAX_HN_BYTES, what="an .hn graph", error=HNError) as file:
            return file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")
    except (HNError, OSError):
        return False


def read_hn(path: Path) -> Network:
    """The Network in a bare `.hn` file, without weights. Raises HNError."""
    text = read_text(path, most=MAX_HN_BYTES, what="an .hn graph", error=HNError)
    try:
        return loads(text)
    except HNError as error:
        raise HNError(f"{path}: {error}") from None


def loads(text: str | bytes, weights: Weights | None = None) -> Network:
    """A Network from the text of an `.hn`. Raises HNError with the layer and key at fault."""
    try:
        data = json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)
    except HNError:
        raise
    except (ValueError, RecursionError) as error:
        raise HNError(f"the .hn is not JSON: {printable(str(error), 120)}") from None
    return from_dict(data, weights)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        # json would silently take the last of two layers.
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise HNError(f"the .hn names {printable(twice)} twice")
    return found


def _no_number(text: str) -> None:
    raise HNError(f"the .hn holds {text}, which is no number of JSON")


def from_dict(data: Any, weights: Weights | None = None) -> Network:
    """A Network from an HN's JSON object, its weights unseen if None. Raises HNError, as `check_network` too."""
    if not isinstance(data, dict) or not isinstance(data.get("layers"), dict):
        raise HNError("the .hn has no 'layers' object: not an HN graph")
    name = data.get("name")
    if not isinstance(name, str) or not name:
        raise HNError("the .hn has no 'name'")
    layers = tuple(_layer(key, entry) for key, entry in data["layers"].items())
    net_params = data.get("net_params")
    order = net_params.get("output_layers_order", []) if isinstance(net_params, dict) else []
    if not isinstance(order, list) or not all(isinstance(n, str) for n in order):
        raise HNError("net_params.output_layers_order: a list of layer names is needed")
    network = Network(name, layers, tuple(map(_bare, order)), MappingProxyType({}) if weights is None else weights)
    check_network(network, weights=weights is not None)
    return network


def _bare(name: str) -> str:
    return name.rpartition("/")[2]


def _layer(key: str, entry: Any) -> Layer:
    if not isinstance(entry, dict):
        raise HNError(f"layer {printable(key)}: an object is needed")
    kind = entry.get("type")
    if not isinstance(kind, str):
        raise HNError(f"layer {printable(key)}: no 'type'")

    def names(what: str) -> tuple[str, ...]:
        value = entry.get(what, [])
        if not isinstance(value, list) or not all(isinstance(n, str) for n in value):
            raise HNError(f"layer {printable(key)}: {what!r} must be a list of names")
        return tuple(value)

    def shapes(what: str) -> tuple[Shape, ...]:
        value = entry.get(what)
        rows = value if isinstance(value, list) else None
        # Old files write a single shape where newer ones write a list of them.
        if rows and all(isinstance(v, int) for v in rows):
            rows = [rows]
        if rows is None or not all(
            isinstance(s, list) and all(isinstance(v, int) and not isinstance(v, bool) for v in s) for s in rows
        ):
            raise HNError(f"layer {printable(key)}: {what!r} must be a list of shapes [-1, H, W, C]")
        # A flattened result is written as [-1, C] by old versions.
        full = [[s[0], 1, 1, s[1]] if len(s) == 2 else s for s in rows]
        if any(len(s) != 4 or any(v <= 0 for v in s[1:]) for s in full):
            raise HNError(f"layer {printable(key)}: {what!r} must hold shapes [-1, H, W, C] with positive sizes")
        return tuple((s[0], s[1], s[2], s[3]) for s in full)

    output_shapes = shapes("output_shapes")
    if not output_shapes:
        raise HNError(f"layer {printable(key)}: 'output_shapes' is empty")
    params = entry.get("params", {})
    if not isinstance(params, dict):
        raise HNError(f"layer {printable(key)}: 'params' must be an object")
    if kind in {"input_layer", "output_layer"}:
        params = {k: entry[k] for k in ("transposed", "engine", "io_type") if k in entry}
    _check_params(key, kind, params)
    return Layer(
        name=_bare(key),
        type=kind,
        inputs=tuple(_bare(n) for n in names("input")),
        outputs=tuple(_bare(n) for n in names("output")),
        input_shapes=shapes("input_shapes") if entry.get("input_shapes") else (),
        output_shapes=output_shapes,
        original_names=names("original_names"),
        params=params,
    )


_SIZES = {
    "conv": {"kernel_shape": 4, "strides": 4, "dilations": 4},
    "dw": {"kernel_shape": 4, "strides": 4, "dilations": 4},
    "deconv": {"kernel_shape": 4, "strides": 4, "dilations": 4},
    "maxpool": {"kernel_shape": 4, "strides": 4},
    "avgpool": {"kernel_shape": 4, "strides": 4},
    "dense": {"kernel_shape": 2},
}
"""Layer type -> the params that figures and constraints read, and how many sizes each holds."""


def _check_params(key: str, kind: str, params: dict[str, Any]) -> None:
    for name, count in _SIZES.get(kind, {}).items():
        sizes = params.get(name)
        if (
            not isinstance(sizes, list)
            or len(sizes) != count
            or not all(type(v) is int and 0 < v <= MAX_AXIS_SIZE for v in sizes)
        ):
            raise HNError(f"layer {printable(key)}: {name!r} must be a list of {count} positive sizes")
    groups = params.get("groups", 1)
    if type(groups) is not int or not 0 < groups <= MAX_AXIS_SIZE:
        raise HNError(f"layer {printable(key)}: 'groups' must be a positive number")
    for name, value in params.items():
        if any(isinstance(v, float) and not isfinite(v) for v in (value if isinstance(value, list) else [value])):
            raise HNError(f"layer {printable(key)}: {printable(name)!r} is past every number")


def row_elements(shape: Shape) -> int:
    """Elements of one row, W x C: what the chip streams at a time."""
    return shape[2] * shape[3]


def widest_shape(layer: Layer) -> Shape:
    """The input or output shape with the widest row."""
    return max((*layer.input_shapes, *layer.output_shapes), key=row_elements)
