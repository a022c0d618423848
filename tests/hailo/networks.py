"""Networks of one or a few layers, written by hand: what no translator need have written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tasnet.hailo.execute import Array, visit_layers
from tasnet.hailo.files.hn import Layer, Network

HWC = tuple[int, int, int]


def one_layer(
    kind: str,
    inputs: Sequence[HWC],
    output: HWC,
    params: Mapping[str, Any],
    weights: Mapping[str, np.ndarray] | None = None,
) -> Network:
    """Input layers of the shapes `inputs`, one layer `kind`1, and its output layer."""
    name = f"{kind}1"
    sources = [f"input_layer{i + 1}" for i in range(len(inputs))]
    layers = [
        Layer(source, "input_layer", (), (name,), ((-1, *shape),), ((-1, *shape),))
        for source, shape in zip(sources, inputs, strict=True)
    ]
    shapes = tuple((-1, *shape) for shape in inputs)
    layers += [
        Layer(name, kind, tuple(sources), ("output_layer1",), shapes, ((-1, *output),), (), dict(params)),
        Layer("output_layer1", "output_layer", (name,), (), ((-1, *output),), ((-1, *output),)),
    ]
    arrays = {f"net/{name}/{what}:0": np.asarray(value, np.float32) for what, value in (weights or {}).items()}
    return Network("net", tuple(layers), (name,), arrays)


def floats(*shape: int, seed: int = 0) -> np.ndarray:
    """Random float32 values."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def conv_params(kernel: Sequence[int], **changes: Any) -> dict[str, Any]:
    """Parameters of a conv, dw or deconv."""
    base: dict[str, Any] = {
        "kernel_shape": list(kernel),
        "strides": [1, 1, 1, 1],
        "dilations": [1, 1, 1, 1],
        "padding": "VALID",
        "groups": 1,
        "batch_norm": False,
        "elementwise_add": False,
        "activation": "linear",
    }
    return base | changes


def results(network: Network, inputs: Array, **how: Any) -> dict[str, Array]:
    """Every layer's result [B, H, W, C] of a run, by the layer's name."""
    kept: dict[str, Array] = {}
    visit_layers(network, inputs, lambda layer, x: kept.update({layer.name: x.copy()}), **how)
    return kept
