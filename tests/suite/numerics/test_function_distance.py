"""How far a form is from the trained network: the figure is torchmetrics', and of exact forms that of rounding."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tasnet.network.variant import Size, TrainedForm
from tasnet.network.weights import seeded_weights
from tasnet.suite.cases.case import Case
from tasnet.suite.cases.names import parse_case
from tasnet.suite.numerics.function_distance import distance_to_trained
from tasnet.suite.numerics.speech import SHIPPED, mixture, read_wav
from tests.network.sizes import FAITHFUL, separate

SIZE = "+N=10+L=8+B=6+H=9+Sc=6+X=2+R=2"
CASES = ("+activation=relu+norm=gln", "+activation=prelu+norm=cln", "+activation=prelu+norm=identity")


def case_of(tail: str, length: int = 16000) -> Case:
    return parse_case(f"split-normal-polyphase-all{tail}+T={length}{SIZE}")


@pytest.mark.parametrize("tail", CASES)
def test_the_figure_is_that_of_torchmetrics(tail: str) -> None:
    functional = pytest.importorskip("torchmetrics.functional.audio")
    case = case_of(tail)
    weights = seeded_weights(case.size, 3)
    mix = torch.from_numpy(mixture(read_wav(SHIPPED[0]), read_wav(SHIPPED[1]), 0.0, 16000).mix)[None]
    found, own = (
        separate(form, case.size, mix, weights=weights).double().flatten() for form in (case.variant, FAITHFUL)
    )
    expected = float(functional.scale_invariant_signal_distortion_ratio(found, own))
    assert distance_to_trained(case, weights) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("length", [200, 1600, 16000, 20000])
def test_an_exact_form_is_as_near_as_rounding_at_any_length(length: int) -> None:
    for tail, trained in (
        ("+activation=prelu_maxmin+norm=gln_pool", TrainedForm()),
        ("+activation=prelu+norm=cln+causal=taps", TrainedForm("cln", causal=True)),
    ):
        case = case_of(tail, length)
        found = distance_to_trained(case, seeded_weights(case.size), trained)
        assert found is not None
        assert found > 100


def test_the_first_source_alone_is_held_against_that_source() -> None:
    case = parse_case(f"concat-normal-first-grouped-all+activation=prelu+norm=gln+T=1600{SIZE}")
    found = distance_to_trained(case, seeded_weights(case.size))
    assert found is not None
    assert found > 100


def test_what_gives_no_waveform_has_no_distance() -> None:
    case = parse_case(f"concat-normal-conv1x1_head-all+T=1600{SIZE}")
    assert distance_to_trained(case, seeded_weights(case.size)) is None


def test_a_silent_network_has_none_either() -> None:
    size = Size(N=10, L=8, B=6, H=9, Sc=6, X=2, R=2)
    silent = {name: torch.zeros_like(tensor) for name, tensor in seeded_weights(size).items()}
    found = distance_to_trained(case_of("+activation=relu+norm=gln", 1600), silent)
    assert found is not None
    assert np.isnan(found)
