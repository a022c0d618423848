"""Calibration data: recordings -> the array that the compiler's `optimize` takes, (N, H, W, C) float32.

From a folder of wav files or an npz of arrays, resampled to the model's rate and cut into windows of the case's
length, one after another. Nothing is padded, repeated or normalized: what is too short or clipped is left out by
name, and what can't be meant is an error. Levels are against full scale 1.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tasnet.common import counted, resample, unfinished
from tasnet.network import to_host_input
from tasnet.suite.cases import Case
from tasnet.suite.run.looks_like import looks_like
from tasnet.suite.run.recordings import CalibrationError, Recording, arrays, wavs

RATE = 8000
"""Hz: what Conv-TasNet is usually trained at"""
WINDOWS = 64
"""windows taken where nobody asks for another number"""
CLIPPED_RUN = 4
"""Consecutive samples at full scale (0.999 or more) that count as one clip; a peak that just touches it has fewer."""
OVERSHOOT = 1.5
"""A peak above this is worth a warning; resampling a loud recording overshoots full scale by less."""
OVER_FULL_SCALE = 16.0
"""A float wave with a peak this high is integer PCM that lost its type."""

Wave = npt.NDArray[np.float32]
"""(T,), full scale 1, mono"""


@dataclass(frozen=True)
class UsedRecording:
    """A recording in use: `name` is its path below the folder, or `array[row]`; `rate` its own, in Hz."""

    name: str
    rate: int
    windows: int
    seconds: float


@dataclass(frozen=True)
class SkippedRecording:
    """A recording that is not in use, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class CalibrationReport:
    """What the data is made of. `sha256` is of shape and values: equal for equal data from anywhere.

    `recognised` is `wav`, `NT`, `NCT`, `NCHW` or `NHWC`. `looks_like` is as in `looks_like.py`.
    """

    source: str
    recognised: str
    rate: int
    used: tuple[UsedRecording, ...]
    left_out: tuple[SkippedRecording, ...]
    seconds: float
    peak: float
    rms: float
    looks_like: str
    warnings: tuple[str, ...]
    sha256: str

    def as_json(self) -> dict[str, Any]:
        """The report as a JSON object."""
        return asdict(self)


@dataclass(frozen=True)
class CalibrationData:
    """`data` is (N, H, W, C) float32, the host's input of the case, window after window."""

    data: npt.NDArray[np.float32]
    report: CalibrationReport


def load_calibration(
    path: Path,
    case: Case,
    *,
    rate: int = RATE,
    source_rate: int | None = None,
    windows: int = WINDOWS,
    mixdown: bool = False,
    array: str | None = None,
) -> CalibrationData:
    """Calibration data for `case` from a folder of wavs (searched to any depth) or an npz. Raises CalibrationError.

    - `rate`: the model's, in Hz. A wav says its own; an npz by a scalar named `rate`, `sample_rate` or `sr`, or by
      `source_rate`, else it is taken to be at the model's rate, with a warning.
    - `windows`: at most so many, the first of each recording before the second of any, in the order of names.
    - `mixdown`: the mean of a recording's channels; without it more than one channel is an error.
    - `array`: which array of an npz that has several.

    Integer samples are scaled to full scale 1 (uint8 is unsigned PCM). NaN, infinity and float waves that were
    integers once are errors.
    """
    if rate < 1 or windows < 1 or (source_rate is not None and source_rate < 1):
        raise CalibrationError(f"calibration {path}: rates and the number of windows must be at least 1")
    warnings: list[str] = []
    recordings: Iterable[Recording]
    if path.is_dir():
        recognised, recordings = "wav", wavs(path)
    elif path.is_file():
        recognised, recordings = arrays(path, case, rate, source_rate, array, warnings)
    else:
        raise CalibrationError(f"calibration {path}: no such folder or file; name a folder of wavs or an npz")
    used, left_out, waves = _windows(path, recordings, case.length, rate, windows, mixdown)
    if left_out:
        warnings.append(f"{len(left_out)} left out: {', '.join(each.name for each in left_out[:5])}")
    return _calibration(path, case, recognised, rate, used, left_out, waves, warnings)


def calibration_lines(report: CalibrationReport) -> Iterator[str]:
    """What the data is made of, as lines for a person."""
    windows = sum(each.windows for each in report.used)
    dbfs = 20 * np.log10(max(report.rms, 1e-9))
    yield (
        f"{report.source}: read as {report.recognised}, {windows} windows, {report.seconds:.1f} s at {report.rate} Hz "
        f"from {counted(len(report.used), 'recording')}"
    )
    yield f"  level     {dbfs:.0f} dBFS, peak {report.peak:.2f}; looks like {report.looks_like}"
    for each in report.left_out:
        yield f"  left out  {each.name}: {each.reason}"
    for warning in report.warnings:
        yield f"  warning   {warning}"


def save_calibration(calibration: CalibrationData, path: Path) -> Path:
    """Writes the data as an `.npy` that the compiler's adapter reads, and the report beside it as `.json`.

    Both whole or not at all; returns the `.npy`. Raises OSError.
    """
    target = path.with_suffix(".npy")
    with unfinished.folder(target.parent, ".calibration") as folder:
        data = folder / target.name
        np.save(data, calibration.data)
        report = data.with_suffix(".json")
        report.write_text(json.dumps(calibration.report.as_json(), indent=2) + "\n", encoding="utf-8")
        os.replace(report, target.with_suffix(".json"))
        os.replace(data, target)
    return target


