"""PyTorch = ONNX Runtime = HAR for every distinct graph of the profile, all 24 blocks, at a few channels each."""

from __future__ import annotations

import numpy as np
import pytest

from tasnet.hailo.translate import translate
from tasnet.network.export import to_onnx
from tasnet.network.variant import Size
from tasnet.network.weights import seeded_weights
from tasnet.suite.cases.case import Case
from tasnet.suite.numerics.float64_reference import har_waveform, onnx_waveform, reference_waveform
from tasnet.suite.numerics.metrics import distance
from tasnet.suite.numerics.waves import torch_waveform
from tests.numerics.conftest import mix_of

pytestmark = pytest.mark.numerics

SIZE = Size(N=6, L=8, B=4, H=5, Sc=4, P=3, X=8, R=3, n_src=2)
LENGTH = 203
LEAST_DB = 115.0
"""measured: 121 dB and more at every stage"""


def test_all_stages_are_one_function(form: Case) -> None:
    variant, weights, mix = form.variant, seeded_weights(SIZE, 1), mix_of(LENGTH)
    model = to_onnx(variant, SIZE, weights, LENGTH)
    expected = reference_waveform(variant, SIZE, weights, mix)
    assert np.any(expected)
    found = {
        "torch": torch_waveform(variant, SIZE, weights, mix),
        "onnx": onnx_waveform(variant, SIZE, model, mix),
        "har": har_waveform(variant, SIZE, translate(model, "net"), mix),
    }
    for stage, wave in found.items():
        off = distance(wave, expected)
        assert off.snr > LEAST_DB, f"{stage}: {off}"
