"""InstanceNormalization, written out as a norm of many nodes is: means, difference, square, inverse root."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from tasnet.hailo.translate.draft import Drafting, constant, require_nchw
from tasnet.hailo.translate.errors import NodeError
from tasnet.hailo.translate.rules.arithmetic import EW_PARAMS, normalization, square, stretch
from tasnet.hailo.translate.rules.pooling import average_all


def instance_normalization(drafting: Drafting, node: ir.Node) -> None:
    """Each channel less its mean over H and W, by its deviation, by a scale, plus a shift.

    The parser of 3.32 is reported to take the op; the layers that it makes of it were not seen. Those here are the
    ones observed for the same norm written node by node, so their names and numbers are extrapolated.
    """
    view = drafting.view(node, 0)
    require_nchw(node, view)
    scale, shift = constant(node, 1), constant(node, 2)
    if scale is None or shift is None:
        raise NodeError(node, "its scale or shift is computed by the graph", "export in eval mode")
    x = view.draft
    height, width, channels = x.hwc
    mean = stretch(drafting, node, average_all(drafting, node, x, {"H", "W"}), height, width)
    centred = drafting.add(node, "ew_sub", [x, mean], x.hwc, EW_PARAMS["ew_sub"])
    variance = average_all(drafting, node, square(drafting, node, centred), {"H", "W"})
    epsilon = {"epsilon": np.asarray([node.attributes.get_float("epsilon", 1e-5)], np.float32)}
    inverse = drafting.add(node, "activation", [variance], (1, 1, channels), {"activation": "inv_sqrt"}, epsilon)
    by = stretch(drafting, node, inverse, height, width)
    normed = drafting.add(node, "ew_mult", [centred, by], x.hwc, EW_PARAMS["ew_mult"])
    drafting.emit(node, normalization(drafting, node, normed, scale.ravel(), shift.ravel()), view.labels)


RULES = {"InstanceNormalization": instance_normalization}
