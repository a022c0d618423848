"""What a layer needs of the chip: whether its positions mix, and the memory units that it takes at least."""

from __future__ import annotations

from tasnet.hailo.files import Layer, row_elements

UNIT_BYTES = 16 * 1024
"""bytes of a memory unit, by hypothesis; an 8-bit element takes one byte"""

_POINTWISE = frozenset(
    {
        "ew_add",
        "ew_sub",
        "ew_mult",
        "normalization",
        "feature_multiplier",
        "activation",
        "concat",
        "shortcut",
        "feature_splitter",
        "softmax",
        "slice",
        "reduce_mean",
        "reduce_max",
    }
)


def mixes_positions(layer: Layer) -> bool:
    """True for a layer whose output at one position depends on others: it can't sit inside a folded row."""
    if layer.type in _POINTWISE:
        return False
    strides = layer.params.get("strides", [1, 1, 1, 1])
    return not (layer.type == "conv" and layer.kernel == (1, 1) and list(strides) == [1, 1, 1, 1])


def memory_units(layer: Layer) -> int:
    """Memory units that a layer takes at least: rows under its kernel, one output row, weights, 8 bits each."""
    kernel = [int(v) for v in layer.params.get("kernel_shape", (1, 1, 1, 1))]
    dilation = int(layer.params.get("dilations", (1, 1, 1, 1))[1])
    rows = (layer.kernel[0] - 1) * dilation + 1
    weights = 0
    if layer.type in {"conv", "dw", "deconv"}:
        weights = kernel[0] * kernel[1] * kernel[2] * kernel[3] // int(layer.params.get("groups", 1))
    parts = (rows * row_elements(layer.input_shapes[0]), row_elements(layer.output_shape), weights)
    return sum(-(-part // UNIT_BYTES) for part in parts)
