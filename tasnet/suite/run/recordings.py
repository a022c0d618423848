"""Recordings of any form, not yet read: a folder of wavs, or the arrays of an npz in NT, NCT, NCHW or NHWC."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tasnet.common import TasnetError, error_line, open_wav
from tasnet.suite.cases import Case


class CalibrationError(TasnetError, ValueError):
    """Recordings that can't be used. One line: what is wrong, where, what to do."""


@dataclass(frozen=True)
class Recording:
    """A recording not yet read: `read(count)` gives its first `count` samples (or all it has), channels first."""

    name: str
    rate: int
    samples: int
    read: Callable[[int], npt.NDArray[np.float32]]

    def at(self, rate: int) -> int:
        """How many samples it has at `rate`."""
        return -(-self.samples * rate // self.rate)


# --- wavs --------------------------------------------------------------------------------------------------


def wavs(folder: Path) -> Iterator[Recording]:
    """The wavs of a folder, to any depth, by name."""
    for file in sorted(p for p in folder.rglob("*") if p.suffix.lower() == ".wav" and p.is_file()):
        name = file.relative_to(folder).as_posix()
        with open_wav(file, CalibrationError) as sound:
            rate, frames = int(sound.samplerate), int(sound.frames)
        yield Recording(name, rate, frames, _reader(folder, name))


def _reader(folder: Path, name: str) -> Callable[[int], npt.NDArray[np.float32]]:
    def read(count: int) -> npt.NDArray[np.float32]:
        with open_wav(folder / name, CalibrationError) as sound:
            # Integer PCM comes scaled to full scale 1.
            data = sound.read(frames=count, dtype="float32", always_2d=True)
        return np.ascontiguousarray(data.T, dtype=np.float32)

    return read


# --- arrays ------------------------------------------------------------------------------------------------

_RATES = ("rate", "sample_rate", "sr")


def arrays(
    path: Path, case: Case, rate: int, source_rate: int | None, name: str | None, warnings: list[str]
) -> tuple[str, list[Recording]]:
    """(layout recognised, one recording per row) of an npz."""
    where = f"calibration {path}"
    try:
        file = np.load(path, allow_pickle=False)
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise CalibrationError(f"{where}: a single array; save it with np.savez")
        with file:
            names = [each for each in file.files if each not in _RATES]
            rates = [int(file[each]) for each in _RATES if each in file.files and file[each].ndim == 0]
            if name is None and len(names) != 1:
                raise CalibrationError(f"{where}: {len(names)} arrays ({', '.join(names[:5])}); say which one to use")
            chosen = names[0] if name is None else name
            if chosen not in names:
                raise CalibrationError(f"{where}: no array '{chosen}'; it has {', '.join(names[:5]) or 'none'}")
            data = file[chosen]
    except CalibrationError:
        raise
    except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
        if path.is_file() and not zipfile.is_zipfile(path):
            # numpy takes what it doesn't know for a pickle, and says how to load one unsafely.
            raise CalibrationError(f"{where}: not an npz; name a folder of wavs, or what np.savez wrote") from None
        raise CalibrationError(
            f"{where}: not an npz of plain arrays ({error_line(error, 200)}); save it with np.savez"
        ) from None
    own_rate = source_rate or (rates[0] if rates else None)
    if own_rate is not None and own_rate < 1:
        raise CalibrationError(f"{where}: rate {own_rate} Hz; it must be at least 1")
    if own_rate is None:
        warnings.append(f"the npz doesn't say its rate: taken as {rate} Hz; save it with a scalar `rate`")
    where = f"{where}: {chosen} {data.shape}"
    if data.size == 0:
        raise CalibrationError(f"{where}: empty; give recordings")
    recognised, waves = _as_waves(_float(data, where), case, where)
    own = own_rate or rate
    return recognised, [_row(f"{chosen}[{i}]", own, wave) for i, wave in enumerate(waves)]


def _row(name: str, rate: int, wave: npt.NDArray[np.float32]) -> Recording:
    return Recording(name, rate, wave.shape[1], lambda count: wave[:, :count])


def _float(data: npt.NDArray[Any], where: str) -> npt.NDArray[np.float32]:
    """Samples at full scale 1: floats as they are, integer PCM by its type."""
    if data.dtype.kind == "f":
        return data.astype(np.float32)
    if data.dtype == np.uint8:
        return np.asarray((data.astype(np.float32) - 128.0) / 128.0, dtype=np.float32)
    if data.dtype in (np.int16, np.int32):
        return (data.astype(np.float64) / -float(np.iinfo(data.dtype).min)).astype(np.float32)
    raise CalibrationError(f"{where}: {data.dtype} is no PCM; save floats, int16, int32 or uint8")


def _as_waves(data: npt.NDArray[np.float32], case: Case, where: str) -> tuple[str, npt.NDArray[np.float32]]:
    """(layout, waves (N, channels, T)). A rank-4 array holds mono waves, channels, or the case's own input.

    The input of a polyphase encoder has as many channels as the encoder's stride: its samples are put in a row
    again, so that it can be cut like any wave.
    """
    if data.ndim == 2:
        return "NT", data[:, None, :]
    if data.ndim == 3:
        if data.shape[1] >= data.shape[2] and data.shape[1] > 1:
            raise CalibrationError(f"{where}: NCT or NTC? more channels than samples; give it as N, channels, samples")
        return "NCT", data
    if data.ndim != 4:
        raise CalibrationError(f"{where}: rank {data.ndim}; give NT, NCT, NCHW or NHWC")
    recognised, waves = _rank4(data, case, where)
    stride = case.size.stride
    if case.variant.encoder != "polyphase" or waves.shape[1] != stride or stride == 1:
        return recognised, waves
    if waves.shape[2] >= case.length:
        raise CalibrationError(
            f"{where}: {stride} channels of audio, or the polyphase encoder's {stride} phases? give the waves as NT"
        )
    return recognised, waves.swapaxes(1, 2).reshape(waves.shape[0], 1, -1)


def _rank4(data: npt.NDArray[np.float32], case: Case, where: str) -> tuple[str, npt.NDArray[np.float32]]:
    """(NCHW or NHWC, (N, C, time)), by where the case's layout has its axis of size 1.

    Horizontal signals are (N, C, 1, T) or (N, 1, T, C), vertical ones (N, C, T, 1) or (N, T, 1, C).
    """
    horizontal = case.variant.layout == "horizontal"
    readings = {
        "NCHW": (data.shape[2] == 1, data[:, :, 0, :]) if horizontal else (data.shape[3] == 1, data[:, :, :, 0]),
        "NHWC": (data.shape[1] == 1, data[:, 0].swapaxes(1, 2))
        if horizontal
        else (data.shape[2] == 1, data[:, :, 0].swapaxes(1, 2)),
    }
    for name, (fits, waves) in readings.items():
        # Channels and samples can't be mistaken for each other: a recording has more samples.
        if fits and waves.shape[1] < waves.shape[2]:
            return name, waves
    expected = "(N, C, 1, T) or (N, 1, T, C)" if horizontal else "(N, C, T, 1) or (N, T, 1, C)"
    raise CalibrationError(f"{where}: neither NCHW nor NHWC of the {case.variant.layout} layout; give {expected}")
