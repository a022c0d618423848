"""Small ONNX models for the translator's tests, written node by node so that no exporter stands in between."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def model(
    nodes: Sequence[onnx.NodeProto],
    *,
    shape: Sequence[int | str] = (1, 4, 1, 32),
    output: str = "y",
    output_shape: Sequence[int] | None = None,
    opset: int = 13,
    **constants: np.ndarray,
) -> onnx.ModelProto:
    """A checked model with input `x` of `shape`, one output (its shape inferred), and constants by name."""
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, output_shape)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    made = onnx.shape_inference.infer_shapes(made, data_prop=True)
    onnx.checker.check_model(made)
    return made


def node(op: str, inputs: str, outputs: str = "y", name: str | None = None, **attributes: object) -> onnx.NodeProto:
    """A node; `inputs` and `outputs` are names split at blanks, the name is the op in lower case by default."""
    return helper.make_node(
        op, inputs.split(), outputs.split(), name=op.lower() if name is None else name, **attributes
    )


def floats(*shape: int, seed: int = 0) -> np.ndarray:
    """Random float32 values."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def longs(*values: int) -> np.ndarray:
    """A 1-D int64 constant."""
    return np.asarray(values, np.int64)
