"""Checks that an HN is a network: layers, links without a cycle, shapes and weights that fit one another.

A graph of nothing, or of shapes that no layer could leave, has no row that is too wide: without these checks it would
be called clear. What is checked follows from what the layers are; a type that isn't known here is held to its
neighbours alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from tasnet.common import TasnetError, printable

if TYPE_CHECKING:
    from tasnet.hailo.files.hn import Layer, Network, Shape

MAX_AXIS_SIZE = 1 << 24
"""the largest size along one axis: 17 minutes of audio at 16 kHz"""

_SOURCES = frozenset({"input_layer", "const_input"})
_IO = _SOURCES | {"output_layer"}
_WITH_KERNEL = frozenset({"conv", "dw", "deconv", "dense"})


class HNError(TasnetError, ValueError):
    """An HN that can't be read, or is no network. The message says what is wrong and where."""


def check_network(network: Network, *, weights: bool) -> None:
    """Raises HNError for the first thing that makes `network` none; without `weights` those are not looked at."""
    if all(layer.type in _IO for layer in network):
        raise HNError("the graph has no layer beside its inputs and outputs; translate the model again")
    if not any(layer.type == "input_layer" for layer in network):
        raise HNError("the graph has no input_layer; translate the model again")
    layers, ends = _named(network), _ends(network)
    for layer in network:
        _check_links(layer, layers, ends)
        _check_shapes(layer, layers)
    _check_order(network, layers)
    if all(shape[1:] == (1, 1, 1) for layer in network for shape in layer.output_shapes):
        raise HNError("every shape of the graph is 1x1x1: there is nothing to place; translate the model again")
    if weights:
        _check_weights(network)


def _named(network: Network) -> dict[str, Layer]:
    layers: dict[str, Layer] = {}
    for layer in network:
        if layer.name in layers:
            raise HNError(f"two layers are called {printable(layer.name)}; names must differ without their scopes too")
        layers[layer.name] = layer
    for name in network.output_layers:
        if name not in layers:
            raise HNError(f"net_params.output_layers_order names {printable(name)}, which is not in the graph")
    return layers


def _check_links(layer: Layer, layers: Mapping[str, Layer], ends: frozenset[str]) -> None:
    """Both layers of a link name each other; every layer has an input and, unless it is an output, a reader."""
    name = printable(layer.name)
    for other in (*layer.inputs, *layer.outputs):
        if other not in layers:
            raise HNError(f"layer {name} names {printable(other)}, which is not in the graph")
        if other == layer.name:
            raise HNError(f"layer {name} reads itself")
    for other in layer.inputs:
        if layer.name not in layers[other].outputs:
            raise HNError(f"layer {name} reads {printable(other)}, whose 'output' doesn't name it")
    for other in layer.outputs:
        if layer.name not in layers[other].inputs:
            raise HNError(f"layer {name} leads to {printable(other)}, whose 'input' doesn't name it")
    if layer.type in _SOURCES and layer.inputs:
        raise HNError(f"layer {name} ({layer.type}) has an input")
    if layer.type not in _SOURCES and not layer.inputs:
        raise HNError(f"layer {name} has no input")
    if not layer.outputs and layer.name not in ends:
        raise HNError(f"layer {name} leads nowhere, and is no output of the graph")


def _ends(network: Network) -> frozenset[str]:
    """The layers that need no reader: the outputs. Old files may name none; then any layer without a reader is one."""
    named = {layer.name for layer in network if layer.type == "output_layer"}.union(network.output_layers)
    return frozenset(named or (layer.name for layer in network))


def _check_shapes(layer: Layer, layers: Mapping[str, Layer]) -> None:
    name = printable(layer.name)
    for shape in (*layer.input_shapes, *layer.output_shapes):
        if not all(1 <= size <= MAX_AXIS_SIZE for size in shape[1:]):
            found = printable(_text(shape), 60)
            raise HNError(f"layer {name}: the shape {found} needs sizes from 1 to {MAX_AXIS_SIZE:,}")
    if len(layer.input_shapes) != len(layer.inputs) and layer.type not in _SOURCES:
        raise HNError(f"layer {name} has {len(layer.inputs)} inputs and {len(layer.input_shapes)} input shapes")
    for producer, shape in zip(layer.inputs, layer.input_shapes, strict=False):
        left = layers[producer].output_shapes
        # A dense layer reads its operand flattened.
        fits = any(
            each[1:] == shape[1:] or (layer.type == "dense" and prod(each[1:]) == prod(shape[1:])) for each in left
        )
        if not fits:
            raise HNError(
                f"layer {name} reads {_text(shape)} from {printable(producer)}, which leaves {_text(left[0])}"
            )
    reason = _FITS[layer.type](layer) if layer.type in _FITS else None
    if reason is not None:
        raise HNError(f"layer {name} ({layer.type}) can't leave {_text(layer.output_shape)}: {reason}")


def _check_order(network: Network, layers: Mapping[str, Layer]) -> None:
    waiting = {layer.name: len(set(layer.inputs)) for layer in network}
    ready = deque(name for name, count in waiting.items() if not count)
    done = 0
    while ready:
        done += 1
        for consumer in dict.fromkeys(layers[ready.popleft()].outputs):
            waiting[consumer] -= 1
            if not waiting[consumer]:
                ready.append(consumer)
    if done < len(waiting):
        name = next(name for name, count in waiting.items() if count > 0)
        raise HNError(f"layer {printable(name)} stands in a circle, or behind one: it reads what depends on itself")


