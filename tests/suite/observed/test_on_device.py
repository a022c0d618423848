"""A case on the device, with PyTorch in the chip's place: windows, wave forms, parity, and what may be kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tasnet.hailo.chip.detection import detect_chip
from tasnet.hailo.chip.failure import RuntimeFailure
from tasnet.hailo.chip.runtime import measure_on_chip
from tasnet.hailo.failures import Certainty
from tasnet.network.weights import seeded_weights
from tasnet.suite.cases.names import parse_case
from tasnet.suite.cases.outcome import Stage, Status
from tasnet.suite.numerics.waves import host_frames
from tasnet.suite.observed.evidence import all_evidence
from tasnet.suite.observed.on_device import (
    DeviceError,
    broken_outcome,
    cut_windows,
    device_parity,
    hefs_by_case,
    keep_device_outcome,
    parity_outcome,
    pytorch_waves,
    separate_on_device,
)
from tasnet.suite.run.store import Store
from tests.doubles import chips
from tests.doubles.chips import chip
from tests.doubles.hailort import as_hailo_platform

SMALL = "+T=403+N=8+B=6+H=10+Sc=6+X=2+R=1"
CASES = (
    "concat-normal-grouped-all",
    "split-normal-polyphase-all+encoder=polyphase+layout=vertical",
    "project-normal-polyphase-all",
    "project-bypass-first-conv1x1_head-k1",
    "split-normal-grouped-all+layout=vertical",
)


@pytest.fixture
def double():
    """The double as `hailo_platform`, fresh."""
    with as_hailo_platform() as library:
        yield library


def voice(samples):
    random = np.random.default_rng(1)
    return (0.3 * random.standard_normal(samples)).astype(np.float32)


def compiled(tmp_path, double, case):
    """A HEF for the case, and PyTorch behind the double's chip."""
    double.SCRIPT.compute = chip(case)
    return chips.compiled(tmp_path, case)


@pytest.mark.parametrize("text", CASES)
def test_speech_through_the_device_is_pytorchs_output_window_by_window(tmp_path, double, text):
    case = parse_case(text + SMALL)
    path = compiled(tmp_path, double, case)
    assert hefs_by_case(tmp_path) == [(case, path)]
    wave = voice(3 * case.length + 7)
    got = separate_on_device(case, path, wave, detect_chip())
    assert (got.windows, got.left_out, got.inference.double) == (3, 7, True)
    expected = pytorch_waves(case, cut_windows(wave, case.length)[0], seeded_weights(case.size))
    sources = 1 if case.variant.sources == "first" else 2
    samples = case.size.frames(case.length) if case.variant.decoder == "conv1x1_head" else case.length
    assert got.waves.shape == (sources, 3 * samples)
    told = device_parity(got.waves, expected)
    assert told.identical
    assert told.worst_db == float("inf")


def test_parity_is_in_db_per_source_and_silence_is_no_agreement():
    reference = np.stack([voice(1000), voice(1000)[::-1]])
    noise = np.random.default_rng(2).standard_normal((2, 1000)).astype(np.float32) * 0.003
    told = device_parity(reference + noise, reference)
    assert told.worst_db == pytest.approx(40, abs=1)
    assert told.snr_db[0] == pytest.approx(40, abs=1)
    assert not told.identical
    assert device_parity(0.5 * reference, reference).worst_db > 100
    assert device_parity(0.5 * reference, reference).snr_db[0] == pytest.approx(6.02, abs=0.01)
    silent = np.stack([reference[0], np.zeros(1000, np.float32)])
    assert np.isnan(device_parity(silent, silent).worst_db)
    with pytest.raises(DeviceError, match="same windows"):
        device_parity(reference, reference[:, :-1])
    with pytest.raises(DeviceError, match="NaN"):
        device_parity(reference * np.nan, reference)


def test_what_a_double_ran_says_so_and_is_never_kept(tmp_path, double):
    case = parse_case(CASES[0] + SMALL)
    path = compiled(tmp_path, double, case)
    found = detect_chip()
    got = separate_on_device(case, path, voice(case.length), found)
    measured = measure_on_chip(path, host_frames(case.variant, case.size, voice(case.length)[None]), found)
    real = replace(got, inference=replace(got.inference, double=False))
    store = Store(tmp_path / "store")
    for told in (
        parity_outcome(case, path, got),
        parity_outcome(case, path, real, measured=measured),
        broken_outcome(case, path, RuntimeFailure("x"), found),
    ):
        assert told.provenance.version == "4.23.0+double"
        assert told.provenance.double
        assert not keep_device_outcome(store, case, path, told)
    assert all_evidence(store) == ()


def test_what_a_device_ran_is_kept_as_observed_evidence(tmp_path, double):
    case = parse_case(CASES[0] + SMALL)
    path = compiled(tmp_path, double, case)
    found = detect_chip()
    got = separate_on_device(case, path, voice(case.length), found)
    # As a real library would give it: the double's own mark is the one difference.
    real = replace(got, inference=replace(got.inference, double=False))
    measured = replace(
        measure_on_chip(path, host_frames(case.variant, case.size, voice(case.length)[None]), found), double=False
    )
    told = device_parity(got.waves, got.waves)
    seen = parity_outcome(case, path, real, told, measured, least_db=20)
    assert (seen.stage, seen.status, seen.certainty) == (Stage.INFER, Status.PASSED, Certainty.OBSERVED)
    assert (seen.provenance.toolchain, seen.provenance.predicted) == ("hailort", False)
    assert seen.figures["worst_si_sdr_db"] == "inf"
    assert seen.figures["temperature_celsius"] == 43.0
    assert "power_watts" not in seen.figures
    store = Store(tmp_path / "store")
    assert keep_device_outcome(store, case, path, seen)
    assert not keep_device_outcome(store, case, path, seen)
    assert all_evidence(store)[0].outcomes == (seen,)
    worse = device_parity(got.waves + voice(got.waves.size).reshape(got.waves.shape), got.waves)
    failed = parity_outcome(case, path, real, worse, least_db=20)
    assert failed.status is Status.FAILED
    assert "at least 20 dB" in failed.failures[0].message
    gone = broken_outcome(case, path, RuntimeFailure("HailoRT: no answer"), replace(found, double=False))
    assert (gone.status, gone.reason) == (Status.INFRA, "HailoRT: no answer")
    assert keep_device_outcome(store, case, path, failed)
    # What broke down is no evidence.
    assert not keep_device_outcome(store, case, path, gone)
    assert len(all_evidence(store)) == 2
    with pytest.raises(DeviceError, match="compile doesn't run"):
        keep_device_outcome(store, case, path, seen.model_copy(update={"stage": Stage.COMPILE}))


def test_a_wave_is_never_padded_and_a_file_must_be_named_for_its_case(tmp_path):
    with pytest.raises(DeviceError, match="isn't padded"):
        cut_windows(np.zeros(5, np.float32), 6)
    with pytest.raises(DeviceError, match="one channel"):
        cut_windows(np.zeros((2, 5), np.float32), 5)
    with pytest.raises(DeviceError, match="no such folder"):
        hefs_by_case(tmp_path / "none")
    (tmp_path / "mine.hef").touch()
    with pytest.raises(DeviceError, match="<case id>"):
        hefs_by_case(tmp_path)
