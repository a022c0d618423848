"""Two voices at once: drawn anew for every step of the training, and fixed for validation and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from benchmarks.train.corpus import Spoken
from benchmarks.train.voices import VoicesMissing
from tasnet.suite.numerics import mixtures
from tasnet.suite.numerics.speech import RATE, Samples

SPREAD = 2.5
"""dB: one voice is at most twice this louder than the other, as in the usual two-speaker sets"""

SPEED = 0.2
"""a voice is read faster or slower by up to this share: higher or lower, and so another speaker's"""

Sources = npt.NDArray[np.float32]
"""[mixtures, 2, T]; a mixture is the sum of its two"""


def drawn(spoken: Sequence[Spoken], step: int, seed: int, count: int, length: int) -> Sources:
    """The mixtures of a training step: two different speakers each, a stretch of a training sentence of either.

    By step and seed alone, so that a resumed training hears what an uninterrupted one would have.
    """
    draw = np.random.Generator(np.random.PCG64([seed, step]))
    made = np.empty((count, 2, length), np.float32)
    for row in made:
        chosen = draw.choice(len(spoken), 2, replace=False)
        for source, who in enumerate(chosen):
            said = spoken[who].training
            row[source] = _stretch(draw, said, length) * _gain(draw)
    return made * 0.1


def _stretch(draw: np.random.Generator, said: Sequence[Samples], length: int) -> Samples:
    """Sentences one after the other, from a place inside the first, read faster or slower."""
    speed = draw.uniform(1 - SPEED, 1 + SPEED)
    wanted = int(length * speed) + 2
    parts = [said[int(draw.integers(len(said)))]]
    parts[0] = parts[0][int(draw.integers(max(1, len(parts[0]) // 2))) :]
    while sum(map(len, parts)) < wanted:
        parts.append(said[int(draw.integers(len(said)))])
    whole = np.concatenate(parts)[:wanted]
    return np.interp(np.arange(length) * speed, np.arange(wanted), whole).astype(np.float32)


def _gain(draw: np.random.Generator) -> float:
    return float(10 ** (draw.uniform(-SPREAD, SPREAD) / 20))


def fixed(spoken: Sequence[Spoken], count: int, length: int, *, seed: int) -> Sources:
    """Mixtures of held-out sentences, every pair of speakers as often as any other. Equal seeds, equal mixtures."""
    draw = np.random.Generator(np.random.PCG64(seed))
    pairs = list(combinations(range(len(spoken)), 2))
    draw.shuffle(pairs)
    made = np.empty((count, 2, length), np.float32)
    for index, row in enumerate(made):
        for source, who in enumerate(pairs[index % len(pairs)]):
            said = spoken[who].held_out
            whole = np.concatenate([said[int(at)] for at in draw.integers(0, len(said), 8)])
            row[source] = np.resize(whole, length) * _gain(draw)
    return made * 0.1


def real(count: int, length: int) -> Sources:
    """Mixtures of the recorded voices of pocketsphinx-testdata. Raises VoicesMissing without them."""
    made = mixtures(count, length, snrs=(0.0, SPREAD, -SPREAD), rate=RATE)
    if not all(each.real for each in made):
        raise VoicesMissing("no real voices for the figures: run apt-get install pocketsphinx-testdata")
    return np.stack([each.sources for each in made])


def sets(spoken: Mapping[str, Spoken], seconds: float) -> Mapping[str, Sources]:
    """What figures are given on, by name: known voices, the held-out pair, real voices; none was trained on.

    Raises VoicesMissing without real voices.
    """
    length = int(seconds * RATE)
    known = [each for each in spoken.values() if each.speaker.role == "train"]
    held = [each for each in spoken.values() if each.speaker.role == "held_out"]
    return {
        "held-out sentences of known voices": fixed(known, 120, length, seed=1),
        "held-out pair of voices": fixed(held, 40, length, seed=2),
        "real voices": real(20, length),
    }
