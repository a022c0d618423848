"""`tasnet listen`: what stands in the folder, what the figures are, and every input that can't be used."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tasnet.common import TasnetError
from tasnet.hailo.predict.reference import Reference
from tasnet.network.variant import Size, Variant
from tasnet.suite.cases.case import Case
from tasnet.suite.numerics.listen_page import PAGE
from tasnet.suite.numerics.listening import (
    ListenError,
    listen_summary,
    mix_recordings,
    read_recording,
    separate_to_folder,
)
from tasnet.suite.numerics.metrics import distance
from tasnet.suite.numerics.separation import improvement
from tasnet.suite.numerics.speech import synthetic
from tasnet.suite.run.pipeline import Pipeline
from tasnet.suite.run.store import open_store
from tests.doubles.forked_compiler import forked_compiler
from tests.suite.numerics.emulating_dfc import dfc_of

SIZE = Size(N=12, L=8, B=6, H=10, Sc=6, X=2, R=1)
CASE = Case(Variant("split", decoder="polyphase"), SIZE, 2000)

Write = Callable[..., Path]


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    return Pipeline(open_store(tmp_path / "store"), Reference())


@pytest.fixture
def wav(tmp_path: Path) -> Write:
    def write(name: str, samples: np.ndarray, rate: int = 8000, subtype: str = "PCM_16") -> Path:
        soundfile.write(str(tmp_path / name), samples, rate, subtype=subtype)
        return tmp_path / name

    return write


def voice(seed: int, seconds: float = 0.7, rate: int = 8000) -> np.ndarray:
    """From its first loud sample on: a voice may begin with a pause."""
    samples = synthetic(seed, 3.0, rate).samples
    return samples[np.argmax(np.abs(samples) > 0.1) :][: round(seconds * rate)]


def test_two_recordings_through_every_stage(tmp_path: Path, pipeline: Pipeline, wav: Write) -> None:
    paths = [wav("a.wav", voice(1)), wav("b <i>.wav", voice(2, 0.6, 16000), 16000)]
    out = tmp_path / "out"
    heard = separate_to_folder(CASE, paths, out, pipeline)
    stages = ("torch", "onnx", "har", "har8")
    expected = {f"{stage}_source{n}.wav" for stage in stages for n in (1, 2)}
    assert {path.name for path in out.iterdir()} == expected | {PAGE, "mix.wav", "recording1.wav", "recording2.wav"}

    read = {path.name: soundfile.read(path, dtype="float32") for path in out.glob("*.wav")}
    assert {(len(wave), rate) for wave, rate in read.values()} == {(4000, 8000)}
    given = read["recording1.wav"][0] + read["recording2.wav"][0]
    assert np.allclose(given, read["mix.wav"][0], atol=1e-6)
    energies = [float(np.mean(wave.astype("f8") ** 2)) for wave in heard.mix.references]
    assert energies[0] == pytest.approx(energies[1], rel=1e-3)
    # the wavs are what the figures are of
    both = [np.stack([read[f"{stage}_source{n}.wav"][0] for n in (1, 2)]) for stage in ("har8", "torch")]
    assert distance(*both).snr == pytest.approx(heard.distances["har8"].snr, abs=0.1)
    assert min(heard.distances[stage].snr for stage in ("onnx", "har")) > 100
    assert set(heard.improvements) == set(stages)

    html = (out / PAGE).read_text(encoding="utf-8")
    assert "drawn from a seed: nobody trained them, and they separate nothing" in html
    assert "recording 2: b &lt;i&gt;" in html
    assert html.count("data:image/png;base64,") == 11
    assert html.count(">predicted</span>") == 4
    links = set(re.findall(r'src="((?!data:)[^"]*)"', html))
    assert links == {path.name for path in out.glob("*.wav")}
    assert not re.search(r"https?://|<script|href=", html)
    told = listen_summary(heard, out)
    assert "HAR, float (predicted)" in told
    assert "separate nothing" in told


@pytest.mark.usefixtures("undrawn")
def test_one_recording_is_the_mixture_and_an_empty_folder_is_taken(
    tmp_path: Path, pipeline: Pipeline, wav: Write
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    heard = separate_to_folder(CASE, [wav("mix.wav", voice(1))], out, pipeline, seconds=0.25)
    assert len(heard.mix.mix) == 2000
    assert heard.mix.left_out == 3600
    assert heard.improvements == {}
    assert heard.clipped is not None
    assert heard.clipped < 0.001
    assert "SI-SDRi" not in (out / PAGE).read_text(encoding="utf-8")


@pytest.mark.usefixtures("undrawn")
def test_a_mix_beyond_full_scale_is_clipped_in_8_bits_alone_and_both_say_so(
    tmp_path: Path, pipeline: Pipeline, wav: Write
) -> None:
    loud = wav("loud.wav", 500 * voice(1, 0.3), 8000, "FLOAT")
    heard = separate_to_folder(CASE, [loud], tmp_path / "out", pipeline)
    assert heard.clipped is not None
    assert heard.clipped > 0.5
    assert heard.distances["har"].snr > 100
    assert heard.distances["har8"].snr < 3
    assert "louder than the speech that set the 8 bits" in listen_summary(heard, tmp_path / "out")
    assert "they are clipped there" in (tmp_path / "out" / PAGE).read_text(encoding="utf-8")


@pytest.mark.usefixtures("undrawn")
def test_the_compilers_contexts_are_heard_too(tmp_path: Path, pipeline: Pipeline, wav: Write) -> None:
    compiler = Pipeline(pipeline.store, dfc_of(tmp_path, CASE, "breaks"))
    with forked_compiler():
        heard = separate_to_folder(CASE, [wav("mix.wav", voice(1, 0.3))], tmp_path / "out", pipeline, compiler=compiler)
    assert heard.distances["sdk_native"].snr > 100
    # a double observes nothing
    assert {"sdk_native", "sdk_quantized"} <= heard.staged.predicted
    assert "the emulator fell over" in (tmp_path / "out" / PAGE).read_text(encoding="utf-8")
    assert "the emulator fell over" in listen_summary(heard, tmp_path / "out")


@pytest.mark.usefixtures("undrawn")
def test_a_form_without_a_har_is_heard_as_far_as_it_goes(tmp_path: Path, pipeline: Pipeline, wav: Write) -> None:
    case = Case(Variant(norm="cgln"), SIZE, 2000)
    heard = separate_to_folder(case, [wav("mix.wav", voice(1, 0.3))], tmp_path / "out", pipeline)
    assert set(heard.waves) == {"torch", "onnx"}
    assert set(heard.staged.missing) == {"har", "har8"}
    assert "translate ended unknown" in (tmp_path / "out" / PAGE).read_text(encoding="utf-8")


def test_the_improvement_is_that_of_the_best_assignment() -> None:
    references = np.stack([voice(1)[:4000], voice(2)[:4000]])
    noise = 0.01 * np.random.default_rng(0).standard_normal((2, 4000)).astype(np.float32)
    swapped = references[::-1] + noise

    def gain(estimates: np.ndarray) -> float:
        return improvement(estimates, references.sum(0), references)

    assert gain(swapped) > 10
    assert gain(swapped) == pytest.approx(gain(swapped[::-1]))
    assert gain(np.stack([references.sum(0)] * 2)) == pytest.approx(0.0, abs=1e-6)
    assert np.isnan(gain(np.zeros((2, 4000), np.float32)))


def _header(data: int, rate: int) -> bytes:
    """Of a wav of one channel of 16 bits, as Microsoft's page of RIFF has it."""
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, min(2 * rate, 2**32 - 1), 2, 16)
    return (
        struct.pack("<4sI4s", b"RIFF", min(36 + data, 2**32 - 1), b"WAVE") + form + struct.pack("<4sI", b"data", data)
    )


