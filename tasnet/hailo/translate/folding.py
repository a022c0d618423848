"""Computes what a graph computes from sizes and constants alone, so that only the signal's path is left.

Exporters write shapes and pads as chains of Shape, ConstantOfShape, Range, Mod, Slice and their like. Where every
size is fixed, each link is a constant. ONNX's own reference does the arithmetic.
"""

from __future__ import annotations

from math import prod

import numpy as np
import onnx_ir as ir
from onnx_ir.convenience import replace_all_uses_with
from onnx_ir.passes import common

from tasnet.hailo.translate.draft import onnx_shape

MAX_ELEMENTS = 1 << 24
"""elements of a constant that is read or made here"""
MAX_TOTAL_ELEMENTS = 1 << 25
"""elements of all constants that are made here: a graph may ask for as many as it has nodes"""

_QUANTIZING = frozenset({"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"})
_NEVER_LONGER = frozenset({"NonZero", "Compress", "Unique"})
"""ops whose result has no static shape, and is bounded by their operand"""
_ROUNDS = 8


def foldable(model: ir.Model) -> bool:
    """True where a node gives a constant, or a value has no static shape that its constants may tell."""
    return any(
        node.op_type in {"Shape", "Size", "ConstantOfShape", "CastLike"}
        or (node.inputs and all(v is None or v.const_value is not None for v in node.inputs))
        for node in model.graph
    )


def fold(model: ir.Model) -> None:
    """Fold in place until nothing is left to fold, and infer the shapes behind it. Raises what the passes raise."""
    # Imported here: most files have nothing to fold, and the folder takes as long to import as to run.
    from onnxscript.optimizer import fold_constants

    left = MAX_TOTAL_ELEMENTS

    def may_fold(node: ir.Node) -> bool:
        nonlocal left
        made = sum(_elements(value) for value in node.outputs if static(value))
        if not _may_fold(node) or made > left:
            return False
        left -= made
        return True

    for _ in range(_ROUNDS):
        before = len(model.graph)
        fold_constants(
            model,
            onnx_shape_inference=True,
            output_size_limit=MAX_ELEMENTS,
            input_size_limit=MAX_ELEMENTS,
            should_fold=may_fold,
        )
        _fold_splits(model.graph)
        common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0)(model)
        common.IdentityEliminationPass()(model)
        common.RemoveUnusedNodesPass()(model)
        if not _has_open_shapes(model):
            return
        # A size that was not known when it was first inferred may be now. ONNX's own propagation of data is left out:
        # it makes every element of a Range, however long.
        common.ShapeInferencePass(data_prop=False)(model)
        if len(model.graph) == before:
            return


def _fold_splits(graph: ir.Graph) -> None:
    """A constant that is split is several: the library folds no node of more than one result."""
    for node in list(graph):
        source = node.inputs[0] if node.inputs else None
        if (
            node.op_type != "Split"
            or source is None
            or source.const_value is None
            or not all(map(static, node.outputs))
        ):
            continue
        axis = node.attributes.get_int("axis", 0)
        ends = np.cumsum([onnx_shape(value)[axis] for value in node.outputs])[:-1]
        for value, part in zip(node.outputs, np.split(source.const_value.numpy(), ends, axis), strict=True):
            made = ir.Value(
                name=f"{value.name}_folded", shape=value.shape, type=value.type, const_value=ir.Tensor(part)
            )
            graph.register_initializer(made)
            replace_all_uses_with(value, made)


def _has_open_shapes(model: ir.Model) -> bool:
    return foldable(model) or any(not static(value) for node in model.graph for value in node.outputs)


def static(value: ir.Value) -> bool:
    """True where every size of the value is known."""
    return value.shape is not None and all(isinstance(size, int) for size in value.shape)


def _elements(value: ir.Value) -> int:
    assert value.shape is not None
    return prod(value.shape.numpy())


def _may_fold(node: ir.Node) -> bool:
    """All whose operands and result are known to be small; a quantized weight is left as it is."""
    if node.op_type in _QUANTIZING or any(
        value is not None and value.const_value is not None and value.const_value.size > MAX_ELEMENTS
        for value in node.inputs
    ):
        return False
    if node.op_type in _NEVER_LONGER:
        return True
    return all(static(value) and _elements(value) <= MAX_ELEMENTS for value in node.outputs)
