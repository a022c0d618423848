"""The numbers of a HEF's inputs and outputs: real values to the chip's steps and back, by the file's own scales.

Of the scalars and the lists per feature HailoRT takes the lists only where the file has the extension for them
(`EdgeLayer.per_feature`), else the scalars; so does this.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from tasnet.hailo.files.hef import EdgeLayer, HefError


def dequantize_values(layer: EdgeLayer, values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """`(q - zp) * scale` in float32, per feature (last axis) where the file's lists count. Any shape."""
    zero, scale = _quantization(layer, values.shape)
    return np.asarray((values.astype(np.float32) - zero) * scale, dtype=np.float32)


def quantize_values(layer: EdgeLayer, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """`round_half_even(x / scale + zp)` in float32, clipped to the layer's uint8 or uint16, or HefError."""
    zero, scale = _quantization(layer, values.shape)
    kinds: Mapping[int, type[np.unsignedinteger[Any]]] = {1: np.uint8, 2: np.uint16}
    if layer.data_bytes not in kinds:
        raise HefError(f"layer {layer.name}: only elements of 1 or 2 bytes can be quantized, not {layer.data_bytes}")
    if not (np.all(np.isfinite(scale)) and np.all(np.isfinite(zero))) or np.any(scale == 0):
        raise HefError(f"layer {layer.name}: its scale or zero point can't be used: compile it again")
    kind = kinds[layer.data_bytes]
    # A sum that leaves float32 is clipped like any other; only NaN has no place to go.
    with np.errstate(over="ignore", invalid="ignore"):
        steps = np.asarray(np.rint(values.astype(np.float32) / scale + zero))
    if np.any(np.isnan(steps)):
        raise HefError(f"layer {layer.name}: the values hold NaN: fix the input")
    return np.asarray(np.clip(steps, 0, np.iinfo(kind).max), dtype=kind)


def _quantization(layer: EdgeLayer, shape: tuple[int, ...]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    zeros = np.asarray(layer.qp_zps if layer.per_feature else layer.qp_zp, dtype=np.float32)
    scales = np.asarray(layer.qp_scales if layer.per_feature else layer.qp_scale, dtype=np.float32)
    for array in (zeros, scales):
        if array.size > 1 and (not shape or shape[-1] != array.size):
            raise HefError(
                f"layer {layer.name}: {array.size} quantization values for an array of shape {shape}: "
                "features must be the last axis"
            )
    return zeros, scales
