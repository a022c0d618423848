"""A plan in simulated 8 bits: what each segment is, what the whole loses, what is refused before anything runs."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from tasnet.cli import main
from tasnet.hailo.files import har
from tasnet.hailo.quantize import Scheme, quantize_network, run_quantized
from tasnet.hailo.translate import translate
from tasnet.network import Size, Variant, seeded_weights
from tasnet.network.export import to_onnx
from tasnet.plan import run as run_module
from tasnet.plan.candidates import Bounds
from tasnet.plan.cuts import Plan
from tasnet.plan.executors import NativeHar, read_host_weights
from tasnet.plan.function import PlanError, function_of_variant
from tasnet.plan.loss import Loss
from tasnet.plan.make import make_plan, write_plan
from tasnet.plan.on_wav import separate_wav
from tasnet.plan.run import separate
from tasnet.plan.simulated import Simulated
from tasnet.suite.numerics.metrics import si_sdr, snr
from tests.hailo.quantize.quantized import speech_of
from tests.plan.running import HARDWARE

SIZE = Size(N=24, L=16, B=12, H=20, Sc=12, P=3, X=3, R=1, n_src=2)
LENGTH = 4000
VARIANT = Variant(norm="affine", activation="relu")


def speech(count: int, skip: int = 0) -> list[np.ndarray]:
    return [each[0, :, 0] for each in speech_of(count, skip, LENGTH)]


MIX = speech(1, 3)[0]


def made(folder: Path, variant: Variant = VARIANT, recordings: int = 3, **bounds: object) -> Plan:
    trained = function_of_variant(variant, SIZE, seeded_weights(SIZE, 3))
    plan = make_plan(trained, LENGTH, "hailo8", Bounds(**bounds), "time", HARDWARE).plan  # type: ignore[arg-type]
    return write_plan(plan, trained, folder, speech(recordings) if recordings else ())


def eight_bits(plan: Plan, folder: Path, cut_bits: int = 8) -> np.ndarray:
    return separate(plan, read_host_weights(plan, folder), Simulated(folder, cut_bits), MIX)


@pytest.mark.parametrize("cut_bits", [8, 16])
def test_a_segment_is_its_har_quantized_by_its_recordings(tmp_path: Path, cut_bits: int) -> None:
    plan = made(tmp_path / "plan", max_blocks=1)
    simulated = Simulated(tmp_path / "plan", cut_bits)
    for each in plan.on_chip:
        network = har.read(tmp_path / "plan" / f"{each.name}.har")
        with np.load(tmp_path / "plan" / f"{each.name}.calibration.npz") as arrays:
            signals = {name.removeprefix(f"{each.name}/"): arrays[name] for name in arrays.files}
        ends = {layer.name for layer in network if layer.type == "input_layer"}
        for name in network.output_layers:
            ends.add(name)
        scheme = Scheme(sixteen=frozenset(ends) if cut_bits == 16 else frozenset())
        first = {name: array[:1] for name, array in signals.items()}
        expected = run_quantized(quantize_network(network, signals, scheme), first)
        # Inputs and outputs stand in the order of their layers' numbers: nothing here asks a name.
        given = dict(zip([port.role for port in each.inputs], [first[name] for name in sorted(first)], strict=True))
        got = simulated(each, {role: x.transpose(0, 3, 1, 2) for role, x in given.items()}, ())
        for port, array in zip(each.outputs, expected, strict=True):
            np.testing.assert_array_equal(got[port.role], array.transpose(0, 3, 1, 2))


def test_one_segment_loses_what_the_uncut_network_does_cuts_no_more_and_16_bits_there_less(tmp_path: Path) -> None:
    # The uncut network in its own graph, by the translator and the quantizer alone.
    whole = replace(VARIANT, expansion="split", encoder="polyphase", decoder="polyphase")
    network = translate(to_onnx(whole, SIZE, seeded_weights(SIZE, 3), LENGTH), "net")
    frames = np.stack([*speech(3), MIX]).reshape(4, 1, LENGTH // 8, 8)
    exact = Scheme(floating=frozenset(layer.name for layer in network))
    outputs = [
        np.concatenate(run_quantized(quantize_network(network, frames[:3], scheme), frames[3:]), 3)
        for scheme in (Scheme(), exact)
    ]
    uncut = snr(*outputs)
    found = {}
    for coders, max_blocks in (("chip", None), ("host", None), ("host", 1)):
        folder = tmp_path / f"{coders}{max_blocks}"
        plan = made(folder, VARIANT, max_blocks=max_blocks, coders=coders)
        assert (len(plan.on_chip) == 1) == (max_blocks is None)
        exact = separate(plan, read_host_weights(plan, folder), NativeHar(folder), MIX)
        found[coders, max_blocks] = [snr(eight_bits(plan, folder, bits), exact) for bits in (8, 16)]
    assert found["chip", None][0] == pytest.approx(uncut, abs=1)
    assert found["host", None][0] > uncut + 1
    assert found["host", 1][0] > found["host", None][0] - 1
    for eight, sixteen in found.values():
        assert sixteen > eight


@pytest.mark.parametrize(("norm", "row", "spans"), [("gln", 384_000, 1), ("cln", 384_000, 1), ("cln", 4000, 3)])
def test_the_command_separates_and_says_what_8_bits_lose(
    tmp_path: Path, norm: str, row: int, spans: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "SPAN", 100)
    folder = tmp_path / "plan"
    plan = made(folder, Variant(norm=norm, activation="prelu"), max_blocks=1, rows=row)
    assert len(run_module.spans(plan, plan.frames)) == spans
    soundfile.write(tmp_path / "mix.wav", MIX, 8000, subtype="FLOAT")
    command = ["plan", "run", str(folder), "--mix", str(tmp_path / "mix.wav"), "-o", str(tmp_path / "out")]
    weights = read_host_weights(plan, folder)
    exact = separate(plan, weights, NativeHar(folder), MIX)
    for bits in (8, 16):
        assert main([*command, "--executor", "simulated", *(["--cut-bits", "16"] if bits == 16 else [])]) == 0
        told = capsys.readouterr()
        assert "nothing was observed" in told.err
        expected = eight_bits(plan, folder, bits)
        figures = re.findall(r"SNR (\S+) dB, SI-SDR (\S+) dB against the plan in float", told.out)
        assert len(figures) == 2
        for source in (0, 1):
            written, _ = soundfile.read(tmp_path / "out" / f"source{source + 1}.wav", dtype="float32")
            np.testing.assert_array_equal(written, expected[source])
            distances = snr(written, exact[source]), si_sdr(written, exact[source])
            assert tuple(map(float, figures[source])) == pytest.approx(distances, abs=0.06)
            assert distances[0] > 10


def test_a_clip_that_the_host_computes_alone_lost_nothing_and_says_nothing_of_8_bits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made(tmp_path / "plan")
    soundfile.write(tmp_path / "mix.wav", MIX[:50], 8000, subtype="FLOAT")
    command = ["plan", "run", str(tmp_path / "plan"), "--mix", str(tmp_path / "mix.wav"), "-o", str(tmp_path / "out")]
    assert main([*command, "--executor", "simulated"]) == 0
    told = capsys.readouterr()
    assert "against the plan in float" not in told.out
    assert "the host computed the whole network" in told.err
    assert "simulated" not in told.err


def test_what_cant_be_simulated_is_one_line_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare, full = tmp_path / "bare", tmp_path / "full"
    made(bare, recordings=0)
    plan = made(full)
    mix, out = tmp_path / "mix.wav", tmp_path / "out"
    soundfile.write(mix, MIX, 8000, subtype="FLOAT")

    def refused(folder: Path, told: str, *more: str, executor: str = "simulated") -> None:
        command = ["plan", "run", str(folder), "--mix", str(mix), "-o", str(out), "--executor", executor]
        assert main([*command, *more]) == 2
        error = capsys.readouterr().err
        assert told in error
        assert error.count("\n") == 1
        assert not out.exists()

    refused(bare, "made without recordings, which 8 bits need; make the plan again with --calibration")
    refused(full, "--cut-bits 4: 8 or 16", "--cut-bits", "4")
    refused(full, "--cut-bits 16: of --executor simulated alone", "--cut-bits", "16", executor="onnx")
    last = plan.on_chip[-1]
    assert last.calibration is not None
    assert last.har is not None
    for file in (last.calibration.name, last.har.name):
        content = (full / file).read_bytes()
        (full / file).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        refused(full, f"{file}: not the file that the plan was made with")
        (full / file).unlink()
        refused(full, "copy the plan's whole folder")
        (full / file).write_bytes(content)
    with pytest.raises(PlanError, match="unknown; one of onnx, har, simulated, hailort"):
        separate_wav(full, mix, out, "quantized")


signals = st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=40)


@given(signals, st.integers(0, 2**32 - 1), st.integers(1, 5), st.sampled_from([0.0, 1e-3, 1.0]))
def test_the_loss_summed_up_in_blocks_is_that_of_the_whole(
    drawn: list[float], seed: int, blocks: int, noise: float
) -> None:
    expected = np.array([drawn, np.zeros(len(drawn))])
    found = expected + noise * np.random.default_rng(seed).standard_normal(expected.shape)
    loss = Loss(2)
    for some in np.array_split(np.arange(len(drawn)), blocks):
        loss.add(found[:, some], expected[:, some])
    for source in (0, 1):
        error = found[source] - expected[source]
        # A difference of sums is known to the sums' own rounding: what is left of one sample is nothing, to 1e-12.
        rounding = 1e-12 * float(error @ error)
        for got, whole in ((loss.snr, snr), (loss.si_sdr, si_sdr)):
            value = whole(found[source], expected[source])
            if math.isnan(value):
                assert math.isnan(got[source])
            elif value < -140:
                assert got[source] < -140
            else:
                energy = float(expected[source] @ expected[source])
                signal = energy if whole is snr else float(found[source] @ expected[source]) ** 2 / energy
                rests = [signal * 10 ** (-each / 10) for each in (got[source], value)]
                assert rests[0] == pytest.approx(rests[1], rel=3e-4, abs=rounding)
