"""Whether a recording looks like a signal, like noise or like silence: a warning before hours of quantization.

Random noise as calibration data is known to break quantization (negative_slope), and silence calibrates nothing.
This is no speech detector: it only tells what is surely no speech or music.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FRAME = 256
"""samples of a frame: 32 ms at 8 kHz, about a syllable's sound"""
SILENT_DBFS = -60.0
"""Root mean square, against full scale. Recorded speech lies at -40 to -15 dBFS, the noise floor of a quiet 16-bit
recording at -75 to -65."""
FLAT = 0.6
"""Spectral flatness of the mean spectrum: 1 for white noise whatever its envelope, 0 for a tone. Ten recordings of
read speech, at 8 and 16 kHz, gave 0.02 to 0.41; white noise gives 0.99."""
STEADY_DB = 5.0
"""Standard deviation of the frames' levels. The same speech, with syllables and pauses, gave 10 to 16 dB; white,
pink and brown noise give 0.3 to 3.5 dB, and a tone none."""


@dataclass(frozen=True)
class Looks:
    """`like` is `signal`, `noise`, `steady` (coloured noise or a tone) or `silence`; then the figures behind it."""

    like: str
    rms_dbfs: float
    flatness: float
    spread_db: float


def looks_like(waves: npt.NDArray[np.float32]) -> Looks:
    """What `waves` (N, T), full scale 1, look like. Windows shorter than two frames can only look silent or not."""
    rms = 20 * np.log10(max(float(np.sqrt(np.mean(np.square(waves, dtype=np.float64)))), 1e-12))
    count = waves.shape[1] // FRAME
    if rms < SILENT_DBFS or count < 2:
        return Looks("silence" if rms < SILENT_DBFS else "signal", float(rms), 0.0, 0.0)
    frames = waves[:, : count * FRAME].reshape(-1, FRAME).astype(np.float64)
    # Each frame's mean is left out: an offset is no sound.
    frames -= frames.mean(axis=1, keepdims=True)
    power = np.mean(np.abs(np.fft.rfft(frames * np.hanning(FRAME), axis=1)) ** 2, axis=0)[2:-1] + 1e-20
    flatness = float(np.exp(np.mean(np.log(power))) / np.mean(power))
    levels = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-12)
    spread = float(np.std(levels))
    like = "noise" if flatness > FLAT else "steady" if spread < STEADY_DB else "signal"
    return Looks(like, float(rms), flatness, spread)
