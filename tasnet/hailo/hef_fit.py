"""A HEF's inputs and outputs beside those that were expected, by name or in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tasnet.hailo.hef import EdgeLayer, Hef

Shapes = Mapping[str, Sequence[int]] | Sequence[Sequence[int]]
"""NHWC shapes without batch: by layer name (bare, scoped or original), or in order"""


def check_against(hef: Hef, inputs: Shapes, outputs: Shapes) -> list[str]:
    """How the file's inputs and outputs differ from the expected shapes (H, W, C), a line each."""
    return differences("input", hef.inputs, inputs) + differences("output", hef.outputs, outputs)


def in_order_of(names: Sequence[str], layers: Sequence[EdgeLayer]) -> tuple[EdgeLayer, ...]:
    """The layers by these names (bare, scoped or original), if the file says all of them; else as they are."""
    found = [next((layer for layer in layers if name in _names(layer)), None) for name in names]
    told = tuple(layer for layer in found if layer is not None)
    return told if len(told) == len(names) == len(layers) == len({layer.name for layer in told}) else tuple(layers)


def differences(what: str, actual: Sequence[EdgeLayer], expected: Shapes) -> list[str]:
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
