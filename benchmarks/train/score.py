"""SI-SDRi: how much better a network's estimates are than the mixture itself, in dB."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from benchmarks.train.pairs import Sources
from benchmarks.train.quick import THREADS
from benchmarks.train.separator import Form, Leaves, pit_si_sdr, separate

_BATCH = 4
"""mixtures at a time"""


@dataclass(frozen=True)
class Score:
    """Of each mixture of a set: SI-SDR of the estimates less that of the mixture, in dB, mean over both sources."""

    improvements: tuple[float, ...]

    @property
    def mean(self) -> float:
        return float(np.mean(self.improvements))

    def __str__(self) -> str:
        low, middle = np.percentile(self.improvements, (10, 50))
        return (
            f"{self.mean:.2f} dB SI-SDRi (median {middle:.1f}, worst tenth below {low:.1f}, {len(self.improvements)})"
        )


def score(form: Form, weights: Leaves, sources: Sources) -> Score:
    """The score of the network on `sources` [M, 2, T]; what doesn't fill a stride at the end isn't judged."""
    whole = sources.shape[-1] // form.size.stride * form.size.stride

    def part(start: int) -> list[float]:
        with torch.no_grad():
            truth = torch.from_numpy(sources[start : start + _BATCH, :, :whole])
            mix = truth.sum(1)
            before = pit_si_sdr(mix[:, None].expand_as(truth), truth)
            return (pit_si_sdr(separate(form, weights, mix), truth) - before).tolist()

    with ThreadPoolExecutor(THREADS) as pool:
        parts = pool.map(part, range(0, len(sources), _BATCH))
        return Score(tuple(value for values in parts for value in values))
