"""Test speech: real voices from Debian's `pocketsphinx-testdata`, synthetic ones beside them, and mixtures.

The package (1.8 MB, BSD-like licence) holds utterances at 16 kHz; where it isn't installed, synthetic voices take
their place, and every voice says which it is. Nothing is read from a network. The same machine gives the same
samples each time, and so does another with the same package.

Voices are float32, one channel, in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tasnet.common import TasnetError, open_wav, resample

Samples = npt.NDArray[np.float32]

FOLDER = Path("/usr/share/pocketsphinx/test/data")
"""where Debian's package puts its files"""

SHIPPED = tuple(Path(__file__).parent / "voices" / f"{name}.wav" for name in ("slt", "rms", "kal"))
"""Synthetic voices that come with the package, 16 s each at RATE, and that `tasnet:small` never heard say this"""

RATE = 8000
"""samples per second of the Conv-TasNets that people use"""

_RAW_RATE = 16000
"""the package's headerless .raw files: 16-bit little-endian at 16 kHz, like all of its models"""

_LONG_ENOUGH = 0.9
"""seconds: single digits are left out"""


class SpeechError(TasnetError, ValueError):
    """Speech that can't be read or mixed. One line: which file or figure, and what is needed."""


@dataclass(frozen=True)
class Voice:
    """One utterance. `real` says that a person spoke it."""

    name: str
    samples: Samples
    rate: int
    real: bool

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / self.rate


@dataclass(frozen=True)
class Mixture:
    """`mix` [T] is the sum of the rows of `sources` [n, T], to float32's rounding; none exceeds `PEAK`."""

    name: str
    mix: Samples
    sources: Samples
    rate: int
    real: bool


PEAK = 0.9
"""the largest absolute sample of a mixture or of a source in it"""


def voices(rate: int = RATE, folder: Path = FOLDER) -> tuple[Voice, ...]:
    """Every utterance in `folder` of 0.9 s or more, by name; eight synthetic voices if there aren't two.

    Raises SpeechError for a file that is no 16-bit mono recording.
    """
    files = (*sorted(folder.rglob("*.wav")), *sorted(folder.rglob("*.raw"))) if folder.is_dir() else ()
    return _voices(rate, folder, files)


def voices_summary() -> str:
    """How many voices the mixtures on this machine are made of, and whether they are recorded or synthetic."""
    known = voices()
    return f"{len(known)} {'recorded' if known[0].real else 'synthetic'} voices"


def read_wav(path: Path) -> Voice:
    """A 16-bit PCM wav, its first channel alone. Raises SpeechError."""
    with open_wav(path, SpeechError) as sound:
        if sound.subtype != "PCM_16":
            raise SpeechError(f"{path}: {sound.subtype_info} at {sound.samplerate} Hz; give 16-bit PCM")
        samples = sound.read(dtype="float32", always_2d=True)[:, 0]
        return Voice(path.stem, np.ascontiguousarray(samples), int(sound.samplerate), True)


def mixture(first: Voice, second: Voice, snr: float, length: int) -> Mixture:
    """Both voices over `length` samples, the first `snr` dB above the second in energy; shorter ones are repeated.

    Raises SpeechError for two rates, a length below 1, or a voice that is silent there.
    """
    if first.rate != second.rate:
        raise SpeechError(f"{first.name} is at {first.rate} Hz, {second.name} at {second.rate} Hz; resample one")
    if length < 1:
        raise SpeechError(f"length {length}: one sample at least")
    rows = []
    for voice, level in ((first, snr / 2), (second, -snr / 2)):
        row = _loudest(np.asarray(voice.samples, np.float64), length)
        energy = float(np.sqrt(np.mean(row * row)))
        if not energy:
            raise SpeechError(f"{voice.name}: silent over {length} samples; take another voice or more of it")
        rows.append(row / energy * 10 ** (level / 20))
    sources = np.stack(rows)
    highest = max(float(np.abs(sources).max()), float(np.abs(sources.sum(0)).max()))
    scaled: Samples = (sources * (PEAK / highest)).astype(np.float32)
    name = f"{first.name}+{second.name}@{snr:g}dB"
    return Mixture(name, scaled.sum(0, dtype=np.float32), scaled, first.rate, first.real and second.real)


