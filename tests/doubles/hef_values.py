"""What a compiled file's steps mean: the other direction of what the package computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tasnet.hailo.files.hef import EdgeLayer


def dequantized(edge: EdgeLayer, steps: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """What HailoRT makes of the chip's steps: `(q - zp) * scale` in float32, by the numbers that count in the file."""
    zero = np.asarray(edge.qp_zps if edge.per_feature else edge.qp_zp, np.float32)
    scale = np.asarray(edge.qp_scales if edge.per_feature else edge.qp_scale, np.float32)
    return np.asarray((steps.astype(np.float32) - zero) * scale, np.float32)
