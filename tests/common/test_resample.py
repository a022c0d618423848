"""Resampling: what both rates can carry stays, what the lower one can't is gone."""

from __future__ import annotations

import numpy as np
import pytest

from tasnet.common import resample


@pytest.mark.parametrize(("rate", "to"), [(16000, 8000), (8000, 16000), (44100, 8000), (11025, 8000)])
def test_a_tone_below_half_of_both_rates_is_kept(rate: int, to: int) -> None:
    time, after = np.arange(rate) / rate, np.arange(to) / to
    slow = np.sin(2 * np.pi * 440 * time).astype(np.float32)
    found = resample(slow, rate, to)
    assert len(found) == to
    inside = slice(to // 20, -to // 20)
    assert np.abs(found - np.sin(2 * np.pi * 440 * after))[inside].max() < 2e-3


def test_a_tone_above_half_of_the_lower_rate_is_filtered_out() -> None:
    """To what a Kaiser window of 5 holds back, 54 dB (its stopband by Kaiser's formula): 2e-3."""
    fast = np.sin(2 * np.pi * 5000 * np.arange(16000) / 16000).astype(np.float32)
    assert np.abs(resample(fast, 16000, 8000))[400:-400].max() < 2e-3


def test_what_needs_no_resampling_is_left_as_it_is() -> None:
    samples = np.ones(3, np.float32)
    assert resample(samples, 8000, 8000) is samples
    assert len(resample(np.zeros(0, np.float32), 16000, 8000)) == 0
