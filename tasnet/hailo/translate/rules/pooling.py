"""MaxPool, AveragePool, GlobalAveragePool, ReduceMean -> `maxpool`, `avgpool`, `reduce_mean`."""

from __future__ import annotations

import onnx_ir as ir

from tasnet.hailo.translate.draft import (
    Draft,
    Drafting,
    Label,
    View,
    constant,
    integer,
    ints,
    spatial,
    spatial_labels,
)
from tasnet.hailo.translate.errors import NodeError


def pool(drafting: Drafting, node: ir.Node) -> None:
    """MaxPool -> `maxpool` (observed), AveragePool -> `avgpool` (not observed from this op)."""
    view = drafting.view(node, 0)
    order = spatial(node, view)
    kernel = ints(node, "kernel_shape")
    strides = ints(node, "strides", (1,) * len(kernel))
    pads = ints(node, "pads", (0,) * 2 * len(kernel))
    if integer(node, "ceil_mode", 0) or any(d != 1 for d in ints(node, "dilations", (1, 1))):
        raise NodeError(node, "ceil_mode or dilation", "pool without them")
    if any(pads):
        raise NodeError(node, f"pads {list(pads)}", "pool without padding")
    if order == ("W", "H"):
        kernel, strides = kernel[::-1], strides[::-1]
    _, height, width, channels = view.draft.shape
    size = ((height - kernel[0]) // strides[0] + 1, (width - kernel[1]) // strides[1] + 1, channels)
    kind = "maxpool" if node.op_type == "MaxPool" else "avgpool"
    draft = _pool(drafting, node, view.draft, kind, (kernel[0], kernel[1]), (strides[0], strides[1]), size)
    drafting.emit(node, draft, spatial_labels(draft, order))


def global_average_pool(drafting: Drafting, node: ir.Node) -> None:
    """GlobalAveragePool -> `avgpool` over all of H and W (observed from ReduceMean over time)."""
    view = drafting.view(node, 0)
    order = spatial(node, view)
    draft = _average_all(drafting, node, view.draft, {"H", "W"})
    drafting.emit(node, draft, spatial_labels(draft, order))


def reduce_mean(drafting: Drafting, node: ir.Node) -> None:
    """ReduceMean over time -> `avgpool`, over channels -> `reduce_mean` (observed); over both -> one by one."""
    view = drafting.view(node, 0)
    rank = len(view.labels)
    given = constant(node, 1)
    named = given.ravel() if given is not None else ints(node, "axes", tuple(range(rank)))
    if not len(named) and not integer(node, "noop_with_empty_axes", 0):
        named = tuple(range(rank))
    axes = [int(axis) % rank for axis in named]
    labels = {view.labels[axis] for axis in axes} - {None}
    if not labels <= {"H", "W", "C"}:
        raise NodeError(node, "means over the batch or a flattened axis", "mean over channels or time")
    draft = view.draft
    if labels & {"H", "W"}:
        draft = _average_all(drafting, node, draft, {str(label) for label in labels & {"H", "W"}})
    if "C" in labels:
        _, height, width, _ = draft.shape
        params = {"reduce_axes": [3], "groups": 1, "height_groups": 1, "activation": "linear"}
        draft = drafting.add(node, "reduce_mean", "reduce_mean", [draft], (height, width, 1), params)
    kept: list[Label] = [None if axis in axes else label for axis, label in enumerate(view.labels)]
    if not integer(node, "keepdims", 1):
        kept = [label for axis, label in enumerate(view.labels) if axis not in axes]
    out = View(draft, tuple(kept))
    drafting.emit(node, out.draft, out.labels)


def _average_all(drafting: Drafting, node: ir.Node, source: Draft, labels: set[str]) -> Draft:
    _, height, width, channels = source.shape
    kernel = (height if "H" in labels else 1, width if "W" in labels else 1)
    return _pool(drafting, node, source, "avgpool", kernel, kernel, (height // kernel[0], width // kernel[1], channels))


def _pool(
    drafting: Drafting,
    node: ir.Node,
    source: Draft,
    kind: str,
    kernel: tuple[int, int],
    strides: tuple[int, int],
    size: tuple[int, int, int],
) -> Draft:
    params = {
        "kernel_shape": [1, *kernel, 1],
        "strides": [1, *strides, 1],
        "padding": "VALID",
        "activation": "linear",
        "count_include_pad": True,
    }
    return drafting.add(node, kind, kind, [source], size, params)


RULES = {
    "MaxPool": pool,
    "AveragePool": pool,
    "GlobalAveragePool": global_average_pool,
    "ReduceMean": reduce_mean,
}
