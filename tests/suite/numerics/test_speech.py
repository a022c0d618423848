"""Test speech: real where the package is, synthetic elsewhere, the same each time, mixed as asked."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasnet.suite.numerics.speech import (
    FOLDER,
    PEAK,
    SpeechError,
    Voice,
    mixture,
    mixtures,
    read_wav,
    synthetic,
    voices,
)


def _write(path: Path, samples: np.ndarray, rate: int = 16000, width: int = 2, channels: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path


@pytest.mark.skipif(not FOLDER.is_dir(), reason="pocketsphinx-testdata is not installed")
def test_real_voices_come_from_debians_package() -> None:
    found = voices()
    assert len(found) >= 10
    assert all(v.real and v.rate == 8000 and v.seconds >= 0.9 for v in found)
    assert all(np.abs(v.samples).max() > 0.05 for v in found)


def test_without_the_package_the_voices_are_synthetic_and_say_so(tmp_path: Path) -> None:
    found = voices(8000, tmp_path / "nothing")
    assert len(found) == 8
    assert not any(v.real for v in found)
    assert len({v.samples.tobytes() for v in found}) == 8


def test_files_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    tone = (20000 * np.sin(np.arange(24000) / 5)).astype("<i2")
    _write(tmp_path / "b" / "two.wav", tone)
    _write(tmp_path / "a.wav", tone, rate=8000)
    _write(tmp_path / "short.wav", tone[:800])
    (tmp_path / "c.raw").write_bytes(tone.tobytes())
    assert [(v.name, len(v.samples)) for v in voices(8000, tmp_path)] == [("a", 24000), ("b/two", 12000), ("c", 12000)]


def test_the_first_channel_of_a_wave_file(tmp_path: Path) -> None:
    both = np.stack([np.full(100, 16384), np.zeros(100)], 1).astype("<i2")
    voice = read_wav(_write(tmp_path / "x.wav", both, channels=2))
    assert voice.samples.tolist() == [0.5] * 100


def test_files_that_are_no_speech(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match="Unsigned 8 bit PCM at 16000 Hz; give 16-bit PCM"):
        read_wav(_write(tmp_path / "x.wav", np.zeros(10, np.uint8), width=1))
    (tmp_path / "y.wav").write_bytes(b"RIFF....")
    for name, wrong in (("y.wav", "not a wav that can be read"), ("none.wav", "no such file")):
        with pytest.raises(SpeechError, match=wrong):
            read_wav(tmp_path / name)


@given(st.floats(-20, 20), st.integers(1, 4000))
def test_mixtures_have_the_snr_asked_for(snr: float, length: int) -> None:
    first, second = synthetic(1, 0.5), synthetic(2, 0.5)
    made = mixture(first, second, snr, length)
    assert made.mix.shape == (length,)
    assert made.sources.shape == (2, length)
    energy = np.square(made.sources, dtype=np.float64).sum(1)
    assert 10 * np.log10(energy[0] / energy[1]) == pytest.approx(snr, abs=0.01)
    assert max(np.abs(made.mix).max(), np.abs(made.sources).max()) == pytest.approx(PEAK, rel=1e-5)
    np.testing.assert_allclose(made.sources.sum(0), made.mix, atol=1e-6)


def test_mixtures_are_the_same_each_time_and_share_no_voice_at_first() -> None:
    first, second = mixtures(4, 2000), mixtures(4, 2000)
    assert [m.mix.tobytes() for m in first] == [m.mix.tobytes() for m in second]
    names = [name for m in first for name in m.name.partition("@")[0].split("+")]
    assert len(set(names)) == 8
    assert [m.name for m in mixtures(2, 2000, skip=2)] == [m.name for m in first[2:]]
    assert len({m.name for m in mixtures(20, 2000)}) > 12


def test_what_cannot_be_mixed() -> None:
    voice = synthetic(1, 0.5)
    silent = Voice("silent", np.zeros(100, np.float32), 8000, False)
    with pytest.raises(SpeechError, match="synthetic1 is at 8000 Hz, synthetic2 at 16000 Hz; resample one"):
        mixture(voice, synthetic(2, 0.5, 16000), 0, 100)
    with pytest.raises(SpeechError, match="silent: silent over 100 samples"):
        mixture(voice, silent, 0, 100)
    with pytest.raises(SpeechError, match="length 0: one sample at least"):
        mixture(voice, voice, 0, 0)


def test_synthetic_voices_have_the_peaks_and_pauses_of_speech() -> None:
    voice = synthetic(3, 3.0).samples
    assert np.array_equal(voice, synthetic(3, 3.0).samples)
    frames = np.square(voice[: len(voice) // 80 * 80].reshape(-1, 80)).mean(1)
    assert 8 < 20 * np.log10(np.abs(voice).max() / voice.std()) < 30
    assert (frames < 1e-4 * frames.max()).mean() > 0.02
    assert abs(float(voice.mean())) < 0.05
