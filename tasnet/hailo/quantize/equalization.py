"""Equalization: the weights of neighbouring layers brought to one range, channel by channel.

Nagel et al. 2019 (Data-Free Quantization Through Weight Equalization and Bias Correction): a channel's factor
goes through any activation with f(s x) = s f(x), so it can be taken off one layer and put on the next.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from tasnet.hailo.execute import HOMOGENEOUS_ACTIVATIONS
from tasnet.hailo.files import Layer, Network

_WRITERS = frozenset({"conv", "dw"})
_READERS = frozenset({"conv", "dw"})


def equalized(network: Network, rounds: int = 2) -> Network:
    """The same function, its weights evened out; every pair in turn, `rounds` times.

    A layer takes part when it is a conv or dw with a homogeneous activation, and all that read it are convs
    without groups or dws. With r1 and r2 the largest weights of a channel before and behind it, the layer's
    channel is divided by sqrt(r1 / r2), its readers' multiplied by it.
    """
    weights: dict[str, np.ndarray[Any, Any]] = dict(network.weights)
    by_name = {layer.name: layer for layer in network}
    for _ in range(rounds):
        for layer in network:
            readers = [by_name[name] for name in layer.outputs]
            if _takes_part(layer, readers, network):
                _even_out(weights, network.name, layer, readers)
    return replace(network, weights=MappingProxyType(weights))


def _takes_part(layer: Layer, readers: list[Layer], network: Network) -> bool:
    return (
        layer.type in _WRITERS
        and layer.params.get("activation", "linear") in HOMOGENEOUS_ACTIVATIONS
        and bool(readers)
        and all(r.type in _READERS and int(r.params.get("groups", 1)) == 1 for r in readers)
        and all(network.weight(each.name, "kernel") is not None for each in (layer, *readers))
        and network.weight(layer.name, "bias") is not None
        # a slope per channel is homogeneous too, and the padding of a reader is zero or it isn't
        and not any(np.any(network.weight(r.name, "padding_const_value") or 0) for r in readers)
    )


def _even_out(weights: dict[str, Any], scope: str, layer: Layer, readers: list[Layer]) -> None:
    def key(name: str, what: str = "kernel") -> str:
        return f"{scope}/{name}/{what}:0"

    kernel = weights[key(layer.name)]
    own_axis = out_axis(layer)
    r1 = np.abs(kernel).max(axis=tuple(a for a in range(4) if a != own_axis)).astype(np.float64)
    r2 = np.max([np.abs(weights[key(r.name)]).max(axis=(0, 1, 3)) for r in readers], axis=0).astype(np.float64)
    alive = (r1 > 0) & (r2 > 0)
    factor = np.ones_like(r1)
    # a thousandfold at most: a channel that is all but dead stays so
    factor[alive] = np.clip(np.sqrt(r1[alive] / r2[alive]), 1e-3, 1e3)
    shape = [1, 1, 1, 1]
    shape[own_axis] = -1
    weights[key(layer.name)] = (kernel / factor.reshape(shape)).astype(np.float32)
    weights[key(layer.name, "bias")] = (weights[key(layer.name, "bias")] / factor).astype(np.float32)
    for reader in readers:
        weights[key(reader.name)] = (weights[key(reader.name)] * factor.reshape(1, 1, -1, 1)).astype(np.float32)


def out_axis(layer: Layer) -> int:
    """The axis of a kernel that counts output channels: [kh, kw, cin, cout], depthwise [kh, kw, c, 1]."""
    if layer.type == "dense":
        return 1
    return 2 if layer.type in {"dw", "normalization"} else 3
