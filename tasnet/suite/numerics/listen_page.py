"""The page of `tasnet listen`: what was given, every stage's sources, and how far they are from PyTorch's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tasnet.common import render_page
from tasnet.suite.numerics.hearing import TELLING, Heard, Samples, order, wav_name
from tasnet.suite.numerics.metrics import Distance
from tasnet.suite.numerics.plots import levels, spectrogram
from tasnet.suite.numerics.stages import NAMES


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
    distance: Distance | None
    improvement: float
    sounds: tuple[_Sound, ...]


def page(heard: Heard) -> str:
    """The page as HTML. Its pictures are inside it, its wavs beside it."""
    case, trained = heard.staged.case, heard.staged.trained
    made = {
        "seconds": f"{len(heard.mix.mix) / heard.mix.rate:.1f}",
        "rate": heard.mix.rate,
        "windows": len(heard.mix.mix) // case.length,
        "length": case.length,
        "left_out": heard.mix.left_out,
        "drawn": trained.drawn,
        "weights": "drawn from a seed" if trained.drawn else "a checkpoint's",
        "keeps_function": case.variant.keeps_function(case.size),
        "departures": ", ".join(f"{axis}={case.variant.axes()[axis]}" for axis in case.variant.departures(case.size)),
        "references": len(heard.mix.references),
        "peak": float(np.abs(heard.staged.waves["torch"]).max()),
        "gain": heard.gain,
        "clipped": heard.clipped if (heard.clipped or 0) > TELLING else 0,
        "given": _given(heard),
        "rows": _rows(heard),
    }
    return render_page(Path(__file__).with_suffix(".html"), title=f"{case.id}, heard at every stage", made=made)


def _given(heard: Heard) -> tuple[_Sound, ...]:
    mix = heard.mix
    names = [("mix", "mix.wav", mix.mix)]
    names += [
        (f"recording {i}: {mix.names[i - 1]}", f"recording{i}.wav", wave) for i, wave in enumerate(mix.references, 1)
    ]
    loudest = _loudest([wave for _, _, wave in names])
    return tuple(_Sound(label, file, spectrogram(wave, mix.rate, loudest)) for label, file, wave in names)


def _rows(heard: Heard) -> tuple[_Row, ...]:
    loudest = _loudest([wave for waves in heard.waves.values() for wave in waves])
    rows = []
    for stage in order(heard):
        sounds = tuple(
            _Sound(f"{NAMES[stage]}, source {i}", wav_name(stage, i), spectrogram(wave, heard.mix.rate, loudest))
            for i, wave in enumerate(heard.waves.get(stage, ()), 1)
        )
        rows.append(
            _Row(
                NAMES[stage],
                _word(heard, stage),
                heard.staged.missing.get(stage, ""),
                heard.distances.get(stage),
                heard.improvements.get(stage, float("nan")),
                sounds,
            )
        )
    return tuple(rows)


def _word(heard: Heard, stage: str) -> str:
    if stage in heard.staged.predicted:
        return "predicted"
    return "observed" if stage.startswith("sdk_") else "computed"


def _loudest(waves: list[Samples]) -> float:
    return max(float(levels(wave).max()) for wave in waves)
