"""A HEF beside what was asked for: its architecture, and its inputs and outputs by name or in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tasnet.hailo.files.hef import EdgeLayer, Hef, HefError, read_hef

Shapes = Mapping[str, Sequence[int]] | Sequence[Sequence[int]]
"""NHWC shapes without batch: by layer name (bare, scoped or original), or in order"""


def check_against(hef: Hef, inputs: Shapes, outputs: Shapes) -> list[str]:
    """How the file's inputs and outputs differ from the expected shapes (H, W, C), a line each."""
    return shape_differences("input", hef.inputs, inputs) + shape_differences("output", hef.outputs, outputs)


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
        return f"no HEF that can be read ({str(error).removeprefix(f'{path.name}: ')})"
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
    """The layers by these names (bare, scoped or original), if the file says all of them; else as they are."""
    found = [next((layer for layer in layers if name in _names(layer)), None) for name in names]
    told = tuple(layer for layer in found if layer is not None)
    return told if len(told) == len(names) == len(layers) == len({layer.name for layer in told}) else tuple(layers)


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