def test_recordings_that_cannot_be_used(tmp_path: Path, wav: Write) -> None:
    (tmp_path / "text.wav").write_text("not a wav")
    (tmp_path / "empty.wav").write_bytes(b"")
    nan = voice(1)
    nan[5] = np.nan
    os.mkfifo(tmp_path / "pipe.wav")
    # What libmpg123 takes for a stream, and writes to stderr about.
    (tmp_path / "mp3.wav").write_bytes(b"\xff\xfe" + '{"a":1'.encode("utf-16-le"))
    soundfile.write(str(tmp_path / "flac.wav"), voice(1), 8000, format="FLAC")
    with (tmp_path / "long.wav").open("wb") as long:
        long.write(_header(1 << 29, 8000))
        long.truncate(44 + (1 << 29))
    with (tmp_path / "huge.wav").open("wb") as huge:
        huge.write(_header(3 << 30, 8000))
        huge.truncate(44 + (3 << 30))
    (tmp_path / "rate.wav").write_bytes(_header(8000, (1 << 31) - 1) + bytes(range(250)) * 32)
    wrong = {
        tmp_path / "none.wav": "no such file",
        tmp_path: "a directory",
        tmp_path / "pipe.wav": "a pipe",
        tmp_path / "mp3.wav": "not a wav: it doesn't begin with RIFF",
        tmp_path / "flac.wav": "not a wav: it doesn't begin with RIFF",
        tmp_path / "long.wav": "268,435,456 samples; cut a part of at most 40,000,000 out of it",
        tmp_path / "huge.wav": "3,221,225,516 bytes, and a wav has at most",
        tmp_path / "rate.wav": "recorded at 2147483647 Hz, and no converter takes over 768000",
        tmp_path / "text.wav": "not a wav: it doesn't begin with RIFF",
        tmp_path / "empty.wav": "not a wav: it doesn't begin with RIFF",
        wav("nothing.wav", np.zeros(0)): "holds no samples",
        wav("stereo.wav", np.stack([voice(1), voice(2)], 1)): "2 channels; mix them down",
        wav("silent.wav", np.zeros(8000)): "silent",
        wav("nan.wav", nan, 8000, "FLOAT"): "1 of 5600 samples are NaN",
        wav("slow.wav", voice(1), 7): "recorded at 7 Hz, where no voice fits",
    }
    for path, told in wrong.items():
        with pytest.raises(ListenError, match=re.escape(told)) as error:
            read_recording(path, 8000)
        assert str(error.value).startswith(f"{path}: ")
        assert "\n" not in str(error.value)
    assert len(read_recording(wav("fast.wav", voice(1, 0.5, 44100), 44100), 8000)) == 4000
    same = wav("same.wav", voice(1))
    with pytest.raises(ListenError, match="the same sound as"):
        mix_recordings([same, same])
    late = np.concatenate([np.zeros(4000), voice(3)])
    with pytest.raises(ListenError, match=r"late.wav: silent in its first 0\.40 s"):
        mix_recordings([wav("short.wav", voice(1, 0.4)), wav("late.wav", late)])
    with pytest.raises(ListenError, match="no recording"):
        mix_recordings([])


def test_cases_and_folders_that_cannot_be_used(tmp_path: Path, pipeline: Pipeline, wav: Write) -> None:
    mix = wav("mix.wav", voice(1, 0.2))
    with pytest.raises(ListenError, match="1600 samples at 8000 Hz, a window is 2000"):
        separate_to_folder(CASE, [mix], tmp_path / "out", pipeline)
    with pytest.raises(ListenError, match="conv1x1_head gives one value per frame"):
        separate_to_folder(Case(Variant(decoder="conv1x1_head"), SIZE, 400), [mix], tmp_path / "out", pipeline)
    with pytest.raises(ListenError, match="isn't empty"):
        separate_to_folder(CASE, [mix], tmp_path, pipeline)
    with pytest.raises(ListenError, match="a file; name a folder"):
        separate_to_folder(CASE, [mix], mix, pipeline)
    with pytest.raises(ListenError, match="make it first"):
        separate_to_folder(CASE, [mix], tmp_path / "no" / "out", pipeline)
    assert issubclass(ListenError, TasnetError)
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".listen-*"))
