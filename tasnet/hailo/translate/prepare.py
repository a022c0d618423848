"""Any ONNX file -> a graph that the rules can read: one static rank-4 input, constants folded, nothing dead.

Exporters differ in what they leave behind (Constant nodes, functions, Identity, Shape chains, unnamed nodes,
values without shapes); after `prepare` there is one form.
"""

from __future__ import annotations

import onnx_ir as ir
from onnx_ir.passes import common

from tasnet.hailo.translate.errors import ModelError
from tasnet.hailo.translate.folding import fold, foldable
from tasnet.hailo.translate.loading import said

OPSETS = range(7, 26)
"""Opsets read. The vendor documents 11-13 and 15-21; other numbers are read as the ops allow."""


def prepare(model: ir.Model, where: str = "the model") -> ir.Model:
    """`model`, changed in place into the form that the rules read. Raises ModelError."""
    opset = model.opset_imports.get("", 0)
    if opset not in OPSETS:
        raise ModelError(
            f"{where}: opset {opset} is not read; export with opset 11 to 18 (`opset_version=13` is the safest)"
        )
    # Each pass takes about as long as the drafting: those that have nothing to do are left out.
    if model.functions:
        _run(model, where, common.InlinePass())
    _run(model, where, common.RemoveInitializersFromInputsPass())
    operators = {node.op_type for node in model.graph}
    if "Constant" in operators:
        _run(model, where, common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0))
    if "Identity" in operators:
        _run(model, where, common.IdentityEliminationPass())
    if any(not value.uses() and not value.is_graph_output() for node in model.graph for value in node.outputs):
        _run(model, where, common.RemoveUnusedNodesPass())
    _check_io(model, where)
    _name_nodes(model)
    if any(value.shape is None for node in model.graph for value in node.outputs) or foldable(model):
        _run(model, where, common.ShapeInferencePass())
    if foldable(model):
        _fold(model, where)
    if not _sorted(model):
        _run(model, where, common.TopologicalSortPass())
    _check_shapes(model, where)
    return model


def _run(model: ir.Model, where: str, *passes: ir.passes.PassBase) -> None:
    for each in passes:
        try:
            each(model)
        except Exception as error:  # third-party passes document no errors of their own
            raise ModelError(f"{where}: the graph is not consistent ({said(error)}); export it again") from None


def _sorted(model: ir.Model) -> bool:
    seen: set[ir.Node] = set()
    for node in model.graph:
        for value in node.inputs:
            producer = value.producer() if value is not None else None
            if producer is not None and producer not in seen:
                return False
        seen.add(node)
    return True


def _check_io(model: ir.Model, where: str) -> None:
    inputs = model.graph.inputs
    if len(inputs) != 1:
        names = ", ".join(value.name or "?" for value in inputs) or "none"
        raise ModelError(
            f"{where}: {len(inputs)} inputs ({names}), one is needed; make the others constants or export without them"
        )
    value = inputs[0]
    if value.dtype != ir.DataType.FLOAT:
        raise ModelError(f"{where}: input {value.name} is {value.dtype}, float32 is needed; export in float32")
    shape = value.shape
    if shape is None:
        raise ModelError(f"{where}: input {value.name} has no shape; export with a fixed input shape")
    text = "[" + ", ".join(str(d) for d in shape) + "]"
    for axis, size in enumerate(shape):
        if not isinstance(size, int) or size <= 0:
            raise ModelError(
                f"{where}: input {value.name} {text}: axis {axis} is dynamic; export without dynamic_axes, "
                "every size fixed"
            )
    if len(shape) != 4:
        raise ModelError(
            f"{where}: input {value.name} {text} is rank {len(shape)}: the 1D form is not supported; "
            "write the network in rank 4, [batch, channels, 1, time]"
        )
    if shape[0] != 1:
        raise ModelError(
            f"{where}: input {value.name} {text}: batch is {shape[0]}; export with batch 1 (an HN's batch is free)"
        )
    if not model.graph.outputs:
        raise ModelError(f"{where}: the graph has no output; export it again")


def _name_nodes(model: ir.Model) -> None:
    taken = {node.name for node in model.graph if node.name}
    for index, node in enumerate(model.graph):
        if not node.name:
            name = f"{node.op_type}_{index}"
            while name in taken:
                name += "_"
            taken.add(name)
            node.name = name


def _fold(model: ir.Model, where: str) -> None:
    try:
        fold(model)
    except Exception as error:  # third-party passes document no errors of their own
        raise ModelError(f"{where}: constants can't be folded ({said(error)}); simplify the graph") from None
    _name_nodes(model)


def _check_shapes(model: ir.Model, where: str) -> None:
    for node in model.graph:
        for value in node.outputs:
            shape = value.shape
            if shape is None or not all(isinstance(size, int) for size in shape):
                text = "no shape" if shape is None else f"the shape {shape}"
                raise ModelError(
                    f"{where}: node {node.name} ({node.op_type}) leaves {text}: it can't be inferred; "
                    "export with every size fixed"
                )
