"""Translates an ONNX file or model: it is loaded, prepared, drafted layer by layer, numbered and checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import onnx
import onnx_ir as ir

from tasnet.common import cause_line, printable
from tasnet.hailo.files import MAX_AXIS_SIZE, Assumption, AssumptionKind, HNError, Network, check_network
from tasnet.hailo.translate.draft import FLAT, Draft, Drafting, Label, View, axes_text, onnx_shape
from tasnet.hailo.translate.errors import ModelError, NodeError, TranslationError
from tasnet.hailo.translate.graph_inputs import Shapes
from tasnet.hailo.translate.input_layout import input_layouts, is_onnx_layout
from tasnet.hailo.translate.loading import MAX_BYTES, from_proto, load
from tasnet.hailo.translate.node_checks import check_node
from tasnet.hailo.translate.numbering import numbered_network
from tasnet.hailo.translate.prepare import SPLITS, prepare, settle
from tasnet.hailo.translate.rules import registry
from tasnet.hailo.translate.rules.split import without_needless_shortcuts


def translate(source: Path | onnx.ModelProto, name: str, shapes: Shapes = MappingProxyType({})) -> Network:
    """The Network `name` of an ONNX file or model, shapes `[-1, H, W, C]`, weights float32.

    Reads opset 7 to 25, float32 inputs of rank 2 to 4 and batch 1; an open batch is 1, other open sizes come from
    `shapes`, by the input's name. The layers that read an input say which of its axes are H, W and C. Outputs come
    as `[-1, H, W, C]` in any case. What was taken for granted stands in `assumptions`. Raises ModelError for a file
    that can't be read as a whole and NodeError for a node that no rule takes.
    """
    if not name or "/" in name:
        raise ModelError(f"network name {name!r}: a name without '/' is needed")
    where = str(source) if isinstance(source, Path) else "the model"
    # What overflows becomes infinite, which the check below reports; numpy would print a warning too.
    with np.errstate(all="ignore"):
        model = prepare(load(source) if isinstance(source, Path) else from_proto(source), where, shapes)
        drafting = Drafting(model.graph)
        outputs = _draft(drafting, where, model.opset_imports.get("", 0))
    live = without_needless_shortcuts(_live(drafting.drafts, outputs))
    network = replace(
        numbered_network(name, live, outputs), assumptions=(*_assumptions(drafting, live), *_gathered(model))
    )
    try:
        check_network(network, weights=True)
    except HNError as error:
        raise ModelError(f"{where}: {error}") from None
    return network


def settled_model(source: Path | onnx.ModelProto, shapes: Shapes = MappingProxyType({})) -> onnx.ModelProto:
    """The ONNX graph of a file or model in ONNX's own ops, and nothing about it open: what can be cut into pieces.

    Batch 1, every value's shape known, functions inlined, constants folded into initializers, nodes in order and each
    with a name of its own. Raises ModelError, as `translate` does.
    """
    where = str(source) if isinstance(source, Path) else "the model"
    with np.errstate(all="ignore"):
        model = settle(load(source) if isinstance(source, Path) else from_proto(source), where, shapes)
    return ir.to_proto(model)


def _draft(drafting: Drafting, where: str, opset: int) -> list[Draft]:
    """Draft every layer; returns the output layers."""
    graph, rules = drafting.graph, registry()
    if without := [node for node in graph if node.domain not in _ONNX or node.op_type not in rules]:
        first, *others = (_without_rule(node) for node in without)
        raise NodeError(without[0], first.why, first.instead, others)
    for position, node in enumerate(graph):
        drafting.positions[node] = position
    for index, (value, labels) in enumerate(input_layouts(graph).items()):
        size = {label: size for size, label in zip(onnx_shape(value), labels, strict=True) if label is not None}
        shape = (-1, size.get("H", 1), size.get("W", 1), size.get("C", 1))
        start = Draft("input_layer", "input_layer", [], shape, (-1, index), [value.name or ""], _io_params())
        start.values.append(value)
        drafting.drafts.append(start)
        drafting.views[value] = View(start, labels)
    weights = 0
    for node in graph:
        drafted = len(drafting.drafts)
        _check_sizes(node, where)
        try:
            check_node(node, opset)
            rules[node.op_type](drafting, node)
        except (TranslationError, MemoryError):
            raise
        except Exception as error:  # operands and attributes that don't fit one another break a rule anywhere
            fault = f"doesn't fit its operands ({cause_line(error)})"
            message = f"node {printable(node.name or '')} ({node.op_type}) {fault}"
            raise ModelError(f"{where}: {message}; see what onnx.checker says of the file") from error
        weights += sum(array.nbytes for draft in drafting.drafts[drafted:] for array in draft.weights.values())
        if weights > MAX_BYTES:
            raise ModelError(f"{where}: more than {MAX_BYTES:,} bytes of weights, each counted where it is used")
    outputs: list[Draft] = []
    for index, output in enumerate(graph.outputs):
        view = drafting.views.get(output)
        if view is None or view.draft.type == "input_layer":
            raise ModelError(f"{where}: output {output.name} is a constant or the input itself; export again")
        _check_order(output, view.labels)
        outputs.append(
            Draft(
                "output_layer",
                "output_layer",
                [view.draft],
                view.draft.shape,
                (len(drafting.positions) + index, 0),
                [output.name or ""],
                _io_params(),
            )
        )
    drafting.drafts += outputs
    return outputs


def _check_sizes(node: ir.Node, where: str) -> None:
    for value in (*node.inputs, *node.outputs):
        if value is not None and any(size > MAX_AXIS_SIZE for size in onnx_shape(value)):
            name = printable(value.name or "")
            raise ModelError(f"{where}: {name} has a size past {MAX_AXIS_SIZE:,}; a network for this chip has none")


def _check_order(output: ir.Value, labels: tuple[Label, ...]) -> None:
    """An HN's output is H W C: as it is, or with the channels first, it must give the ONNX output's axes."""
    order = [label for label in labels if label not in {None, "N"}]
    if order in [[key] for key in FLAT] or any(
        order == [label for label in each if label in order] for each in ("CHW", "HWC")
    ):
        return
    producer = output.producer()
    assert producer is not None
    raise NodeError(
        producer,
        f"output {output.name} has its axes as {axes_text(labels)}, which no output layer has",
        "leave it as [batch, channels, height, width], and turn it on the host",
    )


def _assumptions(drafting: Drafting, live: list[Draft]) -> Iterator[Assumption]:
    kept = {id(draft) for draft in live}
    for value in drafting.graph.inputs:
        view = drafting.views[value]
        here = _layout_text(view.draft)
        shape = list(onnx_shape(value))
        if id(view.draft) not in kept:
            yield Assumption(AssumptionKind.UNUSED, f"input {value.name} {shape} is left out: no output depends on it")
        elif len(shape) != 4:
            text = f"input {value.name} {shape} is rank {len(shape)}, read as {here}"
            yield Assumption(AssumptionKind.RANK, text)
        elif not is_onnx_layout(view.labels):
            yield Assumption(
                AssumptionKind.AXIS_ORDER, f"input {value.name} {shape} is turned before it is used, read as {here}"
            )
    for value in drafting.graph.outputs:
        view = drafting.views[value]
        if FLAT.keys().isdisjoint(view.labels) and not is_onnx_layout(view.labels):
            here = _layout_text(view.draft)
            yield Assumption(
                AssumptionKind.AXIS_ORDER,
                f"output {value.name} {list(onnx_shape(value))} is turned at the end, given as {here}",
            )


def _layout_text(draft: Draft) -> str:
    height, width, channels = draft.hwc
    return f"height {height}, width {width}, channels {channels}"


def _gathered(model: ir.Model) -> Iterator[Assumption]:
    for name in model.meta[SPLITS]:
        yield Assumption(
            AssumptionKind.SOURCES,
            f"node {name} splits the channels into sources: kept side by side on the channels, decoded in groups",
        )


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


def _io_params() -> dict[str, object]:
    return {"transposed": False, "engine": "nn_core", "io_type": "standard"}


_ONNX = frozenset({"", "ai.onnx"})
"""the names of ONNX's own domain"""


def _without_rule(node: ir.Node) -> NodeError:
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
