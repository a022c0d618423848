"""Runs the layers of a graph in order, on tensors; each result is freed after its last reader."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from torch import Tensor

from tasnet.hailo.execute import convolution, elementwise, joins, pooling
from tasnet.hailo.execute.activation import activate
from tasnet.hailo.execute.context import ExecuteError, Kernel, RunContext, layer_error
from tasnet.hailo.files import Layer, Network

ResultHook = Callable[[Layer, Tensor], Tensor]
"""Takes a layer and its result [B, H, W, C], and returns the result to go on with; it may overwrite the one given."""

KERNELS: Mapping[str, Kernel] = {
    **convolution.KERNELS,
    **pooling.KERNELS,
    **elementwise.KERNELS,
    **joins.KERNELS,
}

_VIEWS = frozenset({"shortcut", "feature_splitter", "output_layer", "activation", "slice", "resize", "const_input"})
"""layers whose result may be the memory of another"""

_OPERANDS = {"ew_add": 2, "ew_sub": 2, "ew_mult": 2, "const_input": 0}


def output_tensors(
    context: RunContext,
    inputs: Mapping[str, Tensor],
    *,
    before: ResultHook | None = None,
    after: ResultHook | None = None,
) -> tuple[Tensor, ...]:
    """The outputs [B, H, W, C] in the order of `network.output_layers`.

    `before` sees each result ahead of the layer's activation, `after` behind it. Raises ExecuteError.
    """
    outputs = dict.fromkeys(context.network.output_layers)
    found = layer_tensors(context, inputs, before=before, after=after)
    results = {layer.name: x for layer, x in found if layer.name in outputs}
    return tuple(results[name] for name in context.network.output_layers)


def layer_tensors(
    context: RunContext,
    inputs: Mapping[str, Tensor],
    *,
    before: ResultHook | None = None,
    after: ResultHook | None = None,
) -> Iterator[tuple[Layer, Tensor]]:
    """Each layer with its result [B, H, W, C], every layer after its operands. Copy what is to be kept: the memory of a
    result belongs to the layers that read it. `before`, `after` and errors are as of `output_tensors`.
    """
    network = context.network
    results: dict[str, Tensor] = {}
    splitters = {layer.name: layer for layer in network if layer.type == "feature_splitter"}
    waiting = Counter(name for layer in network for name in layer.inputs)
    for layer in ordered(network):
        if layer.type == "input_layer":
            x, own = inputs[layer.name], False
        else:
            operands = [
                _part(splitters[name], layer, results[name]) if name in splitters else results[name]
                for name in layer.inputs
            ]
            x, own = _result(layer, operands, context), layer.type not in _VIEWS
        if before is not None and layer.type != "input_layer":
            x, own = before(layer, x if own else x.clone()), True
        x = activate(layer, x, context, own=own)
        own = own or layer.params.get("activation", "linear") != "linear"
        if after is not None:
            x = after(layer, x if own else x.clone())
        _check_shape(layer, x, context)
        if waiting[layer.name]:
            results[layer.name] = x
        for name in layer.inputs:
            waiting[name] -= 1
            if not waiting[name]:
                results.pop(name, None)
        yield layer, x
        # or the last result would live as long as the next one takes
        del x


def _part(splitter: Layer, reader: Layer, x: Tensor) -> Tensor:
    """The channels of a `feature_splitter` that belong to the reader's place in its `outputs`."""
    if splitter.outputs.count(reader.name) != 1 or len(splitter.outputs) != len(splitter.output_shapes):
        raise ExecuteError(
            f"layer {reader.name} ({reader.type}): {splitter.name} doesn't say which part it reads; translate again"
        )
    place = splitter.outputs.index(reader.name)
    sizes = [shape[3] for shape in splitter.output_shapes]
    start = sum(sizes[:place])
    return x[..., start : start + sizes[place]]


def ordered(network: Network) -> Iterator[Layer]:
    """The layers, each after its operands. Raises ExecuteError for a graph that has a cycle or no outputs."""
    if not network.output_layers:
        raise ExecuteError(f"network {network.name}: names no output layers; translate the model again")
    by_name = {layer.name: layer for layer in network}
    for name in network.output_layers:
        if name not in by_name:
            raise ExecuteError(f"network {network.name}: its output layer {name} isn't in the graph")
    done: set[str] = set()
    # the translator's own order is one; others need more rounds
    waiting: Sequence[Layer] = network.layers
    while waiting:
        later = []
        for layer in waiting:
            if done.issuperset(layer.inputs):
                done.add(layer.name)
                yield layer
            else:
                later.append(layer)
        if len(later) == len(waiting):
            raise ExecuteError(f"layer {later[0].name} ({later[0].type}): waits for itself; translate the model again")
        waiting = later


def _result(layer: Layer, operands: Sequence[Tensor], context: RunContext) -> Tensor:
    kernel = KERNELS.get(layer.type)
    if kernel is None:
        raise ExecuteError(f"layer {layer.name}: type {layer.type} can't be run; {', '.join(sorted(KERNELS))} can")
    needed = _OPERANDS.get(layer.type, max(1, len(operands)) if layer.type == "concat" else 1)
    if len(operands) != needed:
        raise layer_error(layer, f"{len(operands)} inputs, {needed} are needed")
    if operands and layer.type != "const_input":
        batch = max(x.shape[0] for x in operands)
        # a constant knows no batch
        operands = [x.expand(batch, -1, -1, -1) if x.shape[0] == 1 else x for x in operands]
    return kernel(layer, operands, context)


def _check_shape(layer: Layer, x: Tensor, context: RunContext) -> None:
    """A result has the graph's shape, or (behind a deconvolution of ONNX's length) its channels at least."""
    compared = slice(2, 3) if context.deconv == "onnx" else slice(0, 3)
    found, expected = list(x.shape[1:]), list(layer.output_shape[1:])
    if layer.type == "feature_splitter":
        expected[2] = sum(shape[3] for shape in layer.output_shapes)
    if found[compared] != expected[compared]:
        raise layer_error(layer, f"gives {found} (H, W, C) where its graph says {expected}; translate the model again")
