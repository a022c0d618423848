"""What `tasnet listen` made of a mix: waves, figures, and what their files are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasnet.suite.numerics.metrics import Distance
from tasnet.suite.numerics.stages import NAMES, STAGES, Staged

Samples = npt.NDArray[np.float32]

PAGE = "index.html"

TELLING = 0.001
"""share of clipped samples that is worth a word: single ones are nothing to hear"""


@dataclass(frozen=True)
class Mix:
    """`mix` [T] at `rate` Hz, whole windows, and the recordings [n, T] that it is the sum of: none for a single file.

    `left_out` samples of the shortest recording came after the last window.
    """

    mix: Samples
    references: Samples
    names: tuple[str, ...]
    rate: int
    left_out: int = 0


@dataclass(frozen=True)
class Heard:
    """What was made: `waves` by stage [sources, T], their distances from PyTorch, and SI-SDRi where it is known.

    The wavs are the waves times `gain`, which is one for all. `clipped` is the share (0 to 1) of the mix's samples that
    lie outside of the range that the 8 bits were calibrated on, None where there are no 8 bits.
    """

    staged: Staged
    mix: Mix
    waves: Mapping[str, Samples]
    distances: Mapping[str, Distance]
    improvements: Mapping[str, float]
    gain: float
    clipped: float | None


def files(heard: Heard) -> dict[str, Samples]:
    """Every wav of the folder by its name: what was given as it is, what was separated times the gain."""
    given = {"mix.wav": heard.mix.mix}
    given |= {f"recording{i}.wav": wave for i, wave in enumerate(heard.mix.references, 1)}
    return given | {
        wav_name(stage, i): wave * np.float32(heard.gain)
        for stage in order(heard)
        for i, wave in enumerate(heard.waves.get(stage, ()), 1)
    }


def wav_name(stage: str, source: int) -> str:
    """The file of a stage's source, counted from 1."""
    return f"{stage}_source{source}.wav"


def order(heard: Heard) -> tuple[str, ...]:
    """The stages that were asked for, in the order of the network's way to the chip."""
    asked = {*STAGES, *heard.waves, *heard.staged.missing}
    return tuple(stage for stage in NAMES if stage in asked)
