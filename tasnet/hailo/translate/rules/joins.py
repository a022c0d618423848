"""Concat, Slice, Tile, Expand: joining, cutting and repeating along channels or time."""

from __future__ import annotations

from collections.abc import Sequence

import onnx_ir as ir

from tasnet.hailo.translate.draft import Draft, Drafting, Label, View, constant, ints, onnx_shape
from tasnet.hailo.translate.errors import NodeError
from tasnet.hailo.translate.rules.arithmetic import const_input, stretch


def concat(drafting: Drafting, node: ir.Node) -> None:
    """Concat on channels -> `concat`; one tensor twice goes through a `shortcut` (observed)."""
    rank = len(onnx_shape(node.outputs[0]))
    axis = node.attributes.get_int("axis", 1) % rank
    views = [drafting.views.get(v) if v is not None else None for v in node.inputs]
    known = [view for view in views if view is not None]
    if not known:
        raise NodeError(node, "all operands are constants", "fold it away")
    if len(views) == 1:
        drafting.emit(node, known[0].draft, known[0].labels)
        return
    if any(_channel_axis(view) not in {None, axis} or _axes_differ(view, known[0], axis) for view in known):
        raise NodeError(node, f"joins ONNX axis {axis}, which isn't the channels", "concatenate on axis 1")
    labels = tuple("C" if i == axis else label for i, label in enumerate(known[0].labels))
    if known[0].labels[axis] not in {None, "C"}:
        raise NodeError(node, f"joins ONNX axis {axis}, which isn't the channels", "concatenate on axis 1")
    first = known[0].draft
    inputs: list[Draft] = []
    for index, view in enumerate(views):
        if view is None:
            value = constant(node, index)
            if value is None:
                raise NodeError(node, f"operand {index} is missing", "export the model again")
            size = (first.size("H"), first.size("W"), value.shape[axis])
            inputs.append(const_input(drafting, node, value, labels, size))
            continue
        if view.draft.shape[1:3] != first.shape[1:3]:
            raise NodeError(node, f"joins {first.shape[1:3]} and {view.draft.shape[1:3]} (H, W)", "give them one size")
        inputs.append(view.draft)
    _join(drafting, node, inputs, labels)


def tile(drafting: Drafting, node: ir.Node) -> None:
    """Tile on channels -> the concat of the tensor with itself, through shortcuts (as Concat(x, x), observed);
    on a spatial axis of size 1 -> `resize`."""
    view = drafting.view(node, 0)
    repeats = constant(node, 1)
    if repeats is None:
        raise NodeError(node, "its repeats are computed by the graph", "export with fixed sizes")
    _repeat(drafting, node, view, [int(r) for r in repeats.ravel()])


def expand(drafting: Drafting, node: ir.Node) -> None:
    """Expand -> as Tile of the axes of size 1; nothing where it changes nothing."""
    view = drafting.view(node, 0)
    target = onnx_shape(node.outputs[0])
    rank = len(target)
    labels = (None,) * (rank - len(view.labels)) + view.labels
    value = node.inputs[0]
    assert value is not None
    source = (1,) * (rank - len(view.labels)) + onnx_shape(value)
    repeats = [1 if new == old else new for new, old in zip(target, source, strict=True)]
    _repeat(drafting, node, View(view.draft, labels), repeats)


def slice_(drafting: Drafting, node: ir.Node) -> None:
    """Slice with constant bounds -> `slice` (not observed); nothing where it takes all."""
    view = drafting.view(node, 0)
    rank = len(view.labels)
    bounds = [constant(node, i) for i in range(1, 5)]
    if len(node.inputs) == 1:
        starts, ends = ints(node, "starts"), ints(node, "ends")
        axes, steps = ints(node, "axes", tuple(range(len(starts)))), (1,) * len(starts)
    else:
        if bounds[0] is None or bounds[1] is None:
            raise NodeError(node, "its bounds are computed by the graph", "export with fixed sizes")
        starts = tuple(int(v) for v in bounds[0].ravel())
        ends = tuple(int(v) for v in bounds[1].ravel())
        axes = tuple(range(len(starts))) if bounds[2] is None else tuple(int(v) for v in bounds[2].ravel())
        steps = (1,) * len(starts) if bounds[3] is None else tuple(int(v) for v in bounds[3].ravel())
    value = node.inputs[0]
    assert value is not None
    shape = onnx_shape(value)
    for raw, start, end, step in zip(axes, starts, ends, steps, strict=True):
        axis = raw % rank
        first, last, stride = slice(start, end, step).indices(shape[axis])
        if stride < 1:
            raise NodeError(node, f"step {step}", "reverse on the host")
        if (first, stride) == (0, 1) and last == shape[axis]:
            continue
        draft = slice_axis(drafting, node, view, axis, first, last, stride)
        view = View(
            draft, tuple(label if i != axis else _label_if_wide(draft, label) for i, label in enumerate(view.labels))
        )
    drafting.emit(node, view.draft, view.labels)


