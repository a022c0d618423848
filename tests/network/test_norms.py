"""Norms against torch's and Asteroid's."""

import importlib
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from tasnet.network.norms import Norm
from tests.network.oracles import asteroid_convtasnet, peak_error

LAYOUTS = [pytest.param(3, id="horizontal"), pytest.param(2, id="vertical")]


def _example(channels: int = 5, frames: int = 41) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    x = torch.randn(2, channels, frames, generator=random) * 2 + 0.7
    return x, torch.rand(channels, generator=random) + 0.5, torch.randn(channels, generator=random)


def _ours(kind: str, time: int) -> torch.Tensor:
    x, gamma, beta = _example()
    unused = 2 if time == 3 else 3
    return Norm(kind, gamma, beta, time)(x.unsqueeze(unused)).squeeze(unused)


@pytest.mark.parametrize("time", LAYOUTS)
@pytest.mark.parametrize("kind", ["gln", "gln_pool"])
def test_gln_is_group_norm_of_one_group(kind: str, time: int) -> None:
    x, gamma, beta = _example()
    assert peak_error(_ours(kind, time), F.group_norm(x, 1, gamma, beta, 1e-8)) < 1e-6


@pytest.mark.parametrize("time", LAYOUTS)
def test_channel_is_instance_norm(time: int) -> None:
    x, gamma, beta = _example()
    expected = F.instance_norm(x, weight=gamma, bias=beta, eps=1e-8)
    assert peak_error(_ours("channel", time), expected) < 1e-6


@pytest.mark.parametrize("time", LAYOUTS)
def test_cln_is_layer_norm_of_each_frame(time: int) -> None:
    x, gamma, beta = _example()
    expected = F.layer_norm(x.swapaxes(1, 2), (5,), gamma, beta, 1e-8).swapaxes(1, 2)
    assert peak_error(_ours("cln", time), expected) < 1e-6


@pytest.mark.parametrize("time", LAYOUTS)
def test_affine_is_gamma_and_beta(time: int) -> None:
    x, gamma, beta = _example()
    assert torch.equal(_ours("affine", time), x * gamma[:, None] + beta[:, None])


@pytest.mark.parametrize("time", LAYOUTS)
@pytest.mark.parametrize(("kind", "name"), [("gln", "gLN"), ("cgln", "cgLN"), ("cln", "cLN"), ("channel", "fgLN")])
def test_norms_are_asteroids(kind: str, name: str, time: int) -> None:
    asteroid_convtasnet()
    x, gamma, beta = _example()
    norms: Any = importlib.import_module("asteroid.masknn.norms")
    theirs = norms.get(name)(5)
    theirs.load_state_dict({"gamma": gamma, "beta": beta})
    with torch.no_grad():
        assert peak_error(_ours(kind, time), theirs(x)) < 2e-6


@pytest.mark.parametrize("time", LAYOUTS)
def test_cumulative_norm_does_not_look_ahead(time: int) -> None:
    x, gamma, beta = _example()
    unused = 2 if time == 3 else 3
    norm = Norm("cgln", gamma, beta, time)
    whole = norm(x.unsqueeze(unused)).squeeze(unused)
    start = norm(x[:, :, :20].unsqueeze(unused)).squeeze(unused)
    assert peak_error(start, whole[:, :, :20]) < 1e-6
