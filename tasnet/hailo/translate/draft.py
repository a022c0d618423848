"""The graph while it is being translated: layers without numbers, and how ONNX axes lie on NHWC.

A `View` is what an ONNX value is on the chip's side: the output of one drafted layer, with a label per ONNX
axis that says which of N, H, W, C it is. An axis of size 1 needs no label: that is what lets Squeeze,
Unsqueeze, Transpose and Reshape that only move ones cost nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from tasnet.hailo.files import Shape
from tasnet.hailo.translate.errors import NodeError

Array = npt.NDArray[np.float32]
Label = str | None
"""N, H, W, C; None for an axis of size 1; or all of H, W and C flattened into one axis, see FLAT."""
FLAT: dict[str, tuple[str, ...]] = {"*": ("C", "H", "W"), "#": ("H", "W", "C")}
"""label of a flattened axis -> the order of what lies in it, outermost first"""


_ENDS_WITH_ACTIVATION = frozenset(
    {"conv", "dw", "deconv", "dense", "ew_add", "ew_sub", "ew_mult", "normalization", "avgpool", "maxpool"}
)


@dataclass(eq=False)
class Draft:
    """A layer before it has a number. `order` places it among its producers' consumers: (ONNX node, step)."""

    stem: str
    type: str
    inputs: list[Draft]
    shape: Shape
    order: tuple[int, int]
    names: list[str] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)
    weights: dict[str, Array] = field(default_factory=dict)
    values: list[ir.Value] = field(default_factory=list)
    """the ONNX values that are this layer's output"""
    reads: int = 0
    """how often a layer drafted so far reads this one"""
    shortened: bool = False
    """True for a deconvolution that is shorter or longer than ONNX's, and for all behind it"""
    parts: dict[Draft, tuple[int, int]] = field(default_factory=dict)
    """of a `feature_splitter`: reader -> which part it reads, and that part's channels"""

    def shape_for(self, reader: Draft) -> Shape:
        """The shape of what `reader` gets of the output: all of it, or its part."""
        return (*self.shape[:3], self.parts[reader][1]) if reader in self.parts else self.shape

    @property
    def fusable(self) -> bool:
        """True for a layer that can end with an activation and has none yet. Observed for conv alone."""
        return self.type in _ENDS_WITH_ACTIVATION and self.params.get("activation") == "linear"

    @property
    def hwc(self) -> tuple[int, int, int]:
        """(H, W, C) of the output."""
        return self.shape[1:]

    def size(self, label: str) -> int:
        """The size of the output along H, W or C."""
        return self.shape["NHWC".index(label)]


@dataclass(frozen=True)
class View:
    """An ONNX value: the layer that makes it, and a label per ONNX axis."""

    draft: Draft
    labels: tuple[Label, ...]


@dataclass
class Drafting:
    """The state of one translation: what has been drafted, and what each ONNX value has become."""

    graph: ir.Graph
    drafts: list[Draft] = field(default_factory=list)
    views: dict[ir.Value, View] = field(default_factory=dict)
    positions: dict[ir.Node, int] = field(default_factory=dict)
    steps: dict[int, int] = field(default_factory=dict)

    def add(
        self,
        node: ir.Node,
        kind: str,
        inputs: list[Draft],
        hwc: tuple[int, int, int],
        params: Mapping[str, Any] | None = None,
        weights: Mapping[str, Array] | None = None,
        *,
        stem: str | None = None,
        names: list[str] | None = None,
    ) -> Draft:
        """Draft a layer of type `kind` that serves `node`. Layers of one node keep the order of the calls.

        `stem` begins the layer's name (default: its type), `names` are its original names (default: the node's).
        """
        position = self.positions[node]
        step = self.steps.get(position, 0)
        self.steps[position] = step + 1
        draft = Draft(
            stem or kind,
            kind,
            inputs,
            (-1, *hwc),
            (position, step),
            [node.name or ""] if names is None else names,
            dict(params or {}),
            dict(weights or {}),
        )
        for producer in inputs:
            producer.reads += 1
            draft.shortened |= producer.shortened
        self.drafts.append(draft)
        return draft

    def drop(self, draft: Draft) -> None:
        """Take a layer back that a later pattern has absorbed."""
        for producer in draft.inputs:
            producer.reads -= 1
        self.drafts.remove(draft)

    def view(self, node: ir.Node, index: int) -> View:
        """The view of operand `index`; a NodeError if it is missing or a constant."""
        value = node.inputs[index] if index < len(node.inputs) else None
        if value is None or value not in self.views:
            raise NodeError(node, f"operand {index} is a constant or missing", "give it the network's tensor")
        return self.views[value]

    def is_tensor(self, node: ir.Node, index: int) -> bool:
        """True when operand `index` is computed by the network, False for a constant or a missing one."""
        return index < len(node.inputs) and node.inputs[index] in self.views

    def sole_use(self, value: ir.Value | None) -> bool:
        """True when exactly one node reads `value` and it is no output of the graph: it may be fused away."""
        return value is not None and len(value.uses()) == 1 and not value.is_graph_output()

    def fuse(self, node: ir.Node, index: int = 0) -> Draft | None:
        """The layer behind operand `index` if `node` is its only reader, so that `node` may join it."""
        value = node.inputs[index]
        if value is None or value not in self.views:
            return None
        draft = self.views[value].draft
        # The layer may be read under another ONNX name too (after a Squeeze, say): all must lead here alone.
        return draft if draft.reads == 0 and all(self.sole_use(v) for v in draft.values) else None

    def emit(self, node: ir.Node, draft: Draft, labels: tuple[Label, ...]) -> None:
        """Say that the node's first output is `draft`, its ONNX axes labelled so.

        A NodeError where that isn't the size that ONNX has for it, but for what a deconvolution has shortened.
        """
        _check_size(node, draft, labels)
        self.views[node.outputs[0]] = View(draft, labels)
        draft.values.append(node.outputs[0])


