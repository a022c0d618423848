"""Rewrites of Conv-TasNet's layers: the same linear map in another form, as weights.

Torch's Conv1d and ConvTranspose1d weights go in as they are stored, rank 3; every function says whether what
comes out is exact. What the host does beside them is in `host_side.py`.
"""

from __future__ import annotations

import torch


def time_axis(layout: str) -> int:
    """The axis of time in a rank-4 tensor: `horizontal` is [N, C, 1, T], `vertical` is [N, C, T, 1]."""
    return 2 if layout == "vertical" else 3


def along_time(layout: str, time: int, other: int) -> tuple[int, int]:
    """A (height, width) pair with `time` on the time axis: kernels, strides, paddings."""
    return (time, other) if layout == "vertical" else (other, time)


def to_rank4(weight: torch.Tensor, layout: str) -> torch.Tensor:
    """Conv1d's [a, b, k] -> Conv2d's [a, b, 1, k], or [a, b, k, 1] when vertical. Exact: a reshape."""
    return weight.unsqueeze(3 if layout == "vertical" else 2)


def centred_taps(weight: torch.Tensor) -> torch.Tensor:
    """A causal kernel [C, 1, P] -> [C, 1, 2P - 1], the same convolution with 'same' padding. Exact: the rest is zero.

    The last tap, which reads the frame itself, comes to stand in the middle.
    """
    return torch.nn.functional.pad(weight, (0, weight.shape[2] - 1))


def stacked_identity(channels: int, n_src: int) -> torch.Tensor:
    """[C, C, 1] identities, one per source, stacked to [n_src * C, C, 1]: a 1x1 convolution that repeats.

    Exact: each output is one input times 1 plus zeros.
    """
    return torch.eye(channels).repeat(n_src, 1).unsqueeze(2)


def per_source(filters: torch.Tensor, n_src: int) -> torch.Tensor:
    """One source's decoder [N, 1, L] -> [n_src * N, 1, L] for ConvTranspose with groups=n_src. Exact."""
    return filters.repeat(n_src, 1, 1)


def block_diagonal(filters: torch.Tensor, n_src: int) -> torch.Tensor:
    """One source's decoder [N, 1, L] -> [n_src * N, n_src, L] for ConvTranspose with groups=1.

    Exact but for the order of summation: the blocks off the diagonal add zeros.
    """
    channels, _, length = filters.shape
    weight = filters.new_zeros(n_src * channels, n_src, length)
    for source in range(n_src):
        weight[source * channels : (source + 1) * channels, source] = filters[:, 0]
    return weight


def polyphase_decoder(filters: torch.Tensor, n_src: int) -> torch.Tensor:
    """One source's decoder [N, 1, L] -> [n_src * L/2, n_src * N, 2], a convolution of kernel 2, padding 1.

    Exact but for the order of summation. With stride s = L/2, sample f*s + p of a transposed convolution is
    sum_n w[n, p] x[n, f] + w[n, p + s] x[n, f - 1]: a convolution over two frames with one output per phase.
    Padding of one frame at both ends gives F + 1 output frames, whose channels the host puts in a row with
    `interleave`. Off the diagonal of the sources the weights are zero.
    """
    channels, _, length = filters.shape
    stride = length // 2
    taps = filters[:, 0].T.reshape(2, stride, channels)
    kernel = torch.stack((taps[1], taps[0]), dim=2)
    weight = filters.new_zeros(n_src * stride, n_src * channels, 2)
    for source in range(n_src):
        rows = slice(source * stride, (source + 1) * stride)
        weight[rows, source * channels : (source + 1) * channels] = kernel
    return weight


def polyphase_encoder(filters: torch.Tensor) -> torch.Tensor:
    """The encoder [N, 1, L] -> [N, L/2, 2]: on a wave de-interleaved into L/2 channels, its stride is 1.

    Exact: the same products (the order of summation may differ). Tap k of the kernel is tap k mod L/2 of
    frame k div L/2.
    """
    channels, _, length = filters.shape
    return filters.reshape(channels, 2, length // 2).swapaxes(1, 2)


def framed_encoder(filters: torch.Tensor) -> torch.Tensor:
    """The encoder [N, 1, L] -> [N, L, 1], a 1x1 convolution on a wave whose every frame's L samples are channels.

    Exact: the same products. The host lays out the frames, which overlap by half.
    """
    return filters.swapaxes(1, 2)


def framed_decoder(filters: torch.Tensor) -> torch.Tensor:
    """One source's decoder [N, 1, L] -> [L, N, 1], a 1x1 convolution to each frame's L samples.

    Exact but for the order of summation: the host adds the halves of neighbouring frames.
    """
    return filters.squeeze(1).T.unsqueeze(2)