def _calibration(
    path: Path,
    case: Case,
    recognised: str,
    rate: int,
    used: Sequence[UsedRecording],
    left_out: Sequence[SkippedRecording],
    waves: npt.NDArray[np.float32],
    warnings: list[str],
) -> CalibrationData:
    data = np.ascontiguousarray(to_host_input(case.variant, case.size, waves).transpose(0, 2, 3, 1))
    looks = looks_like(waves)
    peak = float(np.abs(waves).max())
    if looks.like != "signal":
        what = {"noise": "white noise", "steady": "steady noise or a tone"}.get(looks.like, looks.like)
        warnings.append(
            f"looks like {what} ({looks.rms_dbfs:.0f} dBFS, flatness {looks.flatness:.2f}, level spread "
            f"{looks.spread_db:.1f} dB): quantization is known to break on it; use recordings of speech"
        )
    if peak > OVERSHOOT:
        warnings.append(f"peak {peak:.3g} is over full scale 1; check how it was normalized")
    report = CalibrationReport(
        source=path.name,
        recognised=recognised,
        rate=rate,
        used=tuple(used),
        left_out=tuple(left_out),
        seconds=waves.size / rate,
        peak=peak,
        rms=float(np.sqrt(np.mean(np.square(waves, dtype=np.float64)))),
        looks_like=looks.like,
        warnings=tuple(warnings),
        sha256=content_hash(data),
    )
    return CalibrationData(data, report)


def content_hash(data: npt.NDArray[np.float32]) -> str:
    """sha256 of an array's shape and its values as little-endian float32."""
    digest = hashlib.sha256(f"{data.shape}".encode())
    digest.update(np.ascontiguousarray(data, dtype="<f4").tobytes())
    return digest.hexdigest()


# --- windows -----------------------------------------------------------------------------------------------


def _windows(
    path: Path, recordings: Iterable[Recording], length: int, rate: int, most: int, mixdown: bool
) -> tuple[list[UsedRecording], list[SkippedRecording], npt.NDArray[np.float32]]:
    """Windows (N, length) in the order of the recordings, and what they came from."""
    left_out: list[SkippedRecording] = []
    able: list[Recording] = []
    for each in recordings:
        if each.at(rate) < length:
            reason = f"too short: {each.at(rate)} samples at {rate} Hz, the case's window has {length}"
            left_out.append(SkippedRecording(each.name, reason))
        else:
            able.append(each)
    pieces: dict[str, Wave] = {}
    turned: dict[str, int] = {}
    # A recording that turns out clipped gives its share to the others.
    while True:
        share = _shares([each.at(rate) // length for each in able], most)
        wanted = {each.name: count * length for each, count in zip(able, share, strict=True) if count}
        todo = [each for each in able if wanted.get(each.name, 0) > turned.get(each.name, 0)]
        if not todo:
            break
        for each in todo:
            wave = _mono(path, each, wanted[each.name], rate, mixdown)
            if _clipped(wave):
                left_out.append(SkippedRecording(each.name, "clipped: samples in a row at full scale"))
                able.remove(each)
                pieces.pop(each.name, None)
            else:
                pieces[each.name] = resample(wave, each.rate, rate)[: wanted[each.name]]
                turned[each.name] = wanted[each.name]
    if not pieces:
        why = "; ".join(f"{each.name}: {each.reason}" for each in left_out[:3]) or "it holds no wav"
        raise CalibrationError(
            f"calibration {path}: nothing to use ({why}); give recordings of at least {length / rate:.2f} s, unclipped"
        )
    kept = [each for each in able if each.name in pieces]
    used = [
        UsedRecording(each.name, each.rate, len(pieces[each.name]) // length, len(pieces[each.name]) / rate)
        for each in kept
    ]
    return used, left_out, np.concatenate([pieces[each.name].reshape(-1, length) for each in kept])


def _shares(available: Sequence[int], most: int) -> list[int]:
    """How many windows each gives, `most` in all: every one its first before any its second."""
    share = [0] * len(available)
    left = most
    turn = 0
    while left and (able := [i for i, count in enumerate(available) if count > turn]):
        for i in able[:left]:
            share[i] += 1
        left -= min(left, len(able))
        turn += 1
    return share


def _mono(path: Path, recording: Recording, samples: int, rate: int, mixdown: bool) -> Wave:
    """The first samples that `samples` at `rate` are made of, and the resampler's reach beyond. Raises."""
    scale = gcd(rate, recording.rate)
    reach = 0 if rate == recording.rate else 20 * max(rate, recording.rate) // scale
    data = recording.read(-(-samples * recording.rate // rate) + reach)
    where = f"calibration {path}: {recording.name}"
    if data.shape[0] != 1 and not mixdown:
        raise CalibrationError(f"{where}: {data.shape[0]} channels; ask for the mixdown, or give mono recordings")
    wave: Wave = np.asarray(data[0] if data.shape[0] == 1 else data.mean(axis=0), dtype=np.float32)
    if not np.all(np.isfinite(wave)):
        raise CalibrationError(f"{where}: holds NaN or infinity; mend or remove it")
    peak = float(np.abs(wave).max(initial=0.0))
    if peak >= OVER_FULL_SCALE:
        raise CalibrationError(
            f"{where}: float samples up to {peak:.0f}, full scale is 1; save integer PCM in an integer type"
        )
    return wave


def _clipped(wave: Wave) -> bool:
    """True for runs of at least `CLIPPED_RUN` samples at the wave's highest level, if that is full scale.

    A float wave with a peak over 1 is not clipped at 1.
    """
    level = np.abs(wave)
    peak = float(level.max(initial=0.0))
    if not 0.999 <= peak <= 1.0:
        return False
    full = np.concatenate(([0], (level >= 0.999).astype(np.int8), [0]))
    edges = np.diff(full)
    lengths = np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)
    return bool(lengths.max(initial=0) >= CLIPPED_RUN)