def _check_size(node: ir.Node, draft: Draft, labels: tuple[Label, ...]) -> None:
    shape = onnx_shape(node.outputs[0])
    if not FLAT.keys().isdisjoint(labels):
        return
    if len(shape) != len(labels):
        raise NodeError(
            node, f"leaves rank {len(labels)} by its rule and {len(shape)} by ONNX", "write it in another way"
        )
    sizes = {label: size for size, label in zip(shape, labels, strict=True) if label is not None}
    checked = ("C",) if draft.shortened else ("H", "W", "C")
    unnamed = any(size != 1 for size, label in zip(shape, labels, strict=True) if label is None)
    if unnamed or any(draft.size(label) != sizes.get(label, 1) for label in checked):
        raise NodeError(
            node,
            f"gives {list(draft.shape[1:])} (H, W, C) by its rule and {list(shape)} by ONNX",
            "write it in another way",
        )


def constant(node: ir.Node, index: int) -> npt.NDArray[Any] | None:
    """The value of operand `index` as an array, or None if it isn't a constant."""
    value = node.inputs[index] if index < len(node.inputs) else None
    if value is None or value.const_value is None:
        return None
    return np.asarray(value.const_value.numpy())


def ints(node: ir.Node, name: str, default: tuple[int, ...] = ()) -> tuple[int, ...]:
    """An attribute that holds integers."""
    attribute = node.attributes.get(name)
    return tuple(attribute.as_ints()) if attribute is not None else default


def opset(drafting: Drafting) -> int:
    """The opset of the graph's own domain."""
    return drafting.graph.opset_imports.get("", 0) or 13


def onnx_shape(value: ir.Value) -> tuple[int, ...]:
    """The static shape of a value; `prepare` has seen to it that there is one."""
    assert value.shape is not None
    return cast(tuple[int, ...], value.shape.dims)


def require_nchw(node: ir.Node, view: View) -> None:
    """Raises NodeError for an operand of another rank than 4, or of another order of axes than N C H W.

    With height and width exchanged, which of the two the chip would take for the width of a row isn't known.
    """
    labels = view.labels
    if len(labels) != 4:
        raise NodeError(
            node,
            f"its operand is rank {len(labels)}",
            "write the network in rank 4, [batch, channels, 1, time]",
        )
    if any(label not in {None, own} for label, own in zip(labels, "NCHW", strict=True)):
        raise NodeError(
            node,
            f"its operand's axes lie as {axes_text(labels)}, not as N C H W",
            "drop the Transpose or Reshape before it",
        )


def axes_text(labels: tuple[Label, ...]) -> str:
    """Labels for a message: `N C 1 W`."""
    return " ".join(label or "1" for label in labels)


def nchw_labels(draft: Draft) -> tuple[Label, ...]:
    """The labels of a layer's output as ONNX's N C H W; axes of size 1 have none."""
    return (None, *(label if draft.size(label) != 1 else None for label in "CHW"))
