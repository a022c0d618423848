"""The shift of an average: when a calibration set makes the hardware's accumulator overflow."""

from __future__ import annotations

import numpy as np
import pytest

from tasnet.hailo.failures import Certainty
from tasnet.hailo.quantize import (
    Scheme,
    negative_slope_failures,
    quantize_network,
    required_shifts,
)
from tasnet.network.variant import Size, Variant
from tests.hailo.networks import one_layer
from tests.hailo.quantize.quantized import CLEAN, network_of, speech_of

# --- the shift

SIZE = Size(N=16, L=16, B=6, H=12, Sc=6, X=2, R=1)
"""an average is over the frames of a channel: how many channels there are matters to no claim but the first"""


def _noise(low: float, high: float, length: int = 16000) -> np.ndarray:
    return np.random.default_rng(0).uniform(low, high, (1, 1, length, 1)).astype(np.float32)


@pytest.mark.parametrize("activation", ["prelu", "prelu_maxmin"])
@pytest.mark.parametrize("norm", ["gln", "gln_pool"])
def test_gln_calibrated_on_uniform_noise_needs_the_shift_of_the_notes(norm: str, activation: str) -> None:
    quantized = quantize_network(network_of(Variant(activation=activation, norm=norm), 16000), _noise(0, 1))
    found = negative_slope_failures(quantized)
    assert found
    first = found[0]
    assert first.family == "negative_slope"
    assert first.stage == "optimize"
    assert first.certainty is Certainty.EXTRAPOLATED
    assert first.layers[0].startswith("avgpool")
    assert first.message.startswith(f"Quantization failed in layer net/ne_activation_{first.layers[0]} due to")
    # the figure that the compiler printed
    assert max(shift.needed for shift in required_shifts(quantized)) == 10


@pytest.mark.parametrize("norm", ["gln", "identity"])
def test_no_shift_is_too_much_on_speech(norm: str) -> None:
    variant = Variant(activation="prelu" if norm == "gln" else "relu", norm=norm)
    assert not negative_slope_failures(quantize_network(network_of(variant, 16000, SIZE), speech_of(2, 0, 16000)))


CLEAN_FORMS = [
    CLEAN,
    Variant(mask="bypass", expansion="project"),
    Variant(mask="bypass", expansion="project", decoder="reduced_deconv_64"),
    Variant(expansion="project", decoder="conv1x1_head", blocks=1),
    Variant(skip="off", sources="first"),
    Variant(norm="affine", activation="prelu"),
]


@pytest.mark.parametrize("variant", CLEAN_FORMS, ids=str)
@pytest.mark.parametrize("low", [-1, 0])
def test_without_averages_noise_does_no_harm(variant: Variant, low: int) -> None:
    """Forms of the notes and others without averages over time: none of the notes' ended so."""
    assert not negative_slope_failures(quantize_network(network_of(variant, 16000, SIZE), _noise(low, 1)))


@pytest.mark.parametrize("norm", ["gln", "gln_pool"])
def test_noise_around_zero_needs_all_the_bits_there_are_and_no_more(norm: str) -> None:
    quantized = quantize_network(network_of(Variant(activation="prelu", norm=norm), 16000, SIZE), _noise(-1, 1))
    assert max(shift.needed for shift in required_shifts(quantized)) in (7, 8)
    assert not negative_slope_failures(quantized)


def test_an_average_over_few_positions_always_fits() -> None:
    params = {"kernel_shape": [1, 1, 500, 1], "strides": [1, 1, 500, 1], "padding": "VALID", "activation": "linear"}
    network = one_layer("avgpool", [(1, 500, 1)], (1, 1, 1), params)
    (shift,) = required_shifts(quantize_network(network, np.ones((1, 1, 500, 1), np.float32)))
    assert (shift.needed, shift.fits) == (8, True)


def test_at_16_bits_the_average_fits() -> None:
    network = network_of(Variant(activation="prelu", norm="gln"), 16000, SIZE)
    every = frozenset(layer.name for layer in network)
    assert not negative_slope_failures(quantize_network(network, _noise(0, 1), Scheme(sixteen=every)))
