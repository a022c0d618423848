"""Between waves and a network's arrays: what goes in, what comes out, PyTorch in between, and windows in a row.

Nothing here needs ONNX: a machine with a chip compares the chip with PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from tasnet.network import Size, Variant, Weights, build_network, to_host_input, to_waveform

Signal = npt.NDArray[Any]


def host_input(variant: Variant, size: Size, waves: Signal) -> Signal:
    """Waves [B, T] as the network takes them: float32, NCHW."""
    return np.ascontiguousarray(to_host_input(variant, size, np.asarray(waves, np.float32)))


def host_frames(variant: Variant, size: Size, waves: Signal) -> Signal:
    """Waves [B, T] as a HAR's graph and a HEF take them: float32, NHWC."""
    return np.ascontiguousarray(host_input(variant, size, waves).transpose(0, 2, 3, 1))


def waveform(variant: Variant, size: Size, outputs: Sequence[Signal]) -> Signal:
    """The outputs, NCHW, as waves [B, sources, T']; the frame-rate head's as they are, [B, sources, frames]."""
    if variant.decoder == "conv1x1_head":
        return outputs[0].reshape(*outputs[0].shape[:2], -1)
    return to_waveform(variant, size, outputs)


def frames_waveform(variant: Variant, size: Size, outputs: Sequence[Signal]) -> Signal:
    """`waveform` of outputs in NHWC, as float32."""
    planes = [np.asarray(output, np.float32).transpose(0, 3, 1, 2) for output in outputs]
    return np.asarray(waveform(variant, size, planes), np.float32)


def torch_waveform(
    variant: Variant,
    size: Size,
    weights: Weights,
    mix: Signal,
    *,
    mask_activation: str = "relu",
    dtype: torch.dtype = torch.float32,
) -> Signal:
    """What PyTorch makes of a mix [B, T] in the precision of `dtype`."""
    network = build_network(variant, size, weights, mask_activation=mask_activation).to(dtype)
    outputs = network(to_host_input(variant, size, torch.from_numpy(np.array(mix)).to(dtype)))
    return waveform(variant, size, [output.numpy() for output in outputs])


def each_window(run: Callable[[Signal], Signal], windows: Signal) -> Signal:
    """`run` on one window [1, T] of `windows` [B, T] after the other: all at once would take a gigabyte each."""
    return np.concatenate([run(windows[index : index + 1]) for index in range(len(windows))])


def in_a_row(waves: Signal, length: int) -> npt.NDArray[np.float32]:
    """Windows [B, sources, T'] -> [sources, B * length], with zeros where a window has fewer samples."""
    padded = np.pad(waves, ((0, 0), (0, 0), (0, length - waves.shape[2])))
    return np.asarray(padded.swapaxes(0, 1).reshape(waves.shape[1], -1), np.float32)
