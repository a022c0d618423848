"""Each rewrite against the layer it stands for."""

import pytest
import torch
from torch.nn import functional as F

from tasnet.network import host_side, rewrites
from tests.network.oracles import peak_error

N, L, FRAMES = 6, 8, 11


@pytest.fixture
def filters() -> torch.Tensor:
    return torch.randn(N, 1, L, generator=torch.Generator().manual_seed(1))


def _decoded(x: torch.Tensor, filters: torch.Tensor, n_src: int) -> torch.Tensor:
    streams = x.reshape(x.shape[0] * n_src, N, FRAMES)
    return F.conv_transpose1d(streams, filters, stride=L // 2).reshape(x.shape[0], n_src, -1)


@pytest.mark.parametrize("n_src", [1, 2, 3])
def test_decoders_of_all_forms_are_one(filters: torch.Tensor, n_src: int) -> None:
    x = torch.randn(2, n_src * N, FRAMES, generator=torch.Generator().manual_seed(2))
    expected = _decoded(x, filters, n_src)
    grouped = F.conv_transpose1d(x, rewrites.per_source(filters, n_src), stride=L // 2, groups=n_src)
    ungrouped = F.conv_transpose1d(x, rewrites.block_diagonal(filters, n_src), stride=L // 2)
    phases = F.conv1d(x, rewrites.polyphase_decoder(filters, n_src), padding=1)
    assert phases.shape == (2, n_src * L // 2, FRAMES + 1)
    for found in (grouped, ungrouped, host_side.interleave(phases, n_src)):
        assert peak_error(found, expected) < 1e-6


@pytest.mark.parametrize("length", [8, 40, 41, 43, 44])
def test_polyphase_encoder_is_the_strided_one(filters: torch.Tensor, length: int) -> None:
    wave = torch.randn(2, length, generator=torch.Generator().manual_seed(3))
    expected = F.conv1d(wave.unsqueeze(1), filters, stride=L // 2)
    found = F.conv1d(host_side.deinterleave(wave, L // 2), rewrites.polyphase_encoder(filters))
    assert peak_error(found, expected) < 1e-6


def test_stacked_identity_repeats() -> None:
    x = torch.randn(1, N, FRAMES, generator=torch.Generator().manual_seed(4))
    assert torch.equal(F.conv1d(x, rewrites.stacked_identity(N, 3)), x.repeat(1, 3, 1))


def test_layouts_are_transposes() -> None:
    weight = torch.randn(4, 3, 5, generator=torch.Generator().manual_seed(5))
    horizontal, vertical = rewrites.to_rank4(weight, "horizontal"), rewrites.to_rank4(weight, "vertical")
    assert horizontal.shape == (4, 3, 1, 5)
    assert torch.equal(horizontal.swapaxes(2, 3), vertical)
