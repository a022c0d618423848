"""How far a form of a trained network is from that network: SI-SDR on the voices that come with the package."""

from __future__ import annotations

from tasnet.network import PUBLISHED, TrainedForm, Variant, Weights
from tasnet.suite.cases import Case
from tasnet.suite.numerics.metrics import si_sdr
from tasnet.suite.numerics.separation import SECONDS
from tasnet.suite.numerics.speech import RATE, SHIPPED, mixture, read_wav
from tasnet.suite.numerics.waves import Signal, torch_waveform


def distance_to_trained(
    case: Case, weights: Weights, trained: TrainedForm = PUBLISHED, *, mask_activation: str = "relu"
) -> float | None:
    """SI-SDR in dB of the case's form to the network as it was trained, both with these weights, in PyTorch's float32.

    On two seconds of two voices at 0 dB, or on one clip where it is longer, in clips of the case's length: what a
    longer recording loses by being cut into clips isn't counted. A form of the first source alone is held against that
    source. None for a form that gives no waveform; NaN where the network is silent.
    """
    if case.variant.decoder == "conv1x1_head":
        return None
    clips = max(1, int(SECONDS * RATE) // case.length)
    first, second = (read_wav(path) for path in SHIPPED[:2])
    mix = mixture(first, second, 0.0, clips * case.length).mix.reshape(clips, case.length)
    own = Variant(
        sources=case.variant.sources,
        activation="prelu",
        norm=trained.norm,
        causal="pad" if trained.causal else "off",
    )

    def made(variant: Variant) -> Signal:
        return torch_waveform(variant, case.size, weights, mix, mask_activation=mask_activation)

    return si_sdr(made(case.variant), made(own))
