"""The gradients of the training are torch's own, and SI-SDR is the literature's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from benchmarks.train import quick
from benchmarks.train.quick import gradient
from benchmarks.train.separator import Form, leaves, pit_si_sdr, separate
from tasnet.network import Size, Variant, VariantError, to_host_input, to_waveform
from tasnet.network.convtasnet import ConvTasNet

TINY = Size(N=6, L=8, B=4, H=5, Sc=4, P=3, X=3, R=2)


def noise(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_the_prelu_of_the_training_is_torchs_and_its_gradient_that_of_finite_differences() -> None:
    x, slope = noise(2, 3, 1, 7).requires_grad_(), torch.tensor([0.3], dtype=torch.float64, requires_grad=True)

    torch.testing.assert_close(quick._prelu(slope, x), F.prelu(x, slope))
    assert torch.autograd.gradcheck(quick._prelu, (slope, x))


@pytest.mark.parametrize("dilation", [1, 4, 9, 12])
def test_the_depthwise_convolution_of_the_training_is_torchs_even_where_its_reach_is_longer_than_the_sound(
    dilation: int,
) -> None:
    x, weight, bias = noise(2, 3, 1, 9).requires_grad_(), noise(3, 3).requires_grad_(), noise(3).requires_grad_()

    expected = F.conv1d(x[:, :, 0], weight[:, None], bias, padding=dilation, dilation=dilation, groups=3)
    torch.testing.assert_close(quick._depthwise(weight, bias, dilation, x)[:, :, 0], expected)
    assert torch.autograd.gradcheck(lambda *given: quick._depthwise(*given[:2], dilation, given[2]), (weight, bias, x))


@pytest.mark.parametrize(
    "variant",
    [
        Variant(expansion="split", activation="prelu", norm="gln"),
        Variant(expansion="concat", activation="relu", norm="gln_pool", decoder="reduced_deconv_64"),
        Variant(activation="prelu", norm="gln", skip="off", encoder="polyphase", decoder="polyphase"),
        Variant(activation="prelu_maxmin", norm="identity", layout="vertical", blocks=2),
    ],
    ids=lambda variant: f"{variant.norm}-{variant.decoder}-{variant.layout}",
)
@pytest.mark.parametrize("mixtures", [1, 3])
def test_a_batch_shared_by_threads_has_the_loss_and_the_gradient_of_the_plain_network(
    variant: Variant, mixtures: int
) -> None:
    form, sources = Form(variant, TINY), noise(mixtures, 2, 120, dtype=torch.float32)
    weights = leaves(TINY)

    def loss(truth: torch.Tensor) -> torch.Tensor:
        return -pit_si_sdr(separate(form, weights, truth.sum(1)), truth)

    with ThreadPoolExecutor(quick.THREADS) as pool:
        lost, found = gradient(pool, loss, list(weights.values()), sources.numpy())

    plain = {name: tensor.detach().double().requires_grad_() for name, tensor in weights.items()}
    truth = sources.double()
    estimates = _unquickened(form, plain, truth.sum(1))
    expected = -pit_si_sdr(estimates, truth).mean()
    gradients = torch.autograd.grad(expected, list(plain.values()), allow_unused=True)
    assert lost == pytest.approx(expected.item(), abs=1e-3)
    for name, got, want in zip(weights, found, gradients, strict=True):
        assert (got is None) == (want is None), name
        if got is not None and want is not None:
            assert (got - want).norm() <= 1e-3 * want.norm() + 1e-4, name


def _unquickened(form: Form, weights: dict[str, torch.Tensor], mix: torch.Tensor) -> torch.Tensor:
    network = ConvTasNet(form.variant, form.size, weights, form.mask_activation).double()
    return to_waveform(form.variant, form.size, network(to_host_input(form.variant, form.size, mix)))


@pytest.mark.parametrize(
    ("variant", "size", "said"),
    [
        (Variant(sources="first"), TINY, "both outputs"),
        (Variant(decoder="conv1x1_head"), TINY, "no waveform"),
        (Variant(), Size(N=6, L=8, B=4, H=5, Sc=4, P=3, X=3, R=2, n_src=3), "two voices"),
        (Variant(skip="off"), Size(N=6, L=8, B=4, H=5, Sc=3, P=3, X=3, R=2), "skip=off"),
    ],
)
def test_a_form_without_two_waveforms_is_refused_before_any_work(variant: Variant, size: Size, said: str) -> None:
    with pytest.raises(VariantError, match=said):
        Form(variant, size)


def si_sdr(estimate: np.ndarray, source: np.ndarray) -> float:
    """Le Roux et al. 2019, equation 3, without removing means, in float64."""
    target = estimate @ source / (source @ source) * source
    return float(10 * np.log10((target @ target) / ((estimate - target) @ (estimate - target))))


@given(st.integers(0, 10**6), st.floats(0.01, 3), st.booleans())
def test_si_sdr_is_the_best_mean_over_both_pairings_of_the_papers_formula(
    seed: int, level: float, swapped: bool
) -> None:
    draw = np.random.default_rng(seed)
    sources = draw.standard_normal((1, 2, 60))
    estimates = (sources[:, ::-1] if swapped else sources) * draw.uniform(0.2, 5) + level * draw.standard_normal(
        sources.shape
    )

    expected = max(
        np.mean([si_sdr(estimates[0, one], sources[0, other]) for one, other in enumerate(order)])
        for order in permutations(range(2))
    )
    assert pit_si_sdr(torch.from_numpy(estimates), torch.from_numpy(sources)).item() == pytest.approx(
        expected, abs=1e-4
    )


def test_an_error_of_a_tenth_at_right_angles_to_its_source_is_20_db_whatever_the_estimates_order_and_scale() -> None:
    sources = torch.zeros(1, 2, 4)
    sources[0, 0, 0] = sources[0, 1, 1] = 1.0
    estimates = sources.flip(1) * 7
    estimates[0, :, 2] = 0.7

    assert pit_si_sdr(estimates, sources).item() == pytest.approx(20, abs=1e-4)
