"""Any ONNX file -> a graph that the rules can read: every size fixed, constants folded, layers along time lifted.

Exporters differ in what they leave behind (Constant nodes, functions, Identity, Shape chains, unnamed nodes,
values without shapes); after `prepare` there is one form.
"""

from __future__ import annotations

from collections.abc import Set
from types import MappingProxyType

import onnx_ir as ir
from onnx_ir.passes import common

from tasnet.common import cause_line
from tasnet.hailo.translate.errors import ModelError
from tasnet.hailo.translate.folding import fold, foldable, static
from tasnet.hailo.translate.graph_inputs import Shapes, fix_sizes
from tasnet.hailo.translate.lifting import lift
from tasnet.hailo.translate.sources import gather_sources

OPSETS = range(7, 26)
"""Opsets read. The vendor documents 11-13 and 15-21; other numbers are read as the ops allow."""


SPLITS = "splits"
"""the model's `meta` that names the nodes whose sources were gathered on the channels"""
_QDQ = frozenset({"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"})
_INTEGER = frozenset({"ConvInteger", "MatMulInteger", "MatMulIntegerToFloat", "QAttention", "QGemm"})


def prepare(model: ir.Model, where: str = "the model", shapes: Shapes = MappingProxyType({})) -> ir.Model:
    """`model`, changed in place into the form that the rules read; `shapes` gives inputs their sizes by name.

    Raises ModelError.
    """
    model = settle(model, where, shapes)
    model.meta[SPLITS] = gather_sources(model.graph)
    if model.meta[SPLITS]:
        _run(model, where, common.RemoveUnusedNodesPass())
    lift(model.graph)
    return model


def settle(model: ir.Model, where: str = "the model", shapes: Shapes = MappingProxyType({})) -> ir.Model:
    """`model`, changed in place: every size fixed, constants folded, nodes named and in order, none without effect.

    It is the same graph still, in ONNX's own ops. Raises ModelError.
    """
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
    _refuse_quantized(operators, where)
    if "Constant" in operators:
        _run(model, where, common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0))
    if "Identity" in operators:
        _run(model, where, common.IdentityEliminationPass())
    if any(not value.uses() and not value.is_graph_output() for node in model.graph for value in node.outputs):
        _run(model, where, common.RemoveUnusedNodesPass())
    opened = fix_sizes(model, shapes, where)
    _name_nodes(model)
    if opened or any(not static(value) for node in model.graph for value in node.outputs) or foldable(model):
        _run(model, where, common.ShapeInferencePass(data_prop=False))
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
            raise ModelError(f"{where}: the graph is not consistent ({cause_line(error)}); export it again") from None


def _sorted(model: ir.Model) -> bool:
    seen: set[ir.Node] = set()
    for node in model.graph:
        for value in node.inputs:
            producer = value.producer() if value is not None else None
            if producer is not None and producer not in seen:
                return False
        seen.add(node)
    return True


def _refuse_quantized(operators: Set[str], where: str) -> None:
    """Refuses a graph with integer operators: it is quantized already, and the compiler quantizes from floats."""
    whole = sorted(op for op in operators if op.startswith("QLinear") or op in _INTEGER)
    pairs = sorted(operators & _QDQ)
    if whole or pairs:
        form = f"QOperator form: {', '.join(whole[:3])}" if whole else f"QDQ form: {', '.join(pairs)}"
        raise ModelError(
            f"{where}: a quantized model ({form}); export the float model that it was made of: "
            "the compiler quantizes by itself, from floats"
        )


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
        raise ModelError(f"{where}: constants can't be folded ({cause_line(error)}); simplify the graph") from None
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
