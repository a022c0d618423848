"""A corpus of notes instead of voices: which speaker and which sentence is heard can be read off the samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.train import corpus
from benchmarks.train.corpus import Spoken
from benchmarks.train.voices import SPEAKERS

LENGTH = 400


def notes(speaker: int) -> Spoken:
    """Sentences of noise at this speaker's loudness, 100**speaker, above zero in training and below in the others."""
    draw = np.random.default_rng(speaker)
    rows = []
    for index in range(corpus.HELD_OUT + 4):
        sign = 1 if index < 4 else -1
        rows.append((sign * 100.0**speaker * draw.uniform(0.9, 1.1, LENGTH)).astype(np.float32))
    return Spoken(replace(SPEAKERS[speaker], role="train"), tuple(rows))


def babble(speaker: int) -> Spoken:
    """Sentences of noise of mean square 1, a different colour for each speaker, so that it can be learnt."""
    draw = np.random.default_rng(speaker)
    rows = []
    for _ in range(corpus.HELD_OUT + 4):
        row = np.convolve(draw.standard_normal(1200), np.cos(0.9 * (1 + speaker) * np.arange(8)), "same")
        rows.append((row / np.sqrt(np.mean(row**2))).astype(np.float32))
    return Spoken(SPEAKERS[speaker], tuple(rows))


@pytest.fixture(scope="session")
def singers() -> tuple[Spoken, ...]:
    return tuple(babble(speaker) for speaker in range(3))
