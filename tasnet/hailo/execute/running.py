"""Runs a network on arrays and gives its outputs, or every layer's result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tasnet.hailo.execute.context import DeconvLength, ExecuteError, RunContext, layer_error
from tasnet.hailo.execute.traversal import layer_tensors, output_tensors
from tasnet.hailo.files import Layer, Network

Array = npt.NDArray[Any]
Inputs = Array | Mapping[str, Array]
"""[B, H, W, C], or one such array per input layer, by its name"""


def run_network(network: Network, inputs: Inputs, *, deconv: DeconvLength = "vendor") -> tuple[Array, ...]:
    """The network's outputs [B, H, W, C] in the order of `network.output_layers`; B may be anything but 0.

    `deconv` says which samples of a deconvolution are kept. Inputs of any amplitude are taken as they are: in float
    nothing clips.

    Raises ExecuteError for an input of another shape or with numbers that aren't finite, for a layer that can't
    be run, whose weights are missing or of another shape, and for a result that isn't finite.
    """
    context = RunContext(network, deconv)
    given = input_tensors(network, inputs)
    outputs = output_tensors(context, given)
    if not all(bool(torch.isfinite(x).all()) for x in outputs):
        output_tensors(context, given, after=_finite)
        raise AssertionError(f"network {network.name}: a result that isn't finite was finite when it was run again")
    return tuple(np.ascontiguousarray(x.numpy()) for x in outputs)


def visit_layers(
    network: Network,
    inputs: Inputs,
    see: Callable[[Layer, Array], None],
    *,
    deconv: DeconvLength = "vendor",
) -> None:
    """Calls `see` with each layer and its result [B, H, W, C]. The memory is used again: copy what is to be kept."""
    context = RunContext(network, deconv)
    for layer, x in layer_tensors(context, input_tensors(network, inputs)):
        see(layer, x.numpy())


def input_tensors(network: Network, inputs: Inputs) -> dict[str, Tensor]:
    """The inputs as float32 tensors by their input layers' names. Raises ExecuteError."""
    layers = [layer for layer in network if layer.type == "input_layer"]
    if not layers:
        raise ExecuteError(f"network {network.name}: has no input layer; translate the model again")
    names = ", ".join(layer.name for layer in layers)
    if isinstance(inputs, Mapping):
        given = dict(inputs)
    elif len(layers) == 1:
        given = {layers[0].name: inputs}
    else:
        raise ExecuteError(f"network {network.name}: has {len(layers)} inputs ({names}); give an array for each")
    if unknown := sorted(given.keys() - {layer.name for layer in layers}):
        raise ExecuteError(f"network {network.name}: has no input layer {unknown[0]}; it has {names}")
    tensors = {}
    for layer in layers:
        if layer.name not in given:
            raise ExecuteError(f"network {network.name}: input {layer.name} is not given; give an array for it")
        tensors[layer.name] = _checked(layer, given[layer.name])
    if len({x.shape[0] for x in tensors.values()}) > 1:
        raise ExecuteError(f"network {network.name}: its inputs differ in their batch; give one batch to all")
    return tensors


def _checked(layer: Layer, given: Array) -> Tensor:
    array = np.asarray(given)
    needed = list(layer.output_shape[1:])
    if not np.issubdtype(array.dtype, np.floating):
        raise ExecuteError(f"input {layer.name}: {array.dtype} values; give floats, samples in [-1, 1]")
    if array.ndim != 4 or list(array.shape[1:]) != needed:
        raise ExecuteError(
            f"input {layer.name}: an array {list(array.shape)}; [batch, {', '.join(map(str, needed))}] (NHWC) is needed"
        )
    if not array.shape[0]:
        raise ExecuteError(f"input {layer.name}: a batch of 0; give at least one signal")
    wrong = int(array.size - np.count_nonzero(np.isfinite(array)))
    if wrong:
        raise ExecuteError(f"input {layer.name}: {wrong} of {array.size} values are NaN or infinite; mend the signal")
    # a copy: torch has no read-only tensors, and the caller's input must not change
    return torch.from_numpy(np.array(array, order="C")).to(torch.float32)


def _finite(layer: Layer, x: Tensor) -> Tensor:
    if not bool(torch.isfinite(x).all()):
        raise layer_error(layer, "gives NaN or infinity on this input; look at its weights")
    return x
