"""A quantized network, and its run: integers kept as the floats they stand for.

Every result is rounded to its layer's grid, every kernel to its own, every bias to the accumulator's. That is
what the chip's integers mean, but not its order of additions, its rounding of requantization factors or its
tables for activations: figures of this simulation are predictions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from tasnet.hailo.execute import (
    Array,
    DeconvLength,
    Inputs,
    ResultHook,
    RunContext,
    input_tensors,
    output_tensors,
)
from tasnet.hailo.files import Layer, Network
from tasnet.hailo.quantize.calibration import CalibratedRanges, calibrated_ranges
from tasnet.hailo.quantize.scheme import Grid, QuantizeError, Scheme, grid_over

WITH_KERNEL = frozenset({"conv", "dw", "deconv", "dense", "normalization"})
_CHOOSING = frozenset({"shortcut", "feature_splitter", "output_layer", "slice", "resize", "maxpool", "external_pad"})


def keeps_operand_grid(layer: Layer) -> bool:
    """True for a layer whose result is among its operand's values: it keeps the operand's grid."""
    return (
        layer.type in _CHOOSING
        and layer.params.get("method") != "bilinear"
        and layer.params.get("activation", "linear") == "linear"
    )


BIAS_FACTOR = 4
"""bits of a bias in bits of its layer: 32 at a8_w8, where 16 would clip; the vendor composes it of narrower ones"""

Float = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Quantized:
    """A network whose weights lie on their grids, with the grids of its results.

    `reference` is the float network that it stands for. `grids` has no entry for a layer left in float.
    """

    network: Network
    reference: Network
    scheme: Scheme
    calibration: CalibratedRanges
    grids: Mapping[str, Grid]


def quantize_network(network: Network, signals: Inputs, scheme: Scheme | None = None) -> Quantized:
    """Quantizes `network` by what it does on `signals`: [count, H, W, C], or one such array per input layer, by name.

    Raises QuantizeError for a scheme that names a layer that isn't there and for a calibration set that can't be
    used, and ExecuteError for a network that can't be run.
    """
    scheme = scheme or Scheme()
    return quantize_with_ranges(network, calibrated_ranges(network, signals, scheme.clipping), scheme)


def quantize_with_ranges(reference: Network, calibration: CalibratedRanges, scheme: Scheme) -> Quantized:
    """As `quantize_network`, with ranges that are known already."""
    known = {layer.name for layer in reference}
    if unknown := sorted((scheme.sixteen | scheme.floating) - known):
        raise QuantizeError(f"scheme: layer {unknown[0]} isn't in the network; take a name of its HN")
    grids = _grids(reference, calibration, scheme)
    return Quantized(_with_weights(reference, scheme, grids), reference, scheme, calibration, grids)


def run_quantized(quantized: Quantized, inputs: Inputs, *, deconv: DeconvLength = "vendor") -> tuple[Array, ...]:
    """The quantized network's outputs [B, H, W, C], as floats on their grids. What exceeds a range is clipped."""
    scope = RunContext(quantized.network, deconv)
    outputs = output_tensors(scope, input_tensors(quantized.network, inputs), after=rounding_hook(quantized))
    return tuple(np.ascontiguousarray(x.numpy()) for x in outputs)


def rounding_hook(quantized: Quantized) -> ResultHook:
    """The hook that puts every result on its layer's grid."""

    def after(layer: Layer, x: Tensor) -> Tensor:
        found = quantized.grids.get(layer.name)
        return x if found is None or keeps_operand_grid(layer) else round_to_grid(x, found)

    return after


def round_to_grid(x: Tensor, found: Grid) -> Tensor:
    """`x` rounded to the grid, ends clipped. Overwrites it."""
    top = 2**found.bits - 1 - found.zero
    return x.mul_(1 / found.step).round_().clamp_(-found.zero, top).mul_(found.step)


def kernel_step(kernel: Float, bits: int) -> np.float32:
    """The step of a kernel's symmetric grid."""
    largest = np.float32(np.abs(kernel).max())
    return np.float32((largest if largest > 0 else 1) / np.float32(2 ** (bits - 1) - 1))


def _grids(network: Network, calibration: CalibratedRanges, scheme: Scheme) -> dict[str, Grid]:
    grids: dict[str, Grid] = {}
    for layer in network:
        bits = scheme.bits(layer.name)
        span = calibration.ranges[layer.name]
        if keeps_operand_grid(layer) and layer.inputs:
            if (kept := grids.get(layer.inputs[0])) is not None:
                grids[layer.name] = kept
        elif bits is not None:
            grids[layer.name] = grid_over(span.low, span.high, bits)
    return grids


def _with_weights(network: Network, scheme: Scheme, grids: Mapping[str, Grid]) -> Network:
    weights: dict[str, np.ndarray[Any, Any]] = dict(network.weights)
    for layer in network:
        bits = scheme.bits(layer.name)
        kernel, bias = network.weight(layer.name, "kernel"), network.weight(layer.name, "bias")
        if bits is None or kernel is None or layer.type not in WITH_KERNEL:
            continue
        step = kernel_step(kernel, bits)
        weights[f"{network.name}/{layer.name}/kernel:0"] = np.rint(kernel / step) * step
        before = grids.get(layer.inputs[0])
        if bias is not None and before is not None:
            unit = np.float64(step) * before.step
            limit = 2.0 ** (BIAS_FACTOR * bits - 1)
            rounded = np.clip(np.rint(bias / unit), -limit, limit - 1) * unit
            weights[f"{network.name}/{layer.name}/bias:0"] = rounded.astype(np.float32)
    return replace(network, weights=MappingProxyType(weights))
