"""`concat`, `shortcut`, `slice`, `resize`, `const_input`, and what only passes on: `output_layer`, `activation`.

`feature_splitter` passes on as well: who reads it takes its part (`traversal.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from tasnet.hailo.execute.context import Kernel, RunContext, layer_error, param, refuse
from tasnet.hailo.execute.elementwise import repeated
from tasnet.hailo.files import Layer


def concat(layer: Layer, inputs: Sequence[Tensor], context: RunContext) -> Tensor:
    """Joined along the channels; with `group_sizes`, group by group: the first group of each, then the second, …

    The order within `group_sizes` isn't observed; this one gives each group of the `reduce_max` behind it one
    channel of every operand, which is what Max means.
    """
    refuse(layer, {"concat_axis": "features"})
    if len({tuple(x.shape[:3]) for x in inputs}) != 1:
        shapes = " and ".join(str(list(x.shape)) for x in inputs)
        raise layer_error(layer, f"its operands are {shapes}; translate the model again")
    sizes = layer.params.get("group_sizes")
    if not sizes:
        return torch.cat(list(inputs), 3)
    if any(x.shape[3] != sum(sizes) for x in inputs):
        raise layer_error(layer, f"group_sizes add up to {sum(sizes)}, not to its channels")
    if set(sizes) == {1}:
        return torch.stack(list(inputs), 4).flatten(3)
    groups = zip(*(torch.split(x, list(sizes), 3) for x in inputs), strict=True)
    return torch.cat([part for group in groups for part in group], 3)


def same(layer: Layer, inputs: Sequence[Tensor], context: RunContext) -> Tensor:
    """The operand itself."""
    return inputs[0]


def slice_(layer: Layer, inputs: Sequence[Tensor], context: RunContext) -> Tensor:
    """`height_slice`, `width_slice` and `features_slice`, each [start, stop, step]."""
    bounds = [param(layer, f"{name}_slice", 3) for name in ("height", "width", "features")]
    rows, columns, channels = (slice(*(int(v) for v in each)) for each in bounds)
    return inputs[0][:, rows, columns, channels]


def resize(layer: Layer, inputs: Sequence[Tensor], context: RunContext) -> Tensor:
    """By the ratios along H, W and C: nearest neighbour by whole ones, bilinear along H and W by any."""
    (x,) = inputs
    ratios = [float(param(layer, f"resize_{axis}_ratio_list", 1)[0]) for axis in "hwf"]
    if layer.params.get("method") == "bilinear":
        return _bilinear(layer, x, ratios)
    refuse(layer, {"method": "nearest_neighbor"})
    if any(ratio < 1 or ratio != int(ratio) for ratio in ratios):
        raise layer_error(layer, f"ratios {ratios} can't be run; whole ones can")
    for axis, ratio in enumerate(ratios, start=1):
        if x.shape[axis] == 1:
            x = repeated(x, [int(ratio) if axis == i else 1 for i in (1, 2, 3)])
        elif ratio != 1:
            x = x.repeat_interleave(int(ratio), axis)
    return x


def _bilinear(layer: Layer, x: Tensor, ratios: Sequence[float]) -> Tensor:
    mode = layer.params.get("resize_bilinear_pixels_mode")
    if mode not in ("half_pixels", "align_corners") or ratios[2] != 1:
        raise layer_error(
            layer, f"bilinear, {mode}, ratios {ratios} can't be run; half_pixels and align_corners along H and W can"
        )
    size = [round(n * ratio) for n, ratio in zip(x.shape[1:3], ratios, strict=False)]
    planes = F.interpolate(x.permute(0, 3, 1, 2), size, mode="bilinear", align_corners=mode == "align_corners")
    return planes.permute(0, 2, 3, 1)


def const_input(layer: Layer, inputs: Sequence[Tensor], context: RunContext) -> Tensor:
    """The constant [1, H, W, C], its `const_data` repeated by `input_tiles`; no memory for an axis of size 1."""
    ((high, wide, deep),) = param(layer, "input_tiles", 1)
    _, height, width, channels = layer.output_shape
    data = context.array(layer, "const_data", height // high, width // wide, channels // deep)
    return repeated(data.unsqueeze(0), (high, wide, deep))


KERNELS: Mapping[str, Kernel] = {
    "concat": concat,
    "shortcut": same,
    "output_layer": same,
    "activation": same,
    "feature_splitter": same,
    "slice": slice_,
    "resize": resize,
    "const_input": const_input,
}
