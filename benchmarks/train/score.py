"""SI-SDRi: how much better a network's estimates are than the mixture itself, in dB."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from benchmarks.train.pairs import Sources
from benchmarks.train.separator import pit_si_sdr, separate
from tasnet.network.variant import Size, Variant


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


def score(weights: Mapping[str, torch.Tensor], variant: Variant, size: Size, sources: Sources, batch: int = 8) -> Score:
    """The score of the network of `variant` on `sources` [M, 2, T]."""
    found: list[float] = []
    with torch.no_grad():
        for start in range(0, len(sources), batch):
            truth = torch.from_numpy(sources[start : start + batch])
            mix = truth.sum(1)
            before = pit_si_sdr(mix[:, None].expand_as(truth), truth)
            after = pit_si_sdr(separate(weights, variant, size, mix), truth)
            found.extend((after - before).tolist())
    return Score(tuple(found))