def _check_weights(network: Network) -> None:
    """Kernels of their layer's shape, and numbers alone. Real files hold more arrays than are known here."""
    for layer in network:
        if layer.type not in _WITH_KERNEL:
            continue
        shape = [int(size) for size in layer.params["kernel_shape"]]
        kernel, bias = network.weight(layer.name, "kernel"), network.weight(layer.name, "bias")
        if kernel is None:
            raise HNError(f"layer {printable(layer.name)} has no kernel among the weights; translate the model again")
        # Of a layer with groups the vendor's kernel_shape may name all input channels.
        sizes = {prod(shape), prod(shape) // int(layer.params.get("groups", 1))}
        if kernel.size not in sizes:
            found = printable(str(list(kernel.shape)), 60)
            raise HNError(f"layer {printable(layer.name)}: its kernel is {found}, and kernel_shape says {shape}")
        if bias is not None and bias.size != layer.output_shape[3]:
            found = f"{bias.size} values of bias for {layer.output_shape[3]} channels"
            raise HNError(f"layer {printable(layer.name)}: {found}; translate the model again")
    for key, array in network.weights.items():
        if not np.isfinite(array).all():
            raise HNError(f"weight {printable(key)} holds a NaN, or is infinite in float32; mend the weights")


def _conv(layer: Layer) -> str | None:
    kernel, groups = _kernel(layer), int(layer.params.get("groups", 1))
    source, result = layer.input_shapes[0], layer.output_shape
    if source[3] not in {kernel[2], kernel[2] * groups} or source[3] % groups:
        return f"its kernel_shape {kernel} is for {kernel[2]} channels, and it reads {source[3]}"
    if result[3] != kernel[3] or result[3] % groups:
        return f"its kernel_shape {kernel} leaves {kernel[3]} channels"
    return _strided(layer)


def _dw(layer: Layer) -> str | None:
    kernel, source = _kernel(layer), layer.input_shapes[0]
    if source[3] != kernel[2] or layer.output_shape[3] != kernel[2] * kernel[3]:
        return f"its kernel_shape {kernel} is for {kernel[2]} channels, and it reads {source[3]}"
    return _strided(layer)


def _deconv(layer: Layer) -> str | None:
    kernel, groups = _kernel(layer), int(layer.params.get("groups", 1))
    source, result = layer.input_shapes[0], layer.output_shape
    if source[3] not in {kernel[2], kernel[2] * groups} or source[3] % groups:
        return f"its kernel_shape {kernel} is for {kernel[2]} channels, and it reads {source[3]}"
    return None if result[3] in {kernel[3], kernel[3] * groups} else f"its kernel_shape {kernel}"


def _strided(layer: Layer) -> str | None:
    """Height and width of a convolution, where the padding is one of the vendor's three words for one."""
    kernel, padding = layer.kernel, layer.params.get("padding")
    for axis, size in ((1, kernel[0]), (2, kernel[1])):
        stride, dilation = int(layer.params["strides"][axis]), int(layer.params["dilations"][axis])
        read, left = layer.input_shapes[0][axis], layer.output_shape[axis]
        span = (size - 1) * dilation + 1
        if padding == "VALID" and left != (read - span) // stride + 1:
            return f"{read} read by a kernel of {span} at stride {stride}"
        if padding in {"SAME", "SAME_TENSORFLOW"} and left != -(-read // stride):
            return f"{read} read at stride {stride} with padding {padding}"
    return None


def _dense(layer: Layer) -> str | None:
    shape, source, result = _kernel(layer), layer.input_shapes[0], layer.output_shape
    if shape == [prod(source[1:]), prod(result[1:])]:
        return None
    # Or at every position alike.
    if [source[3], result[3]] == shape and source[1:3] == result[1:3]:
        return None
    return f"its kernel_shape is {shape}, and it reads {_text(source)}"


def _same(layer: Layer) -> str | None:
    return None if layer.input_shapes[0][1:] == layer.output_shape[1:] else f"it reads {_text(layer.input_shapes[0])}"


def _split(layer: Layer) -> str | None:
    """The parts, one per consumer, add up along the channels."""
    source, parts = layer.input_shapes[0], layer.output_shapes
    if all(part[1:3] == source[1:3] for part in parts) and sum(part[3] for part in parts) == source[3]:
        return None
    return f"its parts are {' + '.join(_text(part) for part in parts[:4])}, and it reads {_text(source)}"


def _elementwise(layer: Layer) -> str | None:
    """An operand is repeated up to the result's size, a whole number of times."""
    result = layer.output_shape[1:]
    for shape in layer.input_shapes:
        if any(left % read for read, left in zip(shape[1:], result, strict=True)):
            return f"it reads {_text(shape)}"
    return None


def _concat(layer: Layer) -> str | None:
    """Along one axis the sizes add up; all others are one size."""
    columns = zip(*(shape[1:] for shape in layer.input_shapes), strict=True)
    summed = 0
    for sizes, left in zip(columns, layer.output_shape[1:], strict=True):
        if set(sizes) != {left}:
            summed += 1
            if sum(sizes) != left:
                return f"it reads {' + '.join(_text(shape) for shape in layer.input_shapes[:4])}"
    return None if summed <= 1 else "it joins along more than one axis"


_FITS: Mapping[str, Callable[[Layer], str | None]] = {
    "conv": _conv,
    "dw": _dw,
    "deconv": _deconv,
    "dense": _dense,
    "concat": _concat,
    "ew_add": _elementwise,
    "ew_sub": _elementwise,
    "ew_mult": _elementwise,
    "activation": _same,
    "normalization": _same,
    "feature_multiplier": _same,
    "feature_splitter": _split,
    "softmax": _same,
    "shortcut": _same,
    "output_layer": _same,
}
"""Layer type -> why its output can't follow from its inputs, or None."""


def _kernel(layer: Layer) -> list[int]:
    return [int(size) for size in layer.params["kernel_shape"]]


def _text(shape: Shape) -> str:
    return "x".join(map(str, shape[1:]))
