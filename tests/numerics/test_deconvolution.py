"""What the vendor's deconvolution makes of the waveform, in samples and dB."""

from __future__ import annotations

import numpy as np
import pytest

from tasnet.hailo.execute import run_network
from tasnet.hailo.translate import translate
from tasnet.network.export import to_onnx
from tasnet.network.variant import Size, Variant
from tasnet.network.weights import seeded_weights
from tasnet.suite.numerics.metrics import snr
from tests.numerics.conftest import mix_of

pytestmark = pytest.mark.numerics

SIZE = Size(N=32, B=8, H=8, Sc=8, X=2, R=1)
LENGTH = 16000


@pytest.mark.parametrize("variant", [Variant(), Variant(decoder="reduced_deconv_64", expansion="project")], ids=str)
def test_eight_samples_are_missing_and_a_centred_crop_would_shift_the_wave(variant: Variant) -> None:
    network = translate(to_onnx(variant, SIZE, seeded_weights(SIZE, 1), LENGTH), "net")
    mix = mix_of(LENGTH).reshape(1, 1, LENGTH, 1)
    whole, front, centred = (run_network(network, mix, deconv=d)[0] for d in ("onnx", "vendor", "vendor_centred"))
    assert (whole.shape[2], front.shape[2], centred.shape[2]) == (16000, 15992, 15992)
    # 15992 samples are PyTorch's own first ones, if the crop is at the end
    assert np.array_equal(front, whole[:, :, :15992])
    assert np.array_equal(centred, whole[:, :, 4:15996])
    # the tail that is lost is half of the last two frames: little, where the speech has not ended
    padded = np.concatenate([front, np.zeros_like(whole[:, :, :8])], 2)
    assert snr(padded, whole) > 20
    # a shift by four samples that nobody undoes is no separation any more
    assert snr(centred, whole[:, :, :15992]) < 5


def test_without_a_deconvolution_no_sample_is_missing() -> None:
    variant = Variant(decoder="polyphase")
    network = translate(to_onnx(variant, SIZE, seeded_weights(SIZE, 1), LENGTH), "net")
    mix = mix_of(LENGTH).reshape(1, 1, LENGTH, 1)
    (out,) = run_network(network, mix)
    assert out.shape == (1, 1, 2000, 16)
    assert np.array_equal(run_network(network, mix, deconv="onnx")[0], out)
