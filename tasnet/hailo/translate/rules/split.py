"""Split: on the channels -> one `feature_splitter`; along time, or with a part that has no reader -> `slice`s."""

from __future__ import annotations

from collections.abc import Sequence

import onnx_ir as ir

from tasnet.hailo.translate.draft import Draft, Drafting, View, onnx_shape
from tasnet.hailo.translate.rules.joins import slice_axis


def split(drafting: Drafting, node: ir.Node) -> None:
    """Split on the channels -> one `feature_splitter` (observed in an HN of version 3.29, its params not).

    Which part a consumer reads is given by its place in the layer's `output` list, whose `output_shapes` are the
    parts'. A part with more readers than one goes through a `shortcut`, so that each place has one consumer.
    """
    view = drafting.view(node, 0)
    axis = node.attributes.get_int("axis", 0) % len(view.labels)
    sizes = [onnx_shape(output)[axis] for output in node.outputs]
    if len(sizes) == 1:
        drafting.emit(node, view.draft, view.labels)
        return
    whole = all(output.uses() or output.is_graph_output() for output in node.outputs)
    if view.labels[axis] != "C" or not whole:
        _slices(drafting, node, view, axis, sizes)
        return
    height, width, _ = view.draft.hwc
    layer = drafting.add(node, "feature_splitter", [view.draft], view.draft.hwc)
    for index, (output, size) in enumerate(zip(node.outputs, sizes, strict=True)):
        part = drafting.add(node, "shortcut", [layer], (height, width, size), names=[])
        layer.parts[part] = (index, size)
        labels = tuple(None if label == "C" and size == 1 else label for label in view.labels)
        drafting.views[output] = View(part, labels)
        part.values.append(output)


def _slices(drafting: Drafting, node: ir.Node, view: View, axis: int, sizes: Sequence[int]) -> None:
    """One `slice` per part (not observed)."""
    start = 0
    for output, size in zip(node.outputs, sizes, strict=True):
        draft = slice_axis(drafting, node, view, axis, start, start + size, 1)
        labels = tuple(None if i == axis and size == 1 else label for i, label in enumerate(view.labels))
        drafting.views[output] = View(draft, labels)
        draft.values.append(output)
        start += size


def without_needless_shortcuts(drafts: Sequence[Draft]) -> list[Draft]:
    """`drafts` without the shortcuts of parts that one layer alone reads: it reads the splitter itself.

    An output layer keeps its shortcut, for the graph names the layer before it and no place in that layer's list;
    so does a layer that reads two parts, for its place could be either.
    """
    readers: dict[Draft, list[Draft]] = {draft: [] for draft in drafts}
    for draft in drafts:
        for producer in draft.inputs:
            readers[producer].append(draft)
    gone: set[Draft] = set()
    for splitter in drafts:
        for part, (index, size) in list(splitter.parts.items()):
            if part not in readers:
                # what read it has no effect on any output
                continue
            found = readers[part]
            if len(found) != 1 or found[0].type == "output_layer" or found[0] in splitter.parts:
                continue
            reader = found[0]
            reader.inputs = [splitter if each is part else each for each in reader.inputs]
            del splitter.parts[part]
            splitter.parts[reader] = (index, size)
            gone.add(part)
    return [draft for draft in drafts if draft not in gone]


RULES = {"Split": split}
