"""Layers of HN whose order is plain: convolutions on a row of so many positions and channels."""

from __future__ import annotations

from dataclasses import replace

from tasnet.hailo.files import Layer


def conv(width: int, given: int, made: int, activation: str = "linear", **params: object) -> Layer:
    """A 1x1 convolution on a row."""
    own = {
        "kernel_shape": [1, 1, given, made],
        "strides": [1, 1, 1, 1],
        "dilations": [1, 1, 1, 1],
        "groups": 1,
        "activation": activation,
    }
    return Layer("conv", "conv", (), (), ((-1, 1, width, given),), ((-1, 1, width, made),), params=own | params)


def depthwise(width: int, channels: int, dilation: int) -> Layer:
    """Three taps on a row, each channel by itself."""
    shape = (-1, 1, width, channels)
    params = {"kernel_shape": [1, 3, channels, 1], "strides": [1, 1, 1, 1], "groups": 1, "activation": "linear"}
    return Layer("dw", "dw", (), (), (shape,), (shape,), params=params | {"dilations": [1, 1, dilation, 1]})


def turned(layer: Layer) -> Layer:
    """The same layer with its width along the height."""

    def shape(each: tuple[int, ...]) -> tuple[int, int, int, int]:
        return (each[0], each[2], each[1], each[3])

    kernel = layer.params["kernel_shape"]
    params = {**layer.params, "kernel_shape": [kernel[1], kernel[0], *kernel[2:]]}
    return replace(
        layer,
        input_shapes=tuple(map(shape, layer.input_shapes)),
        output_shapes=tuple(map(shape, layer.output_shapes)),
        params=params,
    )
