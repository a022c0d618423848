"""Resize and Upsample -> `resize`: nearest neighbour by whole ratios, or bilinear."""

from __future__ import annotations

from math import ceil, floor

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from tasnet.hailo.translate.draft import Drafting, constant, ints, nchw_labels, onnx_shape, opset, require_nchw
from tasnet.hailo.translate.errors import NodeError
from tasnet.hailo.translate.rules.arithmetic import resize

_BILINEAR = {"half_pixel": "half_pixels", "pytorch_half_pixel": "half_pixels", "align_corners": "align_corners"}
"""coordinate_transformation_mode -> resize_bilinear_pixels_mode (the vendor's words: not observed but `disabled`)"""


def resize_or_upsample(drafting: Drafting, node: ir.Node) -> None:
    """Resize along H and W. Nearest by two is observed in version 3.29; bilinear is reported to parse in 3.32.

    A nearest neighbour is taken where every position is repeated alike, whatever the attributes say of it; other
    ratios decline, and so do cubic, antialiased and cropping forms.
    """
    view = drafting.view(node, 0)
    require_nchw(node, view)
    value = node.inputs[0]
    assert value is not None
    source, target = onnx_shape(value), onnx_shape(node.outputs[0])
    if source[:2] != target[:2]:
        raise NodeError(node, "resizes the batch or the channels", "resize along time only")
    mode = node.attributes.get_string("mode", "nearest")
    usual = "half_pixel" if opset(drafting) > 10 else "asymmetric"
    transform = node.attributes.get_string("coordinate_transformation_mode", usual)
    antialias = node.attributes.get_int("antialias", 0)
    if antialias or transform == "tf_crop_and_resize" or mode not in {"nearest", "linear"}:
        raise NodeError(node, f"mode {mode}, {transform}", "use nearest or linear, without antialias or cropping")
    changed = [axis for axis in (2, 3) if source[axis] != target[axis]]
    scales = {axis: _scale(node, axis, source, target) for axis in (2, 3)}
    if mode == "nearest":
        for axis in (2, 3):
            found = _nearest(node, transform, scales[axis], source[axis], target[axis], opset(drafting))
            whole = target[axis] % source[axis] == 0
            if not whole or not np.array_equal(found, np.arange(target[axis]) // (target[axis] // source[axis])):
                raise NodeError(
                    node,
                    f"takes other neighbours than {target[axis] / source[axis]:g} times each along axis {axis}",
                    "resize by a whole ratio",
                )
        pixels, method = "disabled", "nearest_neighbor"
    else:
        exact = all(np.isclose(scales[axis] * source[axis], target[axis], rtol=1e-6) for axis in changed)
        single = any(target[axis] == 1 for axis in changed)
        if transform not in _BILINEAR or not exact or single or view.draft.shortened:
            raise NodeError(
                node, f"linear, {transform}, {list(source)} to {list(target)}", "use half_pixel or align_corners"
            )
        pixels, method = _BILINEAR[transform], "bilinear"
    if not changed:
        drafting.emit(node, view.draft, view.labels)
        return
    height, width, channels = view.draft.hwc
    ratios = (target[2] / source[2], target[3] / source[3])
    size = (round(height * ratios[0]), round(width * ratios[1]), channels)
    draft = resize(drafting, node, view.draft, size, ratios, method, pixels)
    drafting.emit(node, draft, nchw_labels(draft))


def _scale(node: ir.Node, axis: int, source: tuple[int, ...], target: tuple[int, ...]) -> float:
    """The scale that ONNX reckons with: the one given, else the ratio of the sizes."""
    axes = [each % 4 for each in ints(node, "axes", (0, 1, 2, 3))]
    given = node.attributes.get_floats("scales", None)
    if given is None:
        # Upsample and Resize 10 have it as operand 1, later ones as operand 2, behind the region
        found = constant(node, 1 if node.op_type == "Upsample" or len(node.inputs) == 2 else 2)
        given = found.ravel().tolist() if found is not None and found.size else None
    if given is not None and axis in axes and len(given) == len(axes):
        return given[axes.index(axis)]
    return target[axis] / source[axis]


def _nearest(node: ir.Node, transform: str, scale: float, size: int, length: int, opset: int) -> npt.NDArray[np.int64]:
    """Which of `size` positions each of `length` takes, by ONNX's formulas."""
    rounding = node.attributes.get_string("nearest_mode", "round_prefer_floor" if opset > 10 else "floor")
    ways = {
        "round_prefer_floor": lambda x: ceil(x - 0.5),
        "round_prefer_ceil": lambda x: floor(x + 0.5),
        "floor": floor,
        "ceil": ceil,
    }
    if rounding not in ways:
        raise NodeError(node, f"nearest_mode {rounding}", "use floor")
    found = []
    for position in range(length):
        if transform == "align_corners":
            x = position * (size - 1) / (length - 1) if length > 1 else 0.0
        elif transform == "asymmetric":
            x = position / scale
        elif transform == "pytorch_half_pixel" and length == 1:
            x = 0.0
        elif transform in {"half_pixel", "pytorch_half_pixel"}:
            x = (position + 0.5) / scale - 0.5
        elif transform == "half_pixel_symmetric":
            x = size / 2 * (1 - length / (scale * size)) + (position + 0.5) / scale - 0.5
        else:
            raise NodeError(node, f"coordinate_transformation_mode {transform}", "use asymmetric or half_pixel")
        found.append(min(max(ways[rounding](x), 0), size - 1))
    return np.asarray(found, np.int64)


RULES = {"Resize": resize_or_upsample, "Upsample": resize_or_upsample}