def slice_axis(drafting: Drafting, node: ir.Node, view: View, axis: int, start: int, stop: int, step: int) -> Draft:
    """One `slice` of the layer's output along an ONNX axis (not observed)."""
    label = view.labels[axis]
    if label not in {"H", "W", "C"}:
        raise NodeError(node, f"cuts ONNX axis {axis}, which isn't height, width or channels", "slice_axis on the host")
    sizes = {name: view.draft.size(name) for name in ("H", "W", "C")}
    bounds = {name: [0, size, 1] for name, size in sizes.items()}
    # A deconvolution is shorter here than in ONNX: what lies past its end is not there to be slice_axis.
    stop = min(stop, sizes[label])
    if start >= stop:
        raise NodeError(node, "cuts everything away", "check its bounds")
    bounds[label] = [start, stop, step]
    sizes[label] = -(-(stop - start) // step)
    params = {"height_slice": bounds["H"], "width_slice": bounds["W"], "features_slice": bounds["C"]}
    return drafting.add(node, "slice", [view.draft], (sizes["H"], sizes["W"], sizes["C"]), params)


def _channel_axis(view: View) -> int | None:
    return view.labels.index("C") if "C" in view.labels else None


def _axes_differ(one: View, other: View, axis: int) -> bool:
    """True where an ONNX axis that both have in common lies on different axes of theirs."""
    pairs = list(zip(one.labels, other.labels, strict=True))
    return any(a is not None and b is not None and a != b for a, b in pairs[:axis] + pairs[axis + 1 :])


def _label_if_wide(draft: Draft, label: Label) -> Label:
    return label if label is not None and draft.size(label) != 1 else None


def _join(drafting: Drafting, node: ir.Node, inputs: Sequence[Draft], labels: tuple[Label, ...]) -> None:
    seen: set[int] = set()
    direct: list[Draft] = []
    for draft in inputs:
        if id(draft) in seen:
            draft = drafting.add(node, "shortcut", [draft], draft.hwc, names=[])
        seen.add(id(draft))
        direct.append(draft)
    height, width, _ = direct[0].hwc
    channels = sum(draft.size("C") for draft in direct)
    made = drafting.add(node, "concat", direct, (height, width, channels), {"concat_axis": "features"})
    drafting.emit(node, made, labels)


def _repeat(drafting: Drafting, node: ir.Node, view: View, repeats: Sequence[int]) -> None:
    changed = [(axis, times) for axis, times in enumerate(repeats) if times != 1]
    if not changed:
        drafting.emit(node, view.draft, view.labels)
        return
    if len(changed) > 1:
        raise NodeError(node, f"repeats {len(changed)} axes at once", "repeat one axis a node")
    axis, times = changed[0]
    label = view.labels[axis]
    if label is None and axis == 1 and len(view.labels) == 4 and "C" not in view.labels:
        label = "C"
    if label == "C":
        labels = tuple("C" if i == axis else other for i, other in enumerate(view.labels))
        _join(drafting, node, [view.draft] * times, labels)
        return
    if label is None and axis >= 2 and len(view.labels) == 4:
        place = "W" if "W" not in view.labels and (axis == 3 or "H" in view.labels) else "H"
        height, width, _ = view.draft.hwc
        size = (height, width * times) if place == "W" else (height * times, width)
        draft = stretch(drafting, node, view.draft, *size)
        labels = tuple(place if i == axis else other for i, other in enumerate(view.labels))
        drafting.emit(node, draft, labels)
        return
    raise NodeError(node, f"repeats ONNX axis {axis}", "repeat the channels, or an axis of size 1")


RULES = {"Concat": concat, "Tile": tile, "Expand": expand, "Slice": slice_}
