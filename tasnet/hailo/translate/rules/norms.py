"""InstanceNormalization, written out as a norm of many nodes is: means, difference, square, inverse root."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from tasnet.hailo.translate.draft import Drafting, constant, number, spatial
from tasnet.hailo.translate.errors import NodeError
from tasnet.hailo.translate.rules.arithmetic import stretch
from tasnet.hailo.translate.rules.pooling import average_all


def instance_normalization(drafting: Drafting, node: ir.Node) -> None:
    """Each channel less its mean over H and W, by its deviation, by a scale, plus a shift.

    The parser of 3.32 is reported to take the op; the layers that it makes of it were not seen. Those here are the
    ones observed for the same norm written node by node, so their names and numbers are extrapolated.
    """
    view = drafting.view(node, 0)
    spatial(node, view)
    scale, shift = constant(node, 1), constant(node, 2)
    if scale is None or shift is None:
        raise NodeError(node, "its scale or shift is computed by the graph", "export in eval mode")
    x = view.draft
    _, height, width, channels = x.shape
    size = (height, width, channels)
    linear = {"activation": "linear"}
    apu = {**linear, "ew_mult_type": "on_apu"}
    mean = stretch(drafting, node, average_all(drafting, node, x, {"H", "W"}), height, width)
    less = drafting.add(node, "ew_sub", "ew_sub", [x, mean], size, linear)
    square = drafting.add(
        node, "square", "feature_multiplier", [less], size, {**apu, "feature_multiplier_type": "square"}
    )
    variance = average_all(drafting, node, square, {"H", "W"})
    inverse = drafting.add(
        node,
        "activation",
        "activation",
        [variance],
        (1, 1, channels),
        {"activation": "inv_sqrt"},
        {"epsilon": np.asarray([number(node, "epsilon", 1e-5)], np.float32)},
    )
    by = stretch(drafting, node, inverse, height, width)
    normed = drafting.add(node, "ew_mult", "ew_mult", [less, by], size, {**apu, "is_softmax_mask": False})
    weights = {
        "kernel": scale.astype(np.float32).reshape(1, 1, channels, 1),
        "bias": shift.astype(np.float32).reshape(channels),
    }
    made = drafting.add(
        node, "normalization", "normalization", [normed], size, {"elementwise_add": False, **linear}, weights
    )
    drafting.emit(node, made, view.labels)


RULES = {"InstanceNormalization": instance_normalization}
