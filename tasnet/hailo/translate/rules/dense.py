"""Gemm and MatMul on a flattened tensor -> `dense` (stem fc)."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from tasnet.hailo.translate.draft import FLAT, Drafting, constant
from tasnet.hailo.translate.errors import NodeError


def dense(drafting: Drafting, node: ir.Node) -> None:
    """Gemm after Flatten -> `dense`, output [-1, 1, 1, N] (observed); MatMul by a constant is the same.

    ONNX flattens channels outermost, NHWC innermost: the kernel's rows are put into the latter order.
    """
    view = drafting.view(node, 0)
    weight, bias = constant(node, 1), constant(node, 2)
    if weight is None or weight.ndim != 2:
        raise NodeError(node, "its second operand is no constant matrix", "use a 1x1 Conv")
    if len(view.labels) != 2 or view.labels[0] is not None or view.labels[1] not in {None, "C", *FLAT}:
        raise NodeError(node, "its operand is not flattened to [batch, features]", "use a 1x1 Conv, or Flatten")
    if node.attributes.get_int("transA", 0):
        raise NodeError(node, "transA", "transpose on the host")
    if node.attributes.get_int("transB", 0):
        weight = weight.T
    height, width, channels = view.draft.hwc
    features = height * width * channels
    if weight.shape[0] != features:
        raise NodeError(node, f"{weight.shape[0]} weights a column on {features} features", "export again")
    cout = weight.shape[1]
    kernel = weight
    if view.labels[1] == "*":
        kernel = weight.reshape(channels, height, width, cout).transpose(1, 2, 0, 3).reshape(-1, cout)
    kernel = kernel * node.attributes.get_float("alpha", 1.0)
    flat = np.zeros(cout) if bias is None else np.broadcast_to(bias, (1, cout)).ravel()
    flat = flat * node.attributes.get_float("beta", 1.0)
    params = {"kernel_shape": [features, int(cout)], "batch_norm": False, "activation": "linear"}
    weights = {"kernel": np.ascontiguousarray(kernel, np.float32), "bias": flat.astype(np.float32)}
    draft = drafting.add(node, "dense", [view.draft], (1, 1, cout), params, weights, stem="fc")
    drafting.emit(node, draft, (None, "C" if cout != 1 else None))


RULES = {"Gemm": dense, "MatMul": dense}
