"""SI-SDRi: how much nearer a network's estimates are to the voices of a mixture than the mixture itself, in dB.

Judged on mixtures of the voices that come with the package, so that any machine gives the same figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from tasnet.suite.numerics.metrics import si_sdr
from tasnet.suite.numerics.speech import RATE, SHIPPED, Mixture, Samples, Voice, mixture, read_wav
from tasnet.suite.numerics.waves import Signal

SECONDS = 2.0
"""of a mixture that is judged"""
KEPT = 4
"""seconds at the end of each voice that set ranges: no mixture that is judged has a part of them"""


def judged_mixtures() -> tuple[Mixture, ...]:
    """18 mixtures of every two of the package's voices at 0 dB, 2 s each at RATE."""
    length = int(SECONDS * RATE)
    known = [read_wav(path) for path in SHIPPED]
    count = min(len(each.samples) for each in known) - KEPT * RATE
    return tuple(
        mixture(_stretch(first, start, length), _stretch(second, start, length), 0.0, length)
        for first, second in combinations(known, 2)
        for start in range(0, count - length + 1, length)
    )


def calibration_mixtures(length: int) -> tuple[Mixture, ...]:
    """Six mixtures [length] of what `judged_mixtures` leaves out: each pair of voices, and once more moved in time."""
    last = [_stretch(each, len(each.samples) - KEPT * RATE, KEPT * RATE) for each in map(read_wav, SHIPPED)]
    moved = [replace(each, samples=np.roll(each.samples, KEPT * RATE // 2)) for each in last]
    return tuple(
        mixture(_stretch(first, 0, length), _stretch(second, 0, length), 0.0, length)
        for a, b in combinations(range(len(last)), 2)
        for first, second in ((last[a], last[b]), (moved[a], moved[b] if 2 * length <= KEPT * RATE else last[b]))
    )


def _stretch(voice: Voice, start: int, length: int) -> Voice:
    return replace(voice, name=f"{voice.name}{start}", samples=voice.samples[start : start + length], real=False)


def improvement(estimates: Samples | Signal, mix: Samples, references: Samples | Signal) -> float:
    """SI-SDRi in dB of estimates [n, T] by the best assignment to the references [m, T], the mean of all pairs.

    NaN where an estimate is silent.
    """
    from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped, unused-ignore]

    before = [si_sdr(mix, reference) for reference in references]
    gains = np.array(
        [
            [si_sdr(one, reference) - first for reference, first in zip(references, before, strict=True)]
            for one in estimates
        ]
    )
    if not np.isfinite(gains).all():
        return float("nan")
    return float(gains[linear_sum_assignment(gains, maximize=True)].mean())


def improvements(estimates: Signal, mixtures: Sequence[Mixture]) -> tuple[float, ...]:
    """`improvement` of each mixture, estimates [B, n, T'], over as many samples as the estimates have."""
    length = estimates.shape[2]
    return tuple(
        improvement(one, each.mix[:length], each.sources[:, :length])
        for one, each in zip(estimates, mixtures, strict=True)
    )
