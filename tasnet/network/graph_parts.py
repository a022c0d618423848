"""A variant's nodes, put together from parts that many variants have in common, each traced once.

A graph is its stem (encoder and TCN) and its tail (masks, expansion, product, decoder). A truncated TCN is the
whole one cut after a block, so one stem serves every truncation, decoder and expansion, and one tail serves
every stem. Windows of all lengths share what was traced. The result is node for node and name for name what tracing the
whole network gives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from tasnet.network.convtasnet import ConvTasNet, build_network, input_shape, output_names, output_shapes
from tasnet.network.rewrites import along_time
from tasnet.network.static_graph import (
    Shape,
    StaticNodes,
    Traced,
    live_nodes,
    renamed_nodes,
    static_nodes,
    traced_module,
)
from tasnet.network.variant import Size, Variant
from tasnet.network.weights import asteroid_shapes, head_shapes

_ENCODED, _FEATURES = "/encoder/Conv_output_0", "features"
_TCN = "/masker/"


def joined_nodes(variant: Variant, size: Size, length: int, opset: int, mask_activation: str) -> StaticNodes:
    """The graph of `variant`, which can be built, for `length` samples: from `mix` to `output_names`."""
    stem = _cut_stem(_of_stem(variant), size, length, opset, variant.blocks)
    tail = _tail(_of_tail(variant), size, length, opset, mask_activation)
    joined = renamed_nodes(tail.nodes, {_FEATURES: stem.outputs[-1]})
    types = {name: kind for name, kind in tail.types.items() if name != _FEATURES}
    constants = {**stem.constants, **tail.constants}
    return StaticNodes((*stem.nodes, *joined), {**stem.types, **types}, constants, tail.outputs)


def traced_nodes(variant: Variant, size: Size, length: int, opset: int, mask_activation: str) -> StaticNodes:
    """What `joined_nodes` gives, traced in one piece and from nothing: the reference that the parts must add up to."""
    network = _any_network(variant, size, mask_activation)
    traced = {"mix": input_shape(variant, size, traced_length(variant, size, length))}
    outputs = dict(zip(output_names(variant, size), output_shapes(variant, size, length), strict=True))
    return static_nodes(
        traced_module(network, traced, list(outputs), opset),
        {"mix": input_shape(variant, size, length)},
        outputs,
        opset,
    )


def _of_stem(variant: Variant) -> Variant:
    """The representative of the variants that have `variant`'s stem, up to truncation."""
    return replace(variant, expansion="concat", sources="first", decoder="grouped", blocks=0)


def _of_tail(variant: Variant) -> Variant:
    """The representative of the variants that have `variant`'s tail: skip=off needs as many channels there."""
    return replace(variant, skip="on", encoder="strided", blocks=1, norm="identity")


@lru_cache(maxsize=64)
def _cut_stem(variant: Variant, size: Size, length: int, opset: int, blocks: int) -> StaticNodes:
    """The stem cut after `blocks` blocks (0: not at all); its last output is what the mask head reads."""
    stem = _stem(variant, size, length, opset)
    features = stem.outputs[blocks if 0 < blocks < len(stem.outputs) else -1]
    kept = live_nodes(stem.nodes, (_ENCODED, features))
    # The exporter numbers the sums between the blocks in the order of the file.
    sums = [node.name for node in kept if node.name.startswith(_TCN) and "/" not in node.name[len(_TCN) :]]
    names = {name: f"{_TCN}Add_{index}" if index else f"{_TCN}Add" for index, name in enumerate(sums)}
    values = {f"{old}_output_0": f"{new}_output_0" for old, new in names.items()}
    cut = renamed_nodes(kept, values, names)
    used = {name for node in kept for name in (*node.input, *node.output)}
    types = {values.get(name, name): kind for name, kind in stem.types.items() if name in used}
    constants = {name: array for name, array in stem.constants.items() if name in used}
    return StaticNodes(tuple(cut), types, constants, (_ENCODED, values.get(features, features)))


@lru_cache(maxsize=16)
def _stem(variant: Variant, size: Size, length: int, opset: int) -> StaticNodes:
    """The whole stem. Its outputs: the encoding, and what a mask head would read after each block."""
    traced = _traced_stem(variant, size, traced_length(variant, size, length), opset)
    return static_nodes(traced, {"mix": input_shape(variant, size, length)}, {}, opset)


@lru_cache(maxsize=16)
def _traced_stem(variant: Variant, size: Size, length: int, opset: int) -> Traced:
    network = _any_network(variant, size)

    def forward(mix: Tensor) -> tuple[Tensor, ...]:
        encoded = network.encoder(mix)
        return (encoded, *(network.masker(encoded) if network.masker else ()))

    # Parts are traced inside their modules, whose names the nodes get: only what they compute is replaced.
    _compute(network, forward)
    if network.masker:
        _compute(network.masker, network.masker.features)
    return traced_module(network, {"mix": input_shape(variant, size, length)}, (), opset)


@lru_cache(maxsize=64)
def _tail(variant: Variant, size: Size, length: int, opset: int, mask_activation: str) -> StaticNodes:
    """The tail, from the encoding and (with a mask) what the mask head reads."""
    traced = _traced_tail(variant, size, traced_length(variant, size, length), opset, mask_activation)
    outputs = dict(zip(output_names(variant, size), output_shapes(variant, size, length), strict=True))
    return static_nodes(traced, _between(variant, size, length), outputs, opset)


@lru_cache(maxsize=64)
def _traced_tail(variant: Variant, size: Size, length: int, opset: int, mask_activation: str) -> Traced:
    network = _any_network(variant, size, mask_activation)

    def forward(encoded: Tensor, features: Tensor | None = None) -> tuple[Tensor, ...]:
        return network.estimates(encoded, network.masker(features) if network.masker else None)

    _compute(network, forward)
    if network.masker:
        _compute(network.masker, network.masker.masks)
    return traced_module(network, _between(variant, size, length), output_names(variant, size), opset)


def _compute(module: nn.Module, forward: Callable[..., Any]) -> None:
    vars(module)["forward"] = forward


def _between(variant: Variant, size: Size, length: int) -> dict[str, Shape]:
    """The tail's inputs."""
    plane = along_time(variant.layout, size.frames(length), 1)
    inputs: dict[str, Shape] = {_ENCODED: (1, size.N, *plane)}
    if variant.mask == "normal":
        inputs[_FEATURES] = (1, size.Sc, *plane)
    return inputs


def _any_network(variant: Variant, size: Size, mask_activation: str = "relu") -> ConvTasNet:
    return build_network(variant, size, _AnyWeights(size), mask_activation=mask_activation)


class _AnyWeights(dict[str, Tensor]):
    """Constants, made as they are asked for: the nodes don't depend on the weights.

    No two are equal: of equal ones the exporter would write one, and nodes that lead to it.
    """

    def __init__(self, size: Size) -> None:
        self.shapes = {**asteroid_shapes(size), **head_shapes(size)}
        self.values_of = {name: 1 / (index + 1) for index, name in enumerate(self.shapes)}

    def __missing__(self, name: str) -> Tensor:
        made = self[name] = torch.full(self.shapes[name], self.values_of[name])
        return made


def traced_length(variant: Variant, size: Size, length: int) -> int:
    """Samples on which a graph for `length` samples is traced.

    The nodes don't depend on the length, except that a cumulative norm holds the count of every frame: all
    others are traced on a few frames, which costs nothing.
    """
    return length if variant.norm == "cgln" else min(length, 4 * size.L)
