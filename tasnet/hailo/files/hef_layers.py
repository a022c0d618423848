"""The inputs and outputs of a HEF: held against what was asked for, and their numbers.

Of the scalars and the lists per feature HailoRT takes the lists only where the file has the extension for them
(`EdgeLayer.per_feature`), else the scalars; so does `quantize_values`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tasnet.hailo.files.hef import EdgeLayer, HefError, read_hef

Shapes = Mapping[str, Sequence[int]] | Sequence[Sequence[int]]
"""NHWC shapes without batch: by layer name (bare, scoped or original), or in order"""


_CARRIES: Mapping[str, frozenset[str]] = {
    "hailo8": frozenset({"hailo8", "hailo8p"}),
    "hailo8l": frozenset({"hailo8l"}),
    "hailo8r": frozenset({"hailo8r"}),
}
"""architecture asked for -> what the header of a file for it says"""


def hef_mismatch(path: Path, arch: str, ends: Mapping[str, Shapes] | None) -> str:
    """Why the file at `path` is no HEF for `arch` of a network with these `inputs` and `outputs`; empty where it is.

    Shapes are (H, W, C) by the layers' names in the HN. A name that the file doesn't have is held by its shape alone:
    the compiler puts layers of its own before the outputs. Without `ends` only file and architecture are checked.
    """
    try:
        hef = read_hef(path)
    except HefError as error:
        return f"no HEF that can be read ({error.reason})"
    if hef.hw_arch not in _CARRIES.get(arch, frozenset({arch})):
        return f"a HEF for {hef.hw_arch}, and {arch} was asked for"
    if any(group.unread_edges for group in hef.groups):
        # Multiplexed ones have no shape of their own to hold against anything.
        return ""
    if not hef.inputs or not hef.outputs:
        return "a HEF without inputs or outputs"
    if ends is None:
        return ""
    for what, layers in (("input", hef.inputs), ("output", hef.outputs)):
        if ends[f"{what}s"] and (found := _differ(what, layers, ends[f"{what}s"])):
            return f"a HEF of another network: {'; '.join(found[:3])}"
    return ""


def _differ(what: str, actual: Sequence[EdgeLayer], expected: Shapes) -> list[str]:
    if isinstance(expected, Mapping) and all(any(name in _names(layer) for layer in actual) for name in expected):
        return shape_differences(what, actual, expected)
    shapes = list(expected.values()) if isinstance(expected, Mapping) else list(expected)
    if sorted(map(tuple, shapes)) == sorted(layer.shape for layer in actual):
        return []
    return shape_differences(what, actual, shapes)


def edges_in_order(names: Sequence[str], layers: Sequence[EdgeLayer]) -> tuple[EdgeLayer, ...]:
    """The layers in the order of these names (bare, scoped or original), if they name each once; else as they are."""
    found = [next((layer for layer in layers if name in _names(layer)), None) for name in names]
    named = tuple(layer for layer in found if layer is not None)
    complete = len(named) == len(names) == len(layers) == len({layer.name for layer in named})
    return named if complete else tuple(layers)


def shape_differences(what: str, actual: Sequence[EdgeLayer], expected: Shapes) -> list[str]:
    """How layers differ from the expected shapes, a line each."""
    if isinstance(expected, Mapping):
        found: list[str] = []
        met: set[int] = set()
        for name, shape in expected.items():
            at = next((i for i, layer in enumerate(actual) if i not in met and name in _names(layer)), None)
            if at is None:
                found.append(f"{what} {name}: expected {tuple(shape)}, the HEF has no such {what}")
                continue
            met.add(at)
            found.extend(_difference(what, actual[at], shape))
        found.extend(
            f"{what} {layer.name}: in the HEF with {layer.shape}, not expected"
            for i, layer in enumerate(actual)
            if i not in met
        )
        return found
    if len(actual) != len(expected):
        return [f"{what}s: expected {len(expected)}, the HEF has {len(actual)}"]
    return [d for layer, shape in zip(actual, expected, strict=True) for d in _difference(what, layer, shape)]


def _names(layer: EdgeLayer) -> set[str]:
    originals = {name.rpartition("/")[2] for name in layer.original_names}
    return {layer.name, layer.base_name, *layer.original_names, *originals}


def _difference(what: str, layer: EdgeLayer, shape: Sequence[int]) -> list[str]:
    if tuple(shape) == layer.shape:
        return []
    return [f"{what} {layer.name}: expected {tuple(shape)}, the HEF has {layer.shape} (H, W, C)"]


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
