"""How far one signal is from another: SI-SDR, SNR and the largest difference, in float64.

Signals are arrays of any one shape, compared as a whole; the figures in dB are larger for closer signals.
Two equal signals are at +inf dB. A figure that has no meaning (a silent reference, nothing to compare, NaN or
infinity in either) is NaN, which no threshold accepts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tasnet.common import TasnetError

Signal = npt.NDArray[Any]


class MetricError(TasnetError, ValueError):
    """Two signals that can't be compared. One line."""


@dataclass(frozen=True)
class SignalDistance:
    """All figures of one comparison: dB, dB, and the largest difference beside the reference's peak."""

    si_sdr: float
    snr: float
    max_abs: float
    peak: float

    def __str__(self) -> str:
        return f"SNR {self.snr:.1f} dB, SI-SDR {self.si_sdr:.1f} dB, max abs {self.max_abs:.1e} at peak {self.peak:.1e}"


def distance(found: Signal, expected: Signal) -> SignalDistance:
    """How far `found` is from `expected`, which is the reference. Raises MetricError for two shapes."""
    return SignalDistance(si_sdr(found, expected), snr(found, expected), max_abs(found, expected), peak(expected))


def si_sdr(found: Signal, expected: Signal) -> float:
    """Scale-invariant signal-to-distortion ratio in dB (Le Roux et al. 2019).

    With a = <found, expected> / <expected, expected>: 10 log10(|a expected|^2 / |found - a expected|^2).
    The means stay in. -inf for a silent estimate, and for one at right angles.
    """
    x, r = _pair(found, expected)
    energy = float(r @ r)
    if not energy or not np.isfinite(energy) or not np.isfinite(x).all():
        return float("nan")
    scale = float(x @ r) / energy
    rest = x - scale * r
    return _db(scale * scale * energy, float(rest @ rest))


def snr(found: Signal, expected: Signal) -> float:
    """Signal-to-noise ratio in dB, the noise being found - expected: 10 log10(|expected|^2 / |noise|^2)."""
    x, r = _pair(found, expected)
    energy = float(r @ r)
    if not energy or not np.isfinite(energy) or not np.isfinite(x).all():
        return float("nan")
    noise = x - r
    return _db(energy, float(noise @ noise))


def max_abs(found: Signal, expected: Signal) -> float:
    """The largest absolute difference, in the signals' own unit."""
    x, r = _pair(found, expected)
    return float(np.abs(x - r).max()) if x.size else float("nan")


def peak(signal: Signal) -> float:
    """The largest absolute value."""
    return float(np.abs(np.asarray(signal, np.float64)).max()) if signal.size else float("nan")


def _pair(found: Signal, expected: Signal) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    if found.shape != expected.shape:
        raise MetricError(
            f"signals of shapes {list(found.shape)} and {list(expected.shape)} can't be compared; crop the longer"
        )
    return np.asarray(found, np.float64).ravel(), np.asarray(expected, np.float64).ravel()


def _db(signal: float, noise: float) -> float:
    if noise == 0.0:
        return float("inf") if signal else float("-inf")
    return float(10 * np.log10(signal / noise)) if signal else float("-inf")
