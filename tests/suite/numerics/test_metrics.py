"""The metrics against torchmetrics, their definitions at the edges, and shapes that don't fit."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchmetrics.functional.audio import scale_invariant_signal_distortion_ratio, signal_noise_ratio

from tasnet.suite.numerics.metrics import MetricError, distance, max_abs, si_sdr, snr


def _pair(noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    expected = draw.standard_normal(4000)
    return expected + noise * draw.standard_normal(4000), expected


@pytest.mark.parametrize("noise", [1e-4, 1e-2, 1.0, 30.0])
def test_torchmetrics_agrees(noise: float) -> None:
    found, expected = _pair(noise)
    found, expected = found + 0.3, expected + 0.1
    theirs = scale_invariant_signal_distortion_ratio(torch.tensor(found), torch.tensor(expected), zero_mean=False)
    assert si_sdr(found, expected) == pytest.approx(float(theirs), abs=1e-4)
    assert snr(found, expected) == pytest.approx(
        float(signal_noise_ratio(torch.tensor(found), torch.tensor(expected))), abs=1e-4
    )


@given(st.floats(1e-3, 1e3))
def test_si_sdr_knows_no_scale_and_snr_does(scale: float) -> None:
    found, expected = _pair(0.1)
    assert si_sdr(scale * found, expected) == pytest.approx(si_sdr(found, expected), abs=1e-6)
    assert snr(2 * found, expected) < 1


def test_ten_per_cent_of_noise_is_twenty_decibels() -> None:
    expected = np.asarray([1.0, 1.0, 1.0, 1.0])
    found = expected + np.asarray([0.1, -0.1, 0.1, -0.1])
    assert snr(found, expected) == pytest.approx(20)
    assert si_sdr(found, expected) == pytest.approx(20)


def test_float32_signals_are_compared_in_float64() -> None:
    expected = np.full(10**6, 1.0, np.float32)
    found = expected.copy()
    found[0] += 1e-3
    assert snr(found, expected) == pytest.approx(120, abs=0.01)


def test_the_edges_are_documented() -> None:
    one, silent = np.ones(8), np.zeros(8)
    assert si_sdr(one, one) == snr(one, one) == math.inf
    assert si_sdr(silent, one) == -math.inf
    assert snr(silent, one) == 0
    for found, expected in ((one, silent), (silent, silent), (one, np.full(8, np.nan)), (np.full(8, np.inf), one)):
        assert math.isnan(si_sdr(found, expected))
        assert math.isnan(snr(found, expected))
    assert math.isnan(max_abs(np.zeros(0), np.zeros(0)))


def test_distance_is_all_of_them() -> None:
    found, expected = _pair(0.01)
    off = distance(found, expected)
    assert (off.snr, off.si_sdr) == (snr(found, expected), si_sdr(found, expected))
    assert off.max_abs == np.abs(found - expected).max()
    assert off.peak == np.abs(expected).max()
    assert "max abs" in str(off)


def test_two_shapes_cannot_be_compared() -> None:
    with pytest.raises(MetricError, match=r"\[2, 3\] and \[6\] can't be compared; crop"):
        distance(np.zeros((2, 3)), np.zeros(6))
