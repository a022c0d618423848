"""One node, translated and run, against ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from hypothesis import assume
from onnx import TensorProto, helper, numpy_helper

from tasnet.hailo.execute import run_network
from tasnet.hailo.translate import TranslationError, translate
from tests.hailo.onnx_models import floats
from tests.runtime_session import session


def model_of(
    nodes: list[onnx.NodeProto], shape: tuple[int, ...], constants: dict[str, np.ndarray], opset: int
) -> onnx.ModelProto:
    """A model from `x` of `shape` to `y`, whose shape is left open."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def matches(
    op: str,
    shape: tuple[int, ...] = (1, 4, 6, 11),
    constants: dict[int, np.ndarray] | None = None,
    *,
    opset: int = 17,
    outputs: int = 1,
    before: list[onnx.NodeProto] | None = None,
    after: list[onnx.NodeProto] | None = None,
    **attributes: Any,
) -> bool:
    """False where the translator refuses `op`; else True, once its result was found to be ONNX Runtime's."""
    ort.set_default_logger_severity(4)
    constants = constants or {}
    first = next(index for index in range(len(constants) + 1) if index not in constants)
    names = [f"c{i}" if i in constants else "a" if i == first else "" for i in range(max((*constants, first)) + 1)]
    made = helper.make_node(op, names, ["b", *(f"b{i}" for i in range(1, outputs))], name="node", **attributes)
    start = before or [helper.make_node("Identity", ["x"], ["a"])]
    end = after or [helper.make_node("Identity", ["b"], ["y"])]
    model = model_of([*start, made, *end], shape, {f"c{i}": value for i, value in constants.items()}, opset)
    x = floats(*shape, seed=7)
    try:
        (expected,) = session(model).run(None, {"x": x})
    except Exception:
        assume(False)  # not a node that ONNX Runtime takes
    try:
        network = translate(model, "net")
    except TranslationError:
        return False
    signal = x.reshape((1, shape[1], *(1,) * (4 - len(shape)), *shape[2:])).transpose(0, 2, 3, 1)
    (found,) = run_network(network, signal, deconv="onnx")
    assert found.size == expected.size
    # An output stands with its channels first, or as it is.
    errors = [np.abs(each.reshape(expected.shape) - expected).max() for each in (found.transpose(0, 3, 1, 2), found)]
    assert min(errors) < 1e-4
    return True
