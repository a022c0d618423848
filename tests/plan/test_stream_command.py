"""`tasnet plan` of a causal checkpoint: samples from stdin, estimates to wavs or stdout, and what is no such stream."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from tasnet.cli import main
from tasnet.network import Size, Variant, seeded_weights
from tests.plan.pipes import piped
from tests.plan.programs import RATE, asteroids, quiet_noise, sources
from tests.plan.running import apart, uncut

SIZE = Size(N=14, L=8, B=12, H=16, Sc=10, P=3, X=4, R=2, n_src=2)


@pytest.fixture(scope="module", params=["cgLN", "cLN"])
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("best") / f"{request.param}.pth"
    return asteroids(path, SIZE, request.param, causal=True)


@pytest.fixture(scope="module")
def plan(checkpoint: Path) -> Path:
    folder = checkpoint.with_suffix("")
    if not folder.exists():
        assert main(["plan", "make", "--checkpoint", str(checkpoint), "--block", "30", "-o", str(folder)]) == 0
    return folder


def expected_of(plan: Path, mix: np.ndarray) -> np.ndarray:
    norm = json.loads((plan / "plan.json").read_text())["function"]["norm"]
    variant = Variant(norm=norm, activation="prelu", causal="pad")
    return uncut(variant, SIZE, seeded_weights(SIZE, 5), mix.astype(np.float64))


@pytest.mark.parametrize("form", ["s16", "f32"])
def test_samples_from_stdin_become_what_pytorch_gives_of_the_whole(
    tmp_path: Path,
    plan: Path,
    form: str,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    # 15 blocks; 1777 samples don't fill the last frame.
    sent = quiet_noise(1777)
    content = sent.tobytes()
    if form == "s16":
        whole = np.round(sent * 32768).astype("<i2")
        sent, content = (whole / 32768).astype(np.float32), whole.tobytes()
    command = ["plan", "run", str(plan), "--mix", "-", "--format", form, "--rate", str(RATE)]
    expected = expected_of(plan, sent)
    for executor in ("onnx", "har"):
        piped(monkeypatch, content)
        assert main([*command, "-o", str(tmp_path / executor), "--executor", executor]) == 0
        assert apart(sources(tmp_path / executor), expected) < 5e-6
        assert {soundfile.info(each).samplerate for each in (tmp_path / executor).iterdir()} == {RATE}
    told = capfdbinary.readouterr()
    assert told.out == b""
    assert b"source2.wav: 1777 samples at 8000 Hz" in told.err
    assert b"real-time factor" in told.err
    piped(monkeypatch, content)
    assert main([*command, "-o", "-"]) == 0
    out = np.frombuffer(capfdbinary.readouterr().out, "<f4").reshape(-1, 2).T
    np.testing.assert_array_equal(out, sources(tmp_path / "onnx"))
    assert not list(tmp_path.glob(".*"))


def test_a_wav_is_run_in_the_plans_blocks_as_well(tmp_path: Path, plan: Path) -> None:
    soundfile.write(tmp_path / "mix.wav", quiet_noise(2000), RATE, subtype="FLOAT")
    assert main(["plan", "run", str(plan), "--mix", str(tmp_path / "mix.wav"), "-o", str(tmp_path / "out")]) == 0
    assert apart(sources(tmp_path / "out"), expected_of(plan, quiet_noise(2000))) < 5e-6


def test_what_a_plan_for_streams_says_of_itself(
    tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["plan", "make", "--checkpoint", str(checkpoint), "--latency", "500", "-o", str(tmp_path / "late")]
    assert main(given) == 0
    made = capsys.readouterr().out
    for told in ("stream    latency ", " to hear a block, ", "state ", "blocks    frames", "null plan", "(modelled)"):
        assert told in made
    late = int(made.partition("stream    latency ")[2].partition(" ms")[0])
    assert 400 < late <= 500
    given[-4:] = ["--objective", "latency", "-o", str(tmp_path / "a")]
    assert main(given) == 0
    least = int(capsys.readouterr().out.partition("stream    latency ")[2].partition(" ms")[0])
    assert least < late
    assert main(["plan", "show", str(tmp_path / "a"), "--svg", str(tmp_path / "a.svg")]) == 0
    assert f"stream    latency {least} ms" in capsys.readouterr().out
    assert "<svg" in (tmp_path / "a.svg").read_text()


def test_recordings_calibrate_a_stream_with_some_of_its_blocks(tmp_path: Path, checkpoint: Path) -> None:
    (tmp_path / "speech").mkdir()
    soundfile.write(tmp_path / "speech" / "a.wav", quiet_noise(16_000), RATE, subtype="FLOAT")
    given = ["--checkpoint", str(checkpoint), "--block", "20", "--calibration", str(tmp_path / "speech")]
    assert main(["plan", "make", *given, "-o", str(tmp_path / "plan")]) == 0
    chip = [each for each in json.loads((tmp_path / "plan" / "plan.json").read_text())["segments"] if each["har"]]
    for each in chip:
        with np.load(tmp_path / "plan" / each["calibration"]["name"]) as arrays:
            shapes = {array.shape[:3] for array in arrays.values()}
        ((count, height, width),) = shapes
        assert (height, width) == (each["height"], each["width"])
        # of 200 blocks
        assert 40 <= count <= 100


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--block", "0"], "--block"),
        (["--latency", "0"], "milliseconds, more than 0"),
        (["--latency", "0.5"], "--latency 0.5: the least is"),
        (["--latency", "nan"], "milliseconds, more than 0"),
        (["--block", "5", "--latency", "90"], "one of them"),
        (["--block", "5", "--seconds", "2"], "are a clip's; a stream has --block or --latency"),
        (["--block", "100000"], "blocks of 1 to 65,536 frames"),
        (["--block", "5", "--rows", "10"], "elements of a row, 10 are allowed; allow more"),
    ],
)
def test_blocks_and_latencies_that_are_none_are_one_line(
    tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert main(["plan", "make", "--checkpoint", str(checkpoint), *arguments, "-o", str(tmp_path / "plan")]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_gln_network_asked_to_stream_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    best = asteroids(tmp_path / "best.pth", SIZE)
    for asked in (["--block", "20"], ["--latency", "100"], ["--objective", "latency"]):
        assert main(["plan", "make", "--checkpoint", str(best), *asked, "-o", str(tmp_path / "plan")]) == 2
        error = capsys.readouterr().err
        assert "norm=gln spans the whole signal, and a stream has no end" in error
        assert error.count("\n") == 1
    assert main(["plan", "make", "--checkpoint", str(best), "--seconds", "0.2", "-o", str(tmp_path / "plan")]) == 0
    assert main(["plan", "run", str(tmp_path / "plan"), "--mix", str(best), "-o", "-"]) == 2
    assert "are for a stream from stdin" in capsys.readouterr().err


def wav_bytes() -> bytes:
    content = io.BytesIO()
    soundfile.write(content, quiet_noise(900), RATE, format="WAV")
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "arguments", "told"),
    [
        (quiet_noise(900).tobytes()[:-3], ["--format", "f32"], "ends in 1 of a sample's 4 bytes, after 899 samples"),
        (b"\0" * 1801, [], "ends in 1 of a sample's 2 bytes, after 900 samples"),
        (b"\0" * 14, [], "ends after 7 samples, the encoder's kernel has 8"),
        (b"", [], "ends after 0 samples"),
        (wav_bytes(), [], "the stream is a wav"),
        (np.array([0.1, np.nan] * 600, "<f4").tobytes(), ["--format", "f32"], "NaN or infinity at sample 1;"),
        (b"\0" * 4000, ["--rate", "16000"], "--rate 16000: the network hears 8000 Hz"),
        (b"\0" * 4000, ["--format", "s24"], "--format s24: unknown; one of s16, f32"),
        (b"\0" * 4000, ["--executor", "simulated"], "a stream takes onnx, har, hailort"),
    ],
)
def test_what_is_no_stream_is_one_line_and_leaves_nothing(
    tmp_path: Path,
    plan: Path,
    content: bytes,
    arguments: list[str],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    piped(monkeypatch, content)
    assert main(["plan", "run", str(plan), "--mix", "-", *arguments, "-o", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_stream_needs_a_plan_in_blocks_and_something_piped_in(
    tmp_path: Path, checkpoint: Path, plan: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = str(tmp_path / "clips")
    assert main(["plan", "make", "--checkpoint", str(checkpoint), "--seconds", "0.2", "-o", clips]) == 0
    piped(monkeypatch, b"\0" * 4000)
    assert main(["plan", "run", clips, "--mix", "-", "-o", str(tmp_path / "out")]) == 2
    assert "a plan of whole clips; a stream needs one in blocks" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    assert main(["plan", "run", str(plan), "--mix", "-", "-o", str(tmp_path / "out")]) == 2
    assert "nothing is piped in" in capsys.readouterr().err
    soundfile.write(tmp_path / "mix.wav", quiet_noise(2000), RATE)
    for more in (["--rate", "8000"], ["--format", "s16"]):
        command = ["plan", "run", str(plan), "--mix", str(tmp_path / "mix.wav"), *more, "-o", str(tmp_path / "out")]
        assert main(command) == 2
        assert "are for a stream from stdin" in capsys.readouterr().err
