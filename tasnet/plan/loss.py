"""What a run loses against the same plan in float: SNR and SI-SDR of each source, summed up a block at a time."""

from __future__ import annotations

from math import inf, log10, nan
from typing import Any

import numpy as np

Array = Any


class Loss:
    """The sums over the blocks so far, in float64, of sources [sources, some samples] beside their reference."""

    def __init__(self, sources: int) -> None:
        self.reference, self.noise, self.both = (np.zeros(sources) for _ in range(3))

    def add(self, found: Array, expected: Array) -> None:
        """One more block of a run, and of the run in float."""
        expected = np.asarray(expected, np.float64)
        noise = found - expected
        self.reference += np.square(expected).sum(1)
        self.noise += np.square(noise).sum(1)
        self.both += (noise * expected).sum(1)

    @property
    def snr(self) -> tuple[float, ...]:
        """dB by source: |expected|^2 / |found - expected|^2. NaN for a silent reference."""
        return tuple(_db(r, n) if r > 0 else nan for r, n in zip(self.reference, self.noise, strict=True))

    @property
    def si_sdr(self) -> tuple[float, ...]:
        """dB by source, the means left in (Le Roux et al. 2019): what is no multiple of the reference is distortion."""
        found = []
        for reference, noise, both in zip(self.reference, self.noise, self.both, strict=True):
            if not reference > 0:
                found.append(nan)
                continue
            share = both / reference
            found.append(_db((1 + share) ** 2 * reference, noise - share * both))
        return tuple(found)


def _db(signal: float, noise: float) -> float:
    if signal <= 0:
        return -inf
    return inf if noise <= 0 else 10 * log10(signal / noise)
