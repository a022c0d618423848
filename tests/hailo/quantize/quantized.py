"""A network that is big enough to have noise, and speech for it."""

from __future__ import annotations

from functools import cache

import numpy as np
import onnx

from tasnet.hailo.execute import run_network
from tasnet.hailo.files.hn import Network
from tasnet.hailo.quantize import (
    Scheme,
    quantize_network,
    run_quantized,
)
from tasnet.hailo.translate import translate
from tasnet.network.export import to_onnx
from tasnet.network.variant import Size, Variant
from tasnet.network.weights import seeded_weights
from tasnet.suite.numerics.metrics import si_sdr
from tasnet.suite.numerics.speech import mixtures

SIZE = Size(N=64, L=16, B=24, H=48, Sc=24, X=3, R=2)
LENGTH = 8000


@cache
def model_of(variant: Variant, length: int = LENGTH, size: Size = SIZE) -> onnx.ModelProto:
    return to_onnx(variant, size, seeded_weights(size, 1), length)


@cache
def network_of(variant: Variant, length: int = LENGTH, size: Size = SIZE) -> Network:
    return translate(model_of(variant, length, size), "net")


@cache
def speech_of(count: int = 3, skip: int = 0, length: int = LENGTH) -> np.ndarray:
    return np.stack([m.mix for m in mixtures(count, length, skip=skip)]).reshape(count, 1, length, 1)


CLEAN = Variant()
MIX = 3
"""voices from here on aren't in the calibration set"""


def si_sdr_of(network: Network, scheme: Scheme) -> float:
    """On the calibration set itself: nothing is clipped, rounding alone counts."""
    return si_sdr(
        run_quantized(quantize_network(network, speech_of(), scheme), speech_of())[0],
        run_network(network, speech_of())[0],
    )
