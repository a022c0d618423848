"""The open translator: an ONNX file -> the HN graph and weights that the vendor's parser would write.

`prepare` brings the file into one form, one small rule per pattern (`rules/`) drafts the layers, `naming`
numbers them. What no rule takes is a NodeError that names the node and what to write instead: it says nothing of
the vendor's parser, which takes more ops than there are rules here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import onnx
import onnx_ir as ir

from tasnet.hailo.hn import Network
from tasnet.hailo.translate.draft import Draft, Drafting, View, onnx_shape
from tasnet.hailo.translate.errors import ModelError, NodeError, TranslationError
from tasnet.hailo.translate.loading import from_proto, load
from tasnet.hailo.translate.naming import number
from tasnet.hailo.translate.prepare import prepare
from tasnet.hailo.translate.rules import Rule, registry

__all__ = ["ModelError", "NodeError", "TranslationError", "translate"]


def translate(source: Path | onnx.ModelProto, name: str) -> Network:
    """The Network `name` of an ONNX file or model, shapes `[-1, H, W, C]`, weights float32.

    Reads opset 7 to 25, one static float32 input of rank 4 and batch 1. Raises ModelError for a file that
    can't be read as a whole and NodeError for a node that no rule takes.
    """
    if not name or "/" in name:
        raise ModelError(f"network name {name!r}: a name without '/' is needed")
    where = str(source) if isinstance(source, Path) else "the model"
    model = prepare(load(source) if isinstance(source, Path) else from_proto(source), where)
    drafting = Drafting(model.graph)
    outputs = _draft(drafting, where)
    return number(name, _live(drafting.drafts, outputs), outputs)


def _draft(drafting: Drafting, where: str) -> list[Draft]:
    """Draft every layer; returns the output layers."""
    graph, rules = drafting.graph, registry()
    if without := [node for node in graph if node.domain not in _ONNX or node.op_type not in rules]:
        first, *others = (_without_rule(node, rules) for node in without)
        raise NodeError(without[0], first.why, first.instead, others)
    for position, node in enumerate(graph):
        drafting.positions[node] = position
    value = graph.inputs[0]
    _, channels, height, width = onnx_shape(value)
    start = Draft("input_layer", "input_layer", [], (-1, height, width, channels), (-1, 0), [value.name or ""], _io())
    start.values.append(value)
    drafting.drafts.append(start)
    labels = tuple(None if size == 1 else label for size, label in zip(onnx_shape(value), "NCHW", strict=True))
    drafting.views[value] = View(start, labels)
    for node in graph:
        rules[node.op_type](drafting, node)
    outputs: list[Draft] = []
    for index, output in enumerate(graph.outputs):
        view = drafting.views.get(output)
        if view is None or view.draft.type == "input_layer":
            raise ModelError(f"{where}: output {output.name} is a constant or the input itself; export again")
        outputs.append(
            Draft(
                "output_layer",
                "output_layer",
                [view.draft],
                view.draft.shape,
                (len(drafting.positions) + index, 0),
                [output.name or ""],
                _io(),
            )
        )
    drafting.drafts += outputs
    return outputs


def _live(drafts: list[Draft], outputs: list[Draft]) -> list[Draft]:
    """The drafts that an output depends on: nodes without an effect never reach an HN."""
    live: set[int] = set()
    todo = list(outputs)
    while todo:
        draft = todo.pop()
        if id(draft) not in live:
            live.add(id(draft))
            todo += draft.inputs
    return [draft for draft in drafts if id(draft) in live]


def _io() -> dict[str, object]:
    return {"transposed": False, "engine": "nn_core", "io_type": "standard"}


_ONNX = frozenset({"", "ai.onnx"})
"""the names of ONNX's own domain"""


def _without_rule(node: ir.Node, rules: Mapping[str, Rule]) -> NodeError:
    own = f" of {node.domain}" if node.domain not in _ONNX else ""
    known = node.domain in _ONNX and node.op_type in _INSTEAD
    write = _INSTEAD[node.op_type] if known else "write it with ops that have a rule, or compute it on the host"
    return NodeError(
        node,
        f"the open translator has no rule for this op{own}",
        f"{write}; or ask the compiler's own parser, which may take it",
    )


_INSTEAD = {
    "CumSum": "use a norm over the whole window (gLN) or per frame",
    "LayerNormalization": "write the norm out with ReduceMean, Sub, Pow, Sqrt and Div",
    "GroupNormalization": "write the norm out with ReduceMean, Sub, Pow, Sqrt and Div",
    "ReduceSum": "write ReduceMean and a Mul by the count",
    "Sum": "write it pairwise with Add",
    "Erf": "export a GELU at opset 20 or later, where it is one node",
    "LSTM": "use a TCN",
    "GRU": "use a TCN",
    "RNN": "use a TCN",
    "Gather": "slice the weights before the export, or use Slice",
    "If": "export in eval mode, with fixed sizes",
    "Loop": "unroll it before the export",
    "Scan": "unroll it before the export",
}
"""Op -> what to write instead, where more can be said than that it has no rule."""
