"""`tasnet plan`: from a checkpoint to separated wavs, and one line for what can't be planned or run."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import soundfile

from tasnet.cli import main
from tasnet.network import Size, Variant, seeded_weights
from tests.plan.programs import RATE, asteroids, quiet_noise, wav
from tests.plan.running import apart, uncut

SIZE = Size(N=14, L=8, B=12, H=16, Sc=10, P=3, X=4, R=2, n_src=2)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return asteroids(tmp_path / "best.pth", SIZE)


def test_from_a_checkpoint_to_what_pytorch_gives_in_three_commands(
    tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, out = tmp_path / "plan", tmp_path / "out"
    given = ["--checkpoint", str(checkpoint), "--seconds", "0.2", "--rows", "1200", "-o", str(plan)]
    assert main(["plan", "make", *given]) == 0
    made = capsys.readouterr().out
    assert main(["plan", "show", str(plan), "--svg", str(tmp_path / "plan.svg")]) == 0
    shown = capsys.readouterr().out
    assert shown.splitlines()[0] in made
    for told in ("modelled", "null plan", "nothing was measured", "extrapolated", "real-time factor", "gln spans"):
        assert told in made
    for told in ("front ", "a figure were another", "switch seconds 20 ms"):
        assert told in made
        assert told not in shown
    mix = quiet_noise(3777)
    for executor in ("onnx", "har"):
        command = ["plan", "run", str(plan), "--mix", str(wav(tmp_path / "mix.wav", mix)), "-o", str(out)]
        assert main([*command, "--executor", executor]) == 0
        expected = uncut(Variant(norm="gln", activation="prelu"), SIZE, seeded_weights(SIZE, 5), mix.astype(np.float64))
        got, infos = [], []
        for source in (1, 2):
            samples, rate = soundfile.read(out / f"source{source}.wav", dtype="float32")
            got.append(samples)
            infos.append((rate, soundfile.info(out / f"source{source}.wav").subtype))
        assert infos == [(RATE, "FLOAT")] * 2
        assert apart(np.array(got), expected) < 5e-6
    assert "real-time factor" in capsys.readouterr().out
    assert not list(tmp_path.glob(".*"))


def test_the_drawing_is_svg_with_a_band_for_every_segment(tmp_path: Path, checkpoint: Path) -> None:
    plan = tmp_path / "plan"
    assert main(["plan", "make", "--checkpoint", str(checkpoint), "--seconds", "0.2", "-o", str(plan)]) == 0
    assert main(["plan", "show", str(plan), "--svg", str(tmp_path / "plan.svg")]) == 0
    root = ElementTree.fromstring((tmp_path / "plan.svg").read_text("utf-8"))
    titles = [each.text for each in root.iter("{http://www.w3.org/2000/svg}title")]
    names = [each["name"] for each in json.loads((plan / "plan.json").read_text())["segments"]]
    assert [title.split()[0] for title in titles if title] == names


def test_a_short_clip_is_separated_and_it_is_said_by_whom(
    tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = tmp_path / "plan"
    assert main(["plan", "make", "--checkpoint", str(checkpoint), "--seconds", "1", "-o", str(plan)]) == 0
    mix = wav(tmp_path / "mix.wav", quiet_noise(50))
    assert main(["plan", "run", str(plan), "--mix", str(mix), "-o", str(tmp_path / "out")]) == 0
    assert "the host computed the whole network" in capsys.readouterr().err
    assert len(soundfile.read(tmp_path / "out" / "source2.wav")[0]) == 50


def test_calibration_is_what_each_segment_is_given_for_the_recordings(tmp_path: Path, checkpoint: Path) -> None:
    (tmp_path / "speech").mkdir()
    for index in range(2):
        wav(tmp_path / "speech" / f"{index}.wav", quiet_noise(2000) * np.float32(0.5 + index / 4))
    plan = tmp_path / "plan"
    given = ["--checkpoint", str(checkpoint), "--length", "1600", "--calibration", str(tmp_path / "speech")]
    assert main(["plan", "make", *given, "--rows", "1200", "-o", str(plan)]) == 0
    for each in json.loads((plan / "plan.json").read_text())["segments"]:
        if each["place"] == "host":
            continue
        with np.load(plan / each["calibration"]["name"]) as arrays:
            assert len(arrays.files) == len(each["inputs"])
            for name, port in zip(sorted(arrays.files), each["inputs"], strict=True):
                assert name.startswith(f"{each['name']}/input_layer")
                count, *shape = arrays[name].shape
                assert count == 2 * each["invocations"]
                assert shape == [each["height"], each["width"], port["channels"]]
                assert port["role"] != "scalars" or (arrays[name][..., 0] > 0).all()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "plan make: no case and no --checkpoint"),
        (["concat-normal-grouped-all", "--seconds", "2"], "nothing says the network's sample rate"),
        (["concat-normal-grouped-all", "--length", "7"], "shorter than the encoder's kernel of 16 samples"),
        (["concat-normal-grouped-all", "--length", "99999999999"], "plan a clip of at most"),
        (["concat-normal-grouped-all", "--rows", "100"], "1,536 elements of a row, 100 are allowed"),
        (["concat-normal-grouped-all", "--max-layers", "2"], "2 are allowed"),
        (["concat-normal-grouped-all", "--certainty", "observed", "--arch", "hailo8l"], "use --certainty extrapolated"),
        (["concat-normal-grouped-all", "--certainty", "observed", "--rows", "4"], "pieces on rows of 4 elements"),
        (["concat-normal-grouped-all", "--certainty", "observed", "--coders", "chip"], "leave --coders host"),
        (["concat-normal-grouped-all+H=2048", "--certainty", "observed"], "a device holds 256"),
        (["concat-normal-grouped-all", "--objective", "joy"], "--objective joy: unknown; one of time, hefs, macs"),
        (["concat-normal-grouped-all", "--hardware", "abacus"], "--hardware abacus: unknown"),
        (["concat-normal-grouped-all", "--arch", "hailo15"], "--arch hailo15: unknown"),
        (["concat-bypass-grouped-all"], "mask=bypass: without masks"),
        (["concat-normal-reduced_deconv_64-all"], "not the trained decoder"),
    ],
)
def test_what_cant_be_planned_is_one_line_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert main(["plan", "make", *arguments, "-o", str(tmp_path / "plan")]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_what_cant_be_run_is_one_line_and_leaves_nothing(
    tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, out = tmp_path / "plan", tmp_path / "out"
    assert main(["plan", "make", "--checkpoint", str(checkpoint), "--seconds", "0.2", "-o", str(plan)]) == 0
    capsys.readouterr()
    bad = quiet_noise(2000)
    bad[1000] = np.nan
    text = tmp_path / "text.wav"
    text.write_text("no wav")
    for mix, told in (
        (wav(tmp_path / "stereo.wav", np.stack([quiet_noise(2000)] * 2, 1)), "2 channels; the network hears one"),
        (wav(tmp_path / "fast.wav", quiet_noise(2000), 16000), "16000 Hz, the network hears 8000 Hz"),
        (wav(tmp_path / "tiny.wav", quiet_noise(7)), "7 samples"),
        (wav(tmp_path / "bad.wav", bad), "NaN or infinity"),
        (text, "not a wav"),
        (tmp_path / "none.wav", "no such file"),
    ):
        assert main(["plan", "run", str(plan), "--mix", str(mix), "-o", str(out)]) == 2
        error = capsys.readouterr().err
        assert told in error
        assert error.count("\n") == 1
        assert not out.exists()
    own = wav(tmp_path / "source1.wav", quiet_noise(2000))
    assert main(["plan", "run", str(plan), "--mix", str(own), "-o", str(tmp_path)]) == 2
    assert "is the mix itself" in capsys.readouterr().err
    next(plan.glob("*.onnx")).unlink()
    mix = wav(tmp_path / "mix.wav", quiet_noise(2000))
    assert main(["plan", "run", str(plan), "--mix", str(mix), "-o", str(out)]) == 2
    assert "copy the plan's whole folder" in capsys.readouterr().err
    assert not out.exists()


def test_a_case_of_another_norm_than_the_checkpoints_is_said(
    tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = "expansion=split,norm=cln,activation=prelu"
    given = ["--checkpoint", str(checkpoint), "--length", "1600", "-o", str(tmp_path / "plan")]
    assert main(["plan", "make", case, *given]) == 0
    assert "another function than the checkpoint's own" in capsys.readouterr().err
    function = json.loads((tmp_path / "plan" / "plan.json").read_text())["function"]
    assert (function["norm"], function["size"]) == ("cln", asdict(SIZE))
