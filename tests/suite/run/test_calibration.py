"""Calibration: recordings in any form come out as the case's input, and nothing is made up."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile

from tasnet.cli import main
from tasnet.network.host_side import to_host_input
from tasnet.suite.cases.names import parse_case
from tasnet.suite.run.calibration import content_hash, load_calibration, save_calibration
from tasnet.suite.run.looks_like import looks_like
from tasnet.suite.run.recordings import CalibrationError

LENGTH = 1600
HORIZONTAL = parse_case(f"baseline+T={LENGTH}")
POLYPHASE = parse_case(f"split-normal-polyphase-all+encoder=polyphase+layout=vertical+T={LENGTH}")


def voice(samples: int, seed: int = 0, rate: int = 8000) -> np.ndarray:
    """Something with a pitch and syllables, float32, peak 0.5: no speech, but no noise either."""
    time = np.arange(samples) / rate
    random = np.random.default_rng(seed)
    pitch = 120 + 20 * np.sin(2 * np.pi * 0.7 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    wave = sum(np.sin(k * phase + random.uniform(0, 6)) / k for k in range(1, 12))
    wave = wave * np.maximum(np.sin(2 * np.pi * 4 * time + seed), 0) ** 2 + 1e-3 * random.standard_normal(samples)
    return np.asarray(0.5 * wave / np.abs(wave).max(), dtype=np.float32)


def wav(folder, name, wave, rate=8000, subtype="PCM_16"):
    folder.mkdir(parents=True, exist_ok=True)
    soundfile.write(str(folder / name), wave.T, rate, subtype=subtype)


def npz(tmp_path, **arrays):
    np.savez(tmp_path / "x.npz", **arrays)
    return tmp_path / "x.npz"


def test_wavs_are_cut_into_the_input_of_the_case_and_short_ones_are_named(tmp_path):
    first, second = voice(2 * LENGTH + 100), voice(LENGTH, 1)
    wav(tmp_path / "a", "one.wav", first, subtype="FLOAT")
    wav(tmp_path / "b", "two.WAV", second, subtype="FLOAT")
    wav(tmp_path, "short.wav", voice(LENGTH - 1))
    for case in (HORIZONTAL, POLYPHASE):
        got = load_calibration(tmp_path, case)
        waves = np.stack([first[:LENGTH], first[LENGTH : 2 * LENGTH], second])
        expected = to_host_input(case.variant, case.size, waves).transpose(0, 2, 3, 1)
        assert got.data.dtype == np.float32
        np.testing.assert_array_equal(got.data, expected)
    assert got.data.shape == (3, LENGTH // 8, 1, 8)
    report = got.report
    assert [(each.name, each.windows) for each in report.used] == [("a/one.wav", 2), ("b/two.WAV", 1)]
    assert [each.name for each in report.left_out] == ["short.wav"]
    assert "short.wav" in report.warnings[0]
    assert (report.recognised, report.looks_like, report.seconds) == ("wav", "signal", 3 * LENGTH / 8000)
    assert report.peak == pytest.approx(0.5, abs=1e-3)
    assert report.as_json()["used"][0]["rate"] == 8000


def test_the_first_window_of_each_recording_comes_before_the_second_of_any(tmp_path):
    for name, count in (("a.wav", 5), ("b.wav", 1), ("c.wav", 2)):
        wav(tmp_path, name, voice(count * LENGTH))
    shares = [
        {u.name: u.windows for u in load_calibration(tmp_path, HORIZONTAL, windows=n).report.used} for n in (2, 4, 100)
    ]
    assert shares == [
        {"a.wav": 1, "b.wav": 1},
        {"a.wav": 2, "b.wav": 1, "c.wav": 1},
        {"a.wav": 5, "b.wav": 1, "c.wav": 2},
    ]


def test_other_rates_are_resampled_and_a_prefix_reads_like_the_whole(tmp_path):
    wav(tmp_path, "a.wav", voice(8 * LENGTH, rate=16000), rate=16000, subtype="FLOAT")
    whole, part = load_calibration(tmp_path, HORIZONTAL, windows=4), load_calibration(tmp_path, HORIZONTAL, windows=1)
    assert whole.data.shape == (4, 1, LENGTH, 1)
    np.testing.assert_array_equal(whole.data[:1], part.data)
    # A tone keeps its pitch: 500 Hz stays at bin 100 of 1600 samples at 8 kHz.
    tone = np.sin(2 * np.pi * 500 * np.arange(44100) / 44100).astype(np.float32)
    wav(tmp_path / "tone", "t.wav", 0.5 * tone, rate=44100)
    got = load_calibration(tmp_path / "tone", HORIZONTAL, windows=2)
    assert np.abs(np.fft.rfft(got.data[1, 0, :, 0])).argmax() == 100
    assert got.report.looks_like == "steady"


def test_integer_pcm_is_scaled_to_full_scale(tmp_path):
    wave = voice(LENGTH)
    for dtype, scale in ((np.int16, 2**15), (np.int32, 2**31)):
        path = npz(tmp_path, x=np.round(wave[None] * scale).astype(dtype), rate=8000)
        np.testing.assert_allclose(load_calibration(path, HORIZONTAL).data[0, 0, :, 0], wave, atol=2e-5)
    path = npz(tmp_path, x=np.round(wave[None] * 127 + 128).astype(np.uint8), rate=8000)
    np.testing.assert_allclose(load_calibration(path, HORIZONTAL).data[0, 0, :, 0], wave, atol=1e-2)
    wav(tmp_path / "pcm", "a.wav", wave, subtype="PCM_24")
    np.testing.assert_allclose(load_calibration(tmp_path / "pcm", HORIZONTAL).data[0, 0, :, 0], wave, atol=1e-6)


@pytest.mark.parametrize("case", [HORIZONTAL, POLYPHASE], ids=["horizontal", "vertical-polyphase"])
def test_arrays_in_every_layout_give_one_and_the_same_data(tmp_path, case):
    waves = np.stack([voice(LENGTH, seed) for seed in range(3)])
    nchw = to_host_input(case.variant, case.size, waves)
    forms = {"NT": waves, "NCT": waves[:, None], "NCHW": nchw, "NHWC": nchw.transpose(0, 2, 3, 1)}
    hashes = set()
    for name, array in forms.items():
        got = load_calibration(npz(tmp_path, x=array, rate=8000), case)
        assert got.report.recognised == name
        np.testing.assert_array_equal(got.data, nchw.transpose(0, 2, 3, 1))
        hashes.add(got.report.sha256)
    assert len(hashes) == 1
    longer = load_calibration(
        npz(tmp_path, x=np.concatenate([waves[0], waves[1], waves[2, :7]])[None], rate=8000), case
    )
    np.testing.assert_array_equal(longer.data, nchw[:2].transpose(0, 2, 3, 1))


def test_an_array_of_another_rate_is_resampled_and_one_without_a_rate_is_warned_of(tmp_path):
    array = voice(2 * LENGTH, rate=16000)[None]
    assert load_calibration(npz(tmp_path, x=array, sr=16000), HORIZONTAL).data.shape[0] == 1
    assert load_calibration(npz(tmp_path, x=array), HORIZONTAL, source_rate=16000).data.shape[0] == 1
    report = load_calibration(npz(tmp_path, x=array), HORIZONTAL).report
    assert "rate" in report.warnings[0]


def test_a_mixdown_is_made_only_when_asked_for(tmp_path):
    stereo = np.stack([voice(LENGTH), voice(LENGTH, 1)])
    wav(tmp_path / "s", "stereo.wav", stereo, subtype="FLOAT")
    for path in (tmp_path / "s", npz(tmp_path, x=stereo[None], rate=8000)):
        with pytest.raises(CalibrationError, match=r"2 channels; ask for the mixdown"):
            load_calibration(path, HORIZONTAL)
        got = load_calibration(path, HORIZONTAL, mixdown=True)
        np.testing.assert_allclose(got.data[0, 0, :, 0], stereo.mean(axis=0), atol=1e-6)


def test_a_clipped_recording_is_left_out_and_its_share_goes_to_the_others(tmp_path):
    loud = np.clip(10 * voice(2 * LENGTH), -1, 1)
    wav(tmp_path, "a.wav", loud)
    with pytest.raises(CalibrationError, match=r"nothing to use \(a.wav: clipped"):
        load_calibration(tmp_path, HORIZONTAL)
    wav(tmp_path, "b.wav", voice(3 * LENGTH))
    # A peak that touches full scale is none.
    wav(tmp_path, "c.wav", 2 * voice(LENGTH))
    report = load_calibration(tmp_path, HORIZONTAL, windows=4).report
    assert [(each.name, each.windows) for each in report.used] == [("b.wav", 3), ("c.wav", 1)]
    assert [each.name for each in report.left_out] == ["a.wav"]


def test_noise_and_silence_are_warned_of(tmp_path):
    random = np.random.default_rng(0)
    noise = 0.1 * random.standard_normal((2, LENGTH)).astype(np.float32)
    for array, like in ((noise, "noise"), (1e-3 * noise, "silence"), (0 * noise, "silence")):
        report = load_calibration(npz(tmp_path, x=array, rate=8000), HORIZONTAL).report
        assert report.looks_like == like
        assert f"looks like {'white ' if like == 'noise' else ''}{like}" in report.warnings[-1]
    pink = np.fft.irfft(np.fft.rfft(noise) / np.sqrt(np.arange(1, LENGTH // 2 + 2))).astype(np.float32)
    assert looks_like(pink / pink.std() * 0.1).like in {"noise", "steady"}
    # Noise stays noise under a slow envelope.
    assert looks_like(noise * (1.1 + np.sin(np.arange(LENGTH) / 80)).astype(np.float32)).like == "noise"


BAD = {
    "rank 1": ({"x": np.zeros(LENGTH)}, "rank 1; give NT"),
    "rank 5": ({"x": np.zeros((1, 1, 1, 1, LENGTH))}, "rank 5"),
    "too short": ({"x": np.zeros((4, 100))}, "too short: 100 samples"),
    "NTC": ({"x": np.zeros((2, LENGTH, 1))}, "NCT or NTC"),
    "other layout": ({"x": np.zeros((2, LENGTH, 1, 1))}, "neither NCHW nor NHWC of the horizontal layout"),
    "NaN": ({"x": np.full((1, LENGTH), np.nan)}, "NaN"),
    "lost type": ({"x": np.full((1, LENGTH), 20000.0)}, "full scale is 1; save integer PCM"),
    "int64": ({"x": np.zeros((1, LENGTH), np.int64)}, "int64 is no PCM"),
    "complex": ({"x": np.zeros((1, LENGTH), complex)}, "complex128 is no PCM"),
    "empty": ({"x": np.zeros((0, LENGTH))}, "empty"),
    "two arrays": ({"x": np.zeros((1, LENGTH)), "y": np.zeros((1, LENGTH))}, "2 arrays"),
    "rate": ({"x": np.zeros((1, LENGTH)), "rate": 0}, "rate 0 Hz"),
    "pickle": ({"x": np.array([{}], dtype=object)}, "not an npz of plain arrays"),
}


@pytest.mark.parametrize(("arrays", "told"), BAD.values(), ids=BAD)
def test_what_cannot_be_meant_is_one_line(tmp_path, arrays, told):
    with pytest.raises(CalibrationError, match=told) as caught:
        load_calibration(npz(tmp_path, **arrays), HORIZONTAL)
    assert "\n" not in str(caught.value)


def test_phases_and_channels_are_not_mistaken_for_each_other(tmp_path):
    eight_channels = np.zeros((1, 8, LENGTH, 1))
    with pytest.raises(CalibrationError, match="8 phases"):
        load_calibration(npz(tmp_path, x=eight_channels, rate=8000), POLYPHASE)


def test_a_path_without_recordings_is_an_error(tmp_path):
    for path, told in ((tmp_path / "none", "no such"), (tmp_path, "it holds no wav")):
        with pytest.raises(CalibrationError, match=told):
            load_calibration(path, HORIZONTAL)
    (tmp_path / "x.npz").write_bytes(b"PK\x03\x04 rubbish")
    with pytest.raises(CalibrationError, match="not an npz"):
        load_calibration(tmp_path / "x.npz", HORIZONTAL)
    (tmp_path / "x.wav").write_bytes(b"RIFF\x04\0\0\0WAVE")
    with pytest.raises(CalibrationError, match="not an npz; name a folder of wavs"):
        load_calibration(tmp_path / "x.wav", HORIZONTAL)
    (tmp_path / "broken.wav").write_bytes(b"RIFFxxxxWAVE")
    with pytest.raises(CalibrationError, match=r"broken\.wav: not a wav that can be read"):
        load_calibration(tmp_path, HORIZONTAL)
    np.save(tmp_path / "x.npy", np.zeros((1, LENGTH)))
    with pytest.raises(CalibrationError, match="a single array"):
        load_calibration(tmp_path / "x.npy", HORIZONTAL)
    path = npz(tmp_path, x=np.zeros((1, LENGTH)), y=voice(LENGTH)[None])
    assert load_calibration(path, HORIZONTAL, array="y").report.looks_like == "signal"
    with pytest.raises(CalibrationError, match="no array 'z'"):
        load_calibration(path, HORIZONTAL, array="z")
    with pytest.raises(CalibrationError, match="at least 1"):
        load_calibration(path, HORIZONTAL, rate=0)


def test_what_is_saved_is_the_data_and_its_report(tmp_path):
    got = load_calibration(npz(tmp_path, x=voice(2 * LENGTH)[None], rate=8000), HORIZONTAL)
    path = save_calibration(got, tmp_path / "calibration")
    data = np.load(path)
    np.testing.assert_array_equal(data, got.data)
    report = json.loads(path.with_suffix(".json").read_text())
    assert report["sha256"] == content_hash(data)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["calibration.json", "calibration.npy", "x.npz"]


def test_a_person_is_told_what_was_recognised_and_left_out(tmp_path, capsys):
    for name, seconds in (("long", 5), ("short", 1)):
        soundfile.write(tmp_path / f"{name}.wav", voice(seconds * 8000), 8000)
    out = tmp_path / "data.npy"
    assert main(["calibrate", str(tmp_path), "--case", "baseline", "-o", str(out)]) == 0
    said = capsys.readouterr().out
    assert "read as wav, 2 windows, 4.0 s at 8000 Hz from 1 recording" in said
    assert "left out  short.wav: too short" in said
    assert np.load(out).shape == (2, 1, 16000, 1)
    np.savez(tmp_path / "a.npz", speech=voice(16000)[None, None], rate=8000)
    assert main(["calibrate", str(tmp_path / "a.npz"), "--case", "baseline", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["recognised"] == "NCT"
    assert main(["calibrate", str(tmp_path / "none"), "--case", "baseline"]) == 2
    assert "no such folder or file" in capsys.readouterr().err
