"""MaxPool, AveragePool, GlobalAveragePool, ReduceMean -> `maxpool`, `avgpool`, `reduce_mean`."""

from __future__ import annotations

import onnx_ir as ir

from tasnet.hailo.translate.draft import Draft, Drafting, constant, ints, nchw_labels, onnx_shape, require_nchw
from tasnet.hailo.translate.errors import NodeError
from tasnet.hailo.translate.rules.convolution import Pads, external_pad, pads_of


def pool(drafting: Drafting, node: ir.Node) -> None:
    """MaxPool -> `maxpool` (observed), AveragePool -> `avgpool` (not observed from this op).

    A 5x5 max pool with pads 2 at stride 1 is SAME_TENSORFLOW (observed in version 3.29); at larger strides a
    symmetric half kernel is SAME, as it is for a convolution. Other pads of a mean that counts them become an
    `external_pad` (not observed); of any other pool they decline, for zeros are not what ONNX pads with there.
    """
    view = drafting.view(node, 0)
    require_nchw(node, view)
    kernel = ints(node, "kernel_shape")
    if len(kernel) != 2 or len(node.outputs) > 1:
        raise NodeError(node, f"a window {list(kernel)} and {len(node.outputs)} outputs", "pool in two dimensions")
    if any(d != 1 for d in ints(node, "dilations", (1, 1))):
        raise NodeError(node, "a dilated window", "pool without dilation")
    strides = ints(node, "strides", (1, 1))
    source = view.draft
    window, step = (kernel[0], kernel[1]), (strides[0], strides[1])
    height, width, channels = source.hwc
    pads = pads_of(node, (height, width), window, step, (1, 1))
    room = (height + pads[0] + pads[1] - window[0], width + pads[2] + pads[3] - window[1])
    if min(room) < 0:
        raise NodeError(node, f"a window of {window[0]}x{window[1]} on {height}x{width}", "give it a longer input")
    if node.attributes.get_int("ceil_mode", 0) and any(left % by for left, by in zip(room, step, strict=True)):
        raise NodeError(
            node, "ceil_mode: its last window hangs over the end", "pool without ceil_mode, or pad before it"
        )
    kind = "maxpool" if node.op_type == "MaxPool" else "avgpool"
    counted = kind == "maxpool" or not any(pads) or bool(node.attributes.get_int("count_include_pad", 0))
    padding = _padding(pads, (height, width), window, step)
    if padding is None:
        if kind == "maxpool" or not counted:
            raise NodeError(
                node, f"pads {list(pads)} (top, bottom, left, right)", "pad by half the window, or not at all"
            )
        source, padding = external_pad(drafting, node, source, pads), "VALID"
    size = (room[0] // step[0] + 1, room[1] // step[1] + 1, channels)
    if not source.shortened and sorted(size[:2]) != sorted(onnx_shape(node.outputs[0])[2:]):
        raise NodeError(node, f"its output is {list(onnx_shape(node.outputs[0]))} in the file", "export it again")
    draft = _pool(drafting, node, source, kind, window, step, size)
    draft.params.update(padding=padding, count_include_pad=counted)
    drafting.emit(node, draft, nchw_labels(draft))


def _padding(pads: Pads, size: tuple[int, int], window: tuple[int, int], step: tuple[int, int]) -> str | None:
    """The vendor's word that means these pads, or None if there is none."""
    if not any(pads):
        return "VALID"
    whole = [max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in zip(size, window, step, strict=True)]
    words = {"SAME_TENSORFLOW": tuple(each for total in whole for each in (total // 2, total - total // 2))}
    if all(k % 2 for k in window):
        words["SAME"] = tuple(k // 2 for k in window for _ in range(2))
    preferred = ("SAME_TENSORFLOW", "SAME") if step == (1, 1) else ("SAME", "SAME_TENSORFLOW")
    return next((word for word in preferred if words.get(word) == pads), None)


def global_average_pool(drafting: Drafting, node: ir.Node) -> None:
    """GlobalAveragePool -> `avgpool` over all of H and W (observed from ReduceMean over time)."""
    view = drafting.view(node, 0)
    require_nchw(node, view)
    draft = average_all(drafting, node, view.draft, {"H", "W"})
    drafting.emit(node, draft, nchw_labels(draft))


def reduce_mean(drafting: Drafting, node: ir.Node) -> None:
    """ReduceMean over time -> `avgpool`, over channels -> `reduce_mean` (observed); over both -> one by one."""
    view = drafting.view(node, 0)
    rank = len(view.labels)
    given = constant(node, 1)
    named = given.ravel() if given is not None else ints(node, "axes", tuple(range(rank)))
    if not len(named) and not node.attributes.get_int("noop_with_empty_axes", 0):
        named = tuple(range(rank))
    axes = [int(axis) % rank for axis in named]
    labels = {view.labels[axis] for axis in axes} - {None}
    if not labels <= {"H", "W", "C"}:
        raise NodeError(node, "means over the batch or a flattened axis", "mean over channels or time")
    draft = view.draft
    if labels & {"H", "W"}:
        draft = average_all(drafting, node, draft, {str(label) for label in labels & {"H", "W"}})
    if "C" in labels:
        height, width, _ = draft.hwc
        params = {"reduce_axes": [3], "groups": 1, "height_groups": 1, "activation": "linear"}
        draft = drafting.add(node, "reduce_mean", [draft], (height, width, 1), params)
    keeps = node.attributes.get_int("keepdims", 1)
    kept = [None if axis in axes else label for axis, label in enumerate(view.labels) if keeps or axis not in axes]
    drafting.emit(node, draft, tuple(kept))


def average_all(drafting: Drafting, node: ir.Node, source: Draft, labels: set[str]) -> Draft:
    """The mean over all of these axes, as `avgpool` (observed from ReduceMean over time)."""
    height, width, channels = source.hwc
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
    return drafting.add(node, kind, [source], size, params)


RULES = {
    "MaxPool": pool,
    "AveragePool": pool,
    "GlobalAveragePool": global_average_pool,
    "ReduceMean": reduce_mean,
}
