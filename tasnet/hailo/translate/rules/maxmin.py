"""Max and Min -> `concat` in groups and `reduce_max` over each group; Min with a sign change on both sides."""

from __future__ import annotations

import onnx_ir as ir

from tasnet.hailo.translate.draft import Draft, Drafting, constant
from tasnet.hailo.translate.errors import NodeError
from tasnet.hailo.translate.rules.arithmetic import const_input, normalization


def maximum(drafting: Drafting, node: ir.Node) -> None:
    """Max -> concat (one group per channel), reduce_max. Observed against a constant tensor."""
    joined, index = _join(drafting, node)
    view = drafting.view(node, index)
    drafting.emit(node, _reduce_max(drafting, node, joined), view.labels)


def minimum(drafting: Drafting, node: ir.Node) -> None:
    """Min -> concat, `normalization` by -1, reduce_max, `normalization` by -1. Observed, like Max."""
    joined, index = _join(drafting, node)
    view = drafting.view(node, index)
    largest = _reduce_max(drafting, node, normalization(drafting, node, joined, -1.0))
    drafting.emit(node, normalization(drafting, node, largest, -1.0), view.labels)


def _join(drafting: Drafting, node: ir.Node) -> tuple[Draft, int]:
    """The concat of both operands, in ONNX order, and the index of a tensor operand."""
    if len(node.inputs) != 2:
        raise NodeError(node, f"{len(node.inputs)} operands", "write it pairwise")
    tensors = [i for i in (0, 1) if drafting.is_tensor(node, i)]
    if not tensors:
        raise NodeError(node, "both operands are constants", "fold it away")
    view = drafting.view(node, tensors[0])
    height, width, channels = view.draft.hwc
    inputs: list[Draft] = []
    for index in (0, 1):
        if index in tensors:
            other = drafting.view(node, index)
            if other.draft.shape != view.draft.shape or other.labels != view.labels:
                raise NodeError(node, "its operands differ in shape", "broadcast one of them before it")
            inputs.append(other.draft)
            continue
        value = constant(node, index)
        if value is None or value.ndim > len(view.labels):
            raise NodeError(node, "its constant doesn't fit the tensor", "give it the tensor's rank or less")
        inputs.append(const_input(drafting, node, value, view.labels, view.draft.hwc))
    params = {"concat_axis": "features", "group_sizes": [1] * channels}
    return drafting.add(node, "concat", inputs, (height, width, 2 * channels), params), tensors[0]


def _reduce_max(drafting: Drafting, node: ir.Node, joined: Draft) -> Draft:
    height, width, channels = joined.hwc
    params = {"groups": channels // 2, "reduce_axes": [3]}
    return drafting.add(node, "reduce_max", [joined], (height, width, channels // 2), params)


RULES = {"Max": maximum, "Min": minimum}