def mixtures(
    count: int, length: int, *, snrs: Sequence[float] = (0.0, 5.0, -5.0), rate: int = RATE, skip: int = 0
) -> tuple[Mixture, ...]:
    """`count` mixtures of two different voices, the first `skip` pairs left out: calibrate on some, judge on others.

    The partner stands half of the list away, mostly of another collection and so another speaker; no voice comes
    twice until all have been used.
    """
    known = voices(rate)
    made = []
    for index in range(skip, skip + count):
        half = len(known) // 2
        start, turn = index % half, index // half
        pair = known[start], known[half + (start + turn) % (len(known) - half)]
        made.append(mixture(*pair, snrs[index % len(snrs)], length))
    return tuple(made)


def one_mix(length: int) -> Samples:
    """The first mixture, [1, length]: what every stage of a case is measured on."""
    return mixtures(1, length)[0].mix[None]


def synthetic(seed: int, seconds: float, rate: int = RATE) -> Voice:
    """A speech-like signal: syllables of voiced pulses or hiss through three formants, with pauses. Not a voice.

    It has speech's low pitch, spectral slope, syllable rate (4 Hz) and pauses, and so its peaks and silences,
    which is what calibration sees. Equal seeds give equal samples.
    """
    draw = np.random.Generator(np.random.PCG64(seed))
    total = max(1, round(seconds * rate))
    signal = np.zeros(total)
    pitch = 90 + 130 * draw.random()
    at = 0
    while at < total:
        length = int(rate * (0.12 + 0.2 * draw.random()))
        kind = draw.random()
        n = min(length, total - at)
        if kind > 0.15:
            signal[at : at + n] += _syllable(draw, length, rate, pitch * (0.85 + 0.3 * draw.random()), kind > 0.4)[:n]
        at += length
    highest = float(np.abs(signal).max()) or 1.0
    return Voice(f"synthetic{seed}", (signal * (PEAK / highest)).astype(np.float32), rate, False)


def _syllable(draw: np.random.Generator, length: int, rate: int, pitch: float, voiced: bool) -> npt.NDArray[np.float64]:
    time = np.arange(length) / rate
    if voiced:
        # a little vibrato, and one pulse each time the phase comes round
        phase = np.cumsum(pitch * (1 + 0.03 * np.sin(2 * np.pi * 5 * time)) / rate)
        source = np.diff(np.floor(phase), prepend=0.0)
    else:
        source = 0.3 * (2 * draw.random(length) - 1)
    bins = np.fft.rfftfreq(2 * length, 1 / rate)
    response = np.zeros_like(bins)
    for low, span, width in ((300, 500, 90), (900, 1300, 120), (2200, 1000, 180)):
        centre = low + span * draw.random()
        response += (500 / centre) / (1 + ((bins - centre) / width) ** 2)
    if not voiced:
        response = np.clip((bins - 1000) / 2000, 0, 1)
    shaped = np.fft.irfft(np.fft.rfft(source, 2 * length) * response, 2 * length)[:length]
    level = np.sqrt(np.mean(shaped * shaped)) or 1.0
    envelope = np.sin(np.pi * (np.arange(length) + 0.5) / length) ** 1.5
    return np.asarray(shaped / level * envelope * (0.4 + 0.6 * draw.random()) * (1.0 if voiced else 0.3))


def _loudest(samples: npt.NDArray[np.float64], length: int) -> npt.NDArray[np.float64]:
    """The stretch of `length` with the most energy; the whole repeated where it is shorter."""
    if len(samples) <= length:
        return np.resize(samples, length) if len(samples) else np.zeros(length)
    energy = np.cumsum(np.concatenate(([0.0], samples * samples)))
    start = int(np.argmax(energy[length:] - energy[:-length]))
    return samples[start : start + length]


@lru_cache(maxsize=2)
def _voices(rate: int, folder: Path, files: tuple[Path, ...]) -> tuple[Voice, ...]:
    """Read once in a process: each case of a run is measured on them."""
    found = [_read(file, folder) for file in files]
    spoken = [voice for voice in found if voice.seconds >= _LONG_ENOUGH]
    if len(spoken) < 2:
        return tuple(synthetic(seed, 3.0, rate) for seed in range(8))
    return tuple(Voice(v.name, resample(v.samples, v.rate, rate), rate, True) for v in spoken)


def _read(path: Path, folder: Path) -> Voice:
    voice = read_wav(path) if path.suffix == ".wav" else _read_raw(path)
    return Voice(path.relative_to(folder).with_suffix("").as_posix(), voice.samples, voice.rate, True)


def _read_raw(path: Path) -> Voice:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SpeechError(f"{path}: {error.strerror}; install pocketsphinx-testdata again") from None
    samples = np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float32) / np.float32(32768)
    return Voice(path.stem, samples, _RAW_RATE, True)
