"""A segment's graph: its network -> ONNX. What the chip's side makes of that is `segment_files`."""

from __future__ import annotations

import onnx

from tasnet.network import module_to_onnx
from tasnet.plan.cut import Cut, ports
from tasnet.plan.function import TrainedFunction
from tasnet.plan.segment_network import build_segment

OPSET = 13
TRACED = 4
"""frames: the nodes don't depend on the width"""


def to_onnx(trained: TrainedFunction, cut: Cut) -> onnx.ModelProto:
    """The graph; inputs and outputs `[1, channels, height, width]` under `in_<role>` and `out_<role>`."""
    given, made = ports(trained.function, cut)
    network = build_segment(trained, cut)
    traced = {f"in_{port.role}": (1, port.channels, 1, TRACED) for port in given}
    inputs = {f"in_{port.role}": (1, port.channels, cut.height, cut.width) for port in given}
    outputs = {f"out_{port.role}": (1, port.channels, cut.height, cut.width) for port in made}
    return module_to_onnx(network, traced, inputs, outputs, opset=OPSET)
