"""Squeeze, Unsqueeze, Flatten, Reshape, Transpose that only move ones, and ops that do nothing at inference.

They leave no layer: their names join the layer before them (observed for Squeeze and Flatten).
"""

from __future__ import annotations

import onnx_ir as ir

from tasnet.hailo.translate.draft import FLAT, Drafting, Label, View, axes_text, constant, ints, onnx_shape
from tasnet.hailo.translate.errors import NodeError


def reshape(drafting: Drafting, node: ir.Node) -> None:
    """Reshape, Flatten, Squeeze, Unsqueeze: the sizes other than 1 must stay in their order.

    All of a rank-3 or -4 tensor into one axis is kept too, as a label of FLAT, for a Gemm to read.
    """
    view = drafting.view(node, 0)
    value = node.inputs[0]
    assert value is not None
    source, target = onnx_shape(value), onnx_shape(node.outputs[0])
    moving = [(size, label) for size, label in zip(source, view.labels, strict=True) if size != 1]
    kept = [size for size in target if size != 1]
    labels: list[Label]
    if [size for size, _ in moving] == kept:
        rest = iter(moving)
        labels = [None if size == 1 else next(rest)[1] for size in target]
    elif len(kept) == 1 and len(target) == 2 and (flat := _flat([label for _, label in moving])) is not None:
        labels = [None, flat]
    else:
        raise NodeError(
            node,
            f"moves data: {list(source)} to {list(target)}",
            "keep [batch, channels, 1, time], sources on the channels; reshape on the host",
        )
    _relabel(drafting, node, view, tuple(labels))


def _flat(moving: list[Label]) -> Label:
    """The label of an axis into which these lie flattened: channels first, or last as behind an NHWC input."""
    orders = (key for key, order in FLAT.items() if moving == [each for each in order if each in moving])
    return next(orders, None) if "C" in moving else None


def transpose(drafting: Drafting, node: ir.Node) -> None:
    """Transpose that leaves the order of the sizes other than 1, or one that a later Transpose undoes."""
    view = drafting.view(node, 0)
    rank = len(view.labels)
    order = ints(node, "perm", tuple(reversed(range(rank))))
    labels = tuple(view.labels[axis] for axis in order)
    before = [label for label in view.labels if label is not None]
    after = [label for label in labels if label is not None]
    if before != after and sorted(map(str, after)) == sorted(map(str, before)) and not FLAT.keys().isdisjoint(before):
        raise NodeError(node, f"moves data: {axes_text(view.labels)} to {axes_text(labels)}", "drop it")
    _relabel(drafting, node, view, labels)


def pass_through(drafting: Drafting, node: ir.Node) -> None:
    """Identity, Dropout at inference, Cast to float32."""
    if node.op_type == "Cast" and node.outputs[0].dtype != ir.DataType.FLOAT:
        raise NodeError(node, f"casts to {node.outputs[0].dtype}", "keep the network in float32")
    training = constant(node, 2) if node.op_type == "Dropout" else None
    if training is not None and training.any():
        raise NodeError(node, "drops values as in training", "export in eval mode")
    view = drafting.view(node, 0)
    _relabel(drafting, node, view, view.labels)


def _relabel(drafting: Drafting, node: ir.Node, view: View, labels: tuple[Label, ...]) -> None:
    if drafting.fuse(node) is not None and view.draft.type not in {"input_layer", "const_input"}:
        view.draft.names += [node.name] if node.name else []
    drafting.emit(node, view.draft, labels)


RULES = {
    "Reshape": reshape,
    "Flatten": reshape,
    "Squeeze": reshape,
    "Unsqueeze": reshape,
    "Transpose": transpose,
    "Identity": pass_through,
    "Dropout": pass_through,
    "Cast": pass_through,
}
