"""PyTorch = ONNX Runtime = HAR for every distinct graph of the profile, all 24 blocks, at a few channels each."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tasnet.hailo.translate import translate
from tasnet.network.export import to_onnx
from tasnet.network.variant import Size, Variant
from tasnet.network.weights import seeded_weights
from tasnet.suite.cases.case import Case
from tasnet.suite.numerics.float64_reference import har_waveform, onnx_waveform, plain_form, reference_waveform
from tasnet.suite.numerics.metrics import distance
from tasnet.suite.numerics.waves import torch_waveform
from tests.numerics.conftest import mix_of

pytestmark = pytest.mark.numerics

SIZE = Size(N=6, L=8, B=4, H=5, Sc=4, P=3, X=8, R=3, n_src=2)
LENGTH = 203
LEAST_DB = 115.0
"""measured: 121 dB and more at every stage"""


WEIGHTS = seeded_weights(SIZE, 1)


@cache
def _expected(plain: Variant) -> np.ndarray:
    """The reference, once per function: its exact rewrites share it."""
    return reference_waveform(plain, SIZE, WEIGHTS, mix_of(LENGTH))


def test_all_stages_are_one_function(form: Case) -> None:
    variant, weights, mix = form.variant, WEIGHTS, mix_of(LENGTH)
    model = to_onnx(variant, SIZE, weights, LENGTH)
    expected = _expected(plain_form(variant, SIZE))
    assert np.any(expected)
    found = {
        "torch": torch_waveform(variant, SIZE, weights, mix),
        "onnx": onnx_waveform(variant, SIZE, model, mix),
        "har": har_waveform(variant, SIZE, translate(model, "net"), mix),
    }
    for stage, wave in found.items():
        off = distance(wave, expected)
        assert off.snr > LEAST_DB, f"{stage}: {off}"
