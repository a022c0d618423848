"""The error of gLN over the length, and what it is measured with."""

from __future__ import annotations

import numpy as np
import pytest

from tasnet.network.variant import Size
from tasnet.suite.numerics.float64_reference import ParityError, error_growth

pytestmark = pytest.mark.numerics
SIZE = Size(N=64, L=16, B=32, H=64, Sc=32, X=4, R=1)


def test_both_forms_stay_near_the_reference_at_every_length() -> None:
    mix = np.random.default_rng(0).uniform(-1, 1, 64000).astype(np.float32)
    rows = error_growth(mix, size=SIZE, lengths=(1600, 16000, 64000))
    assert [(row.norm, row.length) for row in rows if row.stage == "har"] == [
        (norm, length) for length in (1600, 16000, 64000) for norm in ("gln", "gln_pool")
    ]
    assert {row.stage for row in rows} == {"torch", "onnx", "har"}
    for row in rows:
        # two means of one axis each: the growth that one mean over both axes shows isn't there
        assert row.relative < 5e-6, row
        assert row.distance.snr > 110, row


def test_a_mix_that_is_too_short() -> None:
    with pytest.raises(ParityError, match="a mix of 100 samples: 1600 are needed"):
        error_growth(np.zeros(100, np.float32), size=SIZE, lengths=(1600,))
