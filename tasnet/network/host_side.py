"""What the host does beside the network: a wave -> what it takes, and what it gives -> waves. Reshapes alone.

Takes numpy arrays and torch's, and needs no torch: whoever calibrates a compiler has waves, and no network.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from tasnet.network.variant import Size, Variant, VariantError

if TYPE_CHECKING:
    import torch

Array = TypeVar("Array", np.ndarray, "torch.Tensor")
"""A numpy array or a torch tensor: both know `reshape` and `swapaxes`."""


def source_count(variant: Variant, size: Size) -> int:
    """Sources that the variant gives: all, or the first alone."""
    return 1 if variant.sources == "first" else size.n_src


def to_host_input(variant: Variant, size: Size, wave: Array) -> Array:
    """A wave [B, T] -> what the network takes, as `input_shape` says (with B for its 1). Exact."""
    if variant.encoder == "polyphase":
        planes = deinterleave(wave, size.stride)
    else:
        planes = wave.reshape(wave.shape[0], 1, wave.shape[1])
    batch, channels, time = planes.shape
    return planes.reshape(batch, channels, *((time, 1) if variant.layout == "vertical" else (1, time)))


def to_waveform(variant: Variant, size: Size, outputs: Sequence[Array]) -> Array:
    """The network's outputs, in the order of `output_names` -> waves [B, sources, (T // stride) * stride].

    Exact: reshapes only. Asteroid pads the end with zeros to T; so may the caller.
    Raises VariantError for `conv1x1_head`, whose output has one value per frame and is no waveform.
    """
    if variant.decoder == "conv1x1_head":
        raise VariantError("decoder=conv1x1_head: one value per frame, there is no waveform in it")
    sources = source_count(variant, size) // len(outputs)
    waves = []
    for output in outputs:
        batch, channels = output.shape[:2]
        planes = output.reshape(batch, channels, -1)
        waves.append(interleave(planes, sources) if variant.decoder == "polyphase" else planes)
    if len(waves) == 1:
        return waves[0]
    if isinstance(waves[0], np.ndarray):
        return np.concatenate(waves, 1)
    import torch

    return torch.cat(waves, 1)


def deinterleave(wave: Array, phases: int) -> Array:
    """[B, T] -> [B, phases, T // phases]: sample t goes to channel t mod phases.

    Exact: samples that don't fill a column are dropped; no frame of the strided encoder reads them.
    """
    columns = wave.shape[1] // phases
    return wave[:, : columns * phases].reshape(wave.shape[0], columns, phases).swapaxes(1, 2)


def interleave(frames: Array, n_src: int) -> Array:
    """[B, n_src * phases, F] -> [B, n_src, F * phases]: the phases of each frame put in a row. Exact."""
    batch, channels, columns = frames.shape
    phases = channels // n_src
    planes = frames.reshape(batch, n_src, phases, columns)
    return planes.swapaxes(2, 3).reshape(batch, n_src, columns * phases)
