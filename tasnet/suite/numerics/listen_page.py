"""What `tasnet listen` writes: its result as wav files, and the page with every stage's sources and figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tasnet.common import render_page
from tasnet.suite.cases import case_function
from tasnet.suite.numerics.metrics import SignalDistance
from tasnet.suite.numerics.plots import levels, spectrogram
from tasnet.suite.numerics.stages import PARITY_STAGES, STAGE_LABELS, StageWaves
from tasnet.suite.run import told_function

Samples = npt.NDArray[np.float32]

PAGE = "index.html"

MIN_CLIPPED_SHARE = 0.001
"""share of clipped samples that is worth a word: single ones are nothing to hear"""


@dataclass(frozen=True)
class MixedRecording:
    """`mix` [T] at `rate` Hz, whole windows, and the recordings [n, T] that it is the sum of: none for a single file.

    `left_out` samples of the shortest recording came after the last window.
    """

    mix: Samples
    references: Samples
    names: tuple[str, ...]
    rate: int
    left_out: int = 0


@dataclass(frozen=True)
class ListenResult:
    """What was made: `waves` by stage [sources, T], their distances from PyTorch, and SI-SDRi where it is known.

    The wavs are the waves times `gain`, which is one for all. `clipped` is the share (0 to 1) of the mix's samples that
    lie outside of the range that the 8 bits were calibrated on, None where there are no 8 bits.
    """

    staged: StageWaves
    mix: MixedRecording
    waves: Mapping[str, Samples]
    distances: Mapping[str, SignalDistance]
    improvements: Mapping[str, float]
    gain: float
    clipped: float | None
    far: float | None = None
    """SI-SDR in dB of the case's form to the network as it was trained; None for drawn weights"""

    @property
    def function(self) -> str:
        """Whether the case keeps the function of the network that its weights were trained in, and how far it is."""
        trained = self.staged.trained
        return told_function(case_function(self.staged.case, trained.form), self.far, trained.name)


def wav_files(result: ListenResult) -> dict[str, Samples]:
    """Every wav of the folder by its name: what was given as it is, what was separated times the gain."""
    given = {"mix.wav": result.mix.mix}
    given |= {f"recording{i}.wav": wave for i, wave in enumerate(result.mix.references, 1)}
    return given | {
        wav_name(stage, i): wave * np.float32(result.gain)
        for stage in stage_order(result)
        for i, wave in enumerate(result.waves.get(stage, ()), 1)
    }


def wav_name(stage: str, source: int) -> str:
    """The file of a stage's source, counted from 1."""
    return f"{stage}_source{source}.wav"


def stage_order(result: ListenResult) -> tuple[str, ...]:
    """The stages that were asked for, in the order of the network's way to the chip."""
    asked = {*PARITY_STAGES, *result.waves, *result.staged.missing}
    return tuple(stage for stage in STAGE_LABELS if stage in asked)


@dataclass(frozen=True)
class _Sound:
    label: str
    file: str
    picture: str


@dataclass(frozen=True)
class _Row:
    name: str
    word: str
    why: str
    distance: SignalDistance | None
    improvement: float
    sounds: tuple[_Sound, ...]


def listen_html(result: ListenResult) -> str:
    """The page as HTML. Its pictures are inside it, its wavs beside it."""
    case, trained = result.staged.case, result.staged.trained
    made = {
        "seconds": f"{len(result.mix.mix) / result.mix.rate:.1f}",
        "rate": result.mix.rate,
        "windows": len(result.mix.mix) // case.length,
        "length": case.length,
        "left_out": result.mix.left_out,
        "drawn": trained.drawn,
        "weights": trained.name,
        "keeps_function": case.variant.keeps_function(case.size, trained.form),
        "function": result.function,
        "references": len(result.mix.references),
        "peak": float(np.abs(result.staged.waves["torch"]).max()),
        "gain": result.gain,
        "clipped": result.clipped if (result.clipped or 0) > MIN_CLIPPED_SHARE else 0,
        "given": _given(result),
        "rows": _rows(result),
    }
    return render_page(Path(__file__).with_suffix(".html"), title=f"{case.id}, heard at every stage", made=made)


def _given(result: ListenResult) -> tuple[_Sound, ...]:
    mix = result.mix
    names = [("mix", "mix.wav", mix.mix)]
    names += [
        (f"recording {i}: {mix.names[i - 1]}", f"recording{i}.wav", wave) for i, wave in enumerate(mix.references, 1)
    ]
    loudest = _loudest([wave for _, _, wave in names])
    return tuple(_Sound(label, file, spectrogram(wave, mix.rate, loudest)) for label, file, wave in names)


def _rows(result: ListenResult) -> tuple[_Row, ...]:
    loudest = _loudest([wave for waves in result.waves.values() for wave in waves])
    rows = []
    for stage in stage_order(result):
        sounds = tuple(
            _Sound(
                f"{STAGE_LABELS[stage]}, source {i}", wav_name(stage, i), spectrogram(wave, result.mix.rate, loudest)
            )
            for i, wave in enumerate(result.waves.get(stage, ()), 1)
        )
        rows.append(
            _Row(
                STAGE_LABELS[stage],
                _word(result, stage),
                result.staged.missing.get(stage, ""),
                result.distances.get(stage),
                result.improvements.get(stage, float("nan")),
                sounds,
            )
        )
    return tuple(rows)


def _word(result: ListenResult, stage: str) -> str:
    if stage in result.staged.predicted:
        return "predicted"
    return "observed" if stage.startswith("sdk_") else "computed"


def _loudest(waves: list[Samples]) -> float:
    return max(float(levels(wave).max()) for wave in waves)
