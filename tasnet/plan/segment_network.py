"""A cut -> the PyTorch network of its segment, made of the parts that the whole network is made of.

Every segment is exact up to the order of summation. PReLU with its one slope is a LeakyReLU of that slope; encoder
and decoder are 1x1 convolutions on frames that the host lays out; each source has a mask head of its own.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tasnet.network import Conv, Norm, TcnBlock, Variant, rewrites
from tasnet.plan.cut import CHAIN, CHIP, PIECE_OUT, POINTWISE, SCALED, Cut
from tasnet.plan.function import GLOBAL_NORM, SPANNING_NORMS, TrainedFunction

_LAYOUT = "horizontal"


def build_segment(trained: TrainedFunction, cut: Cut) -> nn.Module:
    """The segment's network, in eval mode: tensors of `ports`' inputs -> a tuple of its outputs, [1, C, H, W] each."""
    scaled = Scaled if trained.function.norm == GLOBAL_NORM else Cumulated
    made = {CHAIN: Chain, POINTWISE: Pointwise, SCALED: scaled}.get(cut.form, Piece)
    with torch.no_grad():
        network: nn.Module = made(trained, cut)
    return network.eval().requires_grad_(False)


def _conv(weight: Tensor, bias: Tensor | None = None) -> Conv:
    return Conv(_LAYOUT, weight, bias)


def _dilated(trained: TrainedFunction, weight: Tensor, dilation: int, groups: int, bias: Tensor | None = None) -> Conv:
    """With 'same' padding: a causal one has taps of zero, and no layer that pads."""
    weight = rewrites.centred_taps(weight) if trained.function.causal else weight
    padding = dilation * (weight.shape[2] - 1) // 2
    return Conv(_LAYOUT, weight, bias, dilation=dilation, padding=padding, groups=groups)


def _named(trained: TrainedFunction, name: str) -> Conv:
    return _conv(trained.weights[f"{name}.weight"], trained.weights[f"{name}.bias"])


def _activation(trained: TrainedFunction, name: str) -> nn.Module:
    """A ReLU, or the PReLU of that name as a LeakyReLU: exact, for it has one slope."""
    if trained.function.activation == "relu":
        return nn.ReLU()
    return nn.LeakyReLU(float(trained.weights[f"{name}.weight"]))


def _block(trained: TrainedFunction, cut: Cut, index: int) -> TcnBlock:
    """The network's own block, on every `phase`-th frame."""
    function = trained.function
    causal = "taps" if function.causal else "off"
    variant = Variant(activation="relu", norm=function.norm, layout=_LAYOUT, causal=causal)
    block = TcnBlock(variant, function.size, trained.weights, index, res=index + 1 < function.blocks)
    dilation = function.dilation(index) // cut.phase
    block.dw_conv.dilation = rewrites.along_time(_LAYOUT, dilation, 1)
    block.dw_conv.padding = rewrites.along_time(_LAYOUT, dilation * (function.taps - 1) // 2, 0)
    block.in_act = _activation(trained, f"masker.TCN.{index}.shared_block.1")
    block.dw_act = _activation(trained, f"masker.TCN.{index}.shared_block.4")
    return block


class Tail(nn.Module):
    """The sum of the skips -> masks, one [N] per source; or, with the encoder's frames, each source's frames [L]."""

    def __init__(self, trained: TrainedFunction, cut: Cut) -> None:
        super().__init__()
        size, weights = trained.function.size, trained.weights
        self.act = _activation(trained, "masker.mask_net.0")
        self.sources = [str(source + 1) for source in range(size.n_src)]
        self.decodes = cut.coders == CHIP
        for index, source in enumerate(self.sources):
            part = slice(index * size.N, (index + 1) * size.N)
            weight, bias = weights["masker.mask_net.1.weight"][part], weights["masker.mask_net.1.bias"][part]
            self.add_module(f"mask_head{source}", _conv(weight, bias))
            self.add_module(
                f"mask_act{source}", nn.ReLU() if trained.function.mask_activation == "relu" else nn.Sigmoid()
            )
            if self.decodes:
                filters = weights["decoder.filterbank._filters"]
                self.add_module(f"decoder{source}", _conv(rewrites.framed_decoder(filters)))

    def forward(self, skips: Tensor, encoded: Tensor | None) -> tuple[Tensor, ...]:
        active = self.act(skips)
        made = []
        for source in self.sources:
            mask = self.get_submodule(f"mask_act{source}")(self.get_submodule(f"mask_head{source}")(active))
            made.append(self.get_submodule(f"decoder{source}")(mask * encoded) if self.decodes else mask)
        return tuple(made)


class Chain(nn.Module):
    """Stages one after another."""

    def __init__(self, trained: TrainedFunction, cut: Cut) -> None:
        super().__init__()
        function, weights = trained.function, trained.weights
        self.head, self.last = cut.has_head(), cut.stop >= function.stages - 1
        self.encoder: nn.Module | None = None
        if cut.coders == CHIP and (self.head or cut.has_tail(function)):
            self.encoder = _conv(rewrites.framed_encoder(weights["encoder.filterbank._filters"]))
        if self.head:
            name = "masker.bottleneck.0"
            # Behind a chain of blocks that has scalars the host has made the norm already.
            self.norm = _norm(trained, name)
            self.bottleneck = _named(trained, "masker.bottleneck.1")
        self.blocks = [f"block{index}" for index in cut.blocks(function)]
        for index, name in zip(cut.blocks(function), self.blocks, strict=True):
            self.add_module(name, _block(trained, cut, index))
        self.tail = Tail(trained, cut) if cut.has_tail(function) else None
        self.takes_skips = self.tail is not None and cut.start > 1

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        waiting = list(given)
        encoded = stream = skips = None
        if self.encoder or self.head:
            encoded = waiting.pop(0)
            encoded = self.encoder(encoded) if self.encoder else encoded
        if self.head:
            stream = self.bottleneck(self.norm(encoded) if self.norm else encoded)
        elif self.blocks:
            stream = waiting.pop(0)
        if self.takes_skips:
            skips = waiting.pop(0)
        for name in self.blocks:
            residual, skip = self.get_submodule(name)(stream)
            stream = stream if residual is None else stream + residual
            skips = skip if skips is None else skips + skip
        if self.tail:
            return self.tail(skips, encoded)  # type: ignore[no-any-return]
        return tuple(each for each in (None if self.last else stream, skips) if each is not None)


def _norm(trained: TrainedFunction, name: str) -> Norm | None:
    """A norm that needs no other frame. Others are the host's."""
    norm = trained.function.norm
    if norm in {"identity", *SPANNING_NORMS}:
        return None
    return Norm(norm, trained.weights[f"{name}.gamma"], trained.weights[f"{name}.beta"], rewrites.time_axis(_LAYOUT))


class Scaled(nn.Module):
    """One block of a gLN network, up to two scalars that come from the host as constant channels.

    A gLN is s * gamma * (y - m) + beta, with s and m over all channels and frames. The first one's scale s is taken
    out of the depthwise convolution and of the PReLU behind it (it is positive), its shift goes in as a convolution
    of the channels 1/s and m, whose zero padding is right at the true ends. The second norm's scalars meet linear
    maps alone, and are the host's: `product` is what the res and skip convolutions make of gamma times the last
    PReLU's output. With any scalars `mean1` and `square1` are right, the channels' mean of y and of its square; with
    the first norm's, all is.
    """

    def __init__(self, trained: TrainedFunction, cut: Cut) -> None:
        super().__init__()
        size, weights, (index,) = trained.function.size, trained.weights, cut.blocks(trained.function)
        name = f"masker.TCN.{index}"
        self.bottleneck = _named(trained, "masker.bottleneck.1") if cut.has_head() else None
        self.in_conv = _named(trained, f"{name}.shared_block.0")
        self.in_act = _activation(trained, f"{name}.shared_block.1")
        taps, bias = weights[f"{name}.shared_block.3.weight"], weights[f"{name}.shared_block.3.bias"]
        gamma, beta = weights[f"{name}.shared_block.2.gamma"], weights[f"{name}.shared_block.2.beta"]
        dilation = trained.function.dilation(index) // cut.phase
        self.dw_conv = _dilated(trained, taps * gamma[:, None, None], dilation, size.H)
        shift = torch.cat((taps * beta[:, None, None], -taps * gamma[:, None, None]), 1)
        # On the tap of the frame itself, which no end cuts off.
        shift[:, 0, size.P - 1 if trained.function.causal else size.P // 2] += bias
        self.shift = _dilated(trained, shift, dilation, 1)
        self.dw_act = _activation(trained, f"{name}.shared_block.4")
        self.product = _product(trained, index)

    def forward(self, given: Tensor, scalars: Tensor) -> tuple[Tensor, ...]:
        stream = self.bottleneck(given) if self.bottleneck else given
        inner = self.in_act(self.in_conv(stream))
        outer = self.dw_act(self.dw_conv(inner) + self.shift(scalars))
        return (*((stream,) if self.bottleneck else ()), self.product(outer), *_moments(inner, outer))


def _product(trained: TrainedFunction, index: int) -> Conv:
    """A block's res and skip convolutions, without what doesn't hang on their input: behind gamma, before the bias."""
    name, weights = f"masker.TCN.{index}", trained.weights
    gamma = weights[f"{name}.shared_block.5.gamma"][None, :, None]
    kept = ("res_conv", "skip_conv") if index + 1 < trained.function.blocks else ("skip_conv",)
    return _conv(torch.cat([weights[f"{name}.{part}.weight"] * gamma for part in kept]))


def _moments(*signals: Tensor) -> list[Tensor]:
    """The channels' mean, and of their squares, of each."""
    return [moment for y in signals for moment in (y.mean(1, keepdim=True), y.pow(2).mean(1, keepdim=True))]


class Cumulated(nn.Module):
    """One block of a cgLN network, whose first norm's mean and scale at each frame come from the host.

    The second norm's meet linear maps alone, and are the host's, as in `Scaled`. With any mean and scale `mean1` and
    `square1` are right; with the first norm's, all is.
    """

    def __init__(self, trained: TrainedFunction, cut: Cut) -> None:
        super().__init__()
        weights, (index,) = trained.weights, cut.blocks(trained.function)
        name = f"masker.TCN.{index}.shared_block"
        self.bottleneck = _named(trained, "masker.bottleneck.1") if cut.has_head() else None
        self.in_conv = _named(trained, f"{name}.0")
        self.in_act = _activation(trained, f"{name}.1")
        gamma, beta = weights[f"{name}.2.gamma"], weights[f"{name}.2.beta"]
        self.in_norm = Norm("affine", gamma, beta, rewrites.time_axis(_LAYOUT))
        taps, bias = weights[f"{name}.3.weight"], weights[f"{name}.3.bias"]
        self.dw_conv = _dilated(
            trained, taps, trained.function.dilation(index) // cut.phase, trained.function.size.H, bias
        )
        self.dw_act = _activation(trained, f"{name}.4")
        self.product = _product(trained, index)

    def forward(self, given: Tensor, mean: Tensor, scale: Tensor) -> tuple[Tensor, ...]:
        stream = self.bottleneck(given) if self.bottleneck else given
        inner = self.in_act(self.in_conv(stream))
        outer = self.dw_act(self.dw_conv(self.in_norm((inner - mean) * scale)))
        return (*((stream,) if self.bottleneck else ()), self.product(outer), *_moments(inner, outer))


class Pointwise(nn.Module):
    """The 1x1 convolutions between the depthwise ones of two blocks."""

    def __init__(self, trained: TrainedFunction, cut: Cut) -> None:
        super().__init__()
        behind, ahead, blocks = cut.start - 1, cut.start, trained.function.blocks
        self.bottleneck = _named(trained, "masker.bottleneck.1") if cut.has_head() else None
        name = f"masker.TCN.{behind}"
        self.res_conv = _named(trained, f"{name}.res_conv") if behind >= 0 and ahead < blocks else None
        self.skip_conv = _named(trained, f"{name}.skip_conv") if behind >= 0 else None
        self.in_conv = _named(trained, f"masker.TCN.{ahead}.shared_block.0") if ahead < blocks else None

    def forward(self, given: Tensor, stream: Tensor | None = None) -> tuple[Tensor, ...]:
        if self.bottleneck:
            stream = self.bottleneck(given)
        elif self.res_conv and stream is not None:
            stream = stream + self.res_conv(given)
        skips = self.skip_conv(given) if self.skip_conv else None
        hidden = self.in_conv(stream) if self.in_conv else None
        return tuple(each for each in (stream, skips, hidden) if each is not None)


class Piece(nn.Module):
    """Some channels of one 1x1 convolution; the first input channels' piece has the bias."""

    def __init__(self, trained: TrainedFunction, cut: Cut) -> None:
        super().__init__()
        parts = [(trained.weights[f"{name}.weight"], trained.weights[f"{name}.bias"]) for name in _parts(trained, cut)]
        weight, bias = (torch.cat(each)[slice(*cut.gives)] for each in zip(*parts, strict=True))
        self.conv = _conv(weight[:, slice(*cut.takes)], bias if cut.takes[0] == 0 else None)

    def forward(self, taken: Tensor) -> tuple[Tensor, ...]:
        return (self.conv(taken),)


def _parts(trained: TrainedFunction, cut: Cut) -> list[str]:
    """The convolutions that a piece's whole is made of."""
    blocks = trained.function.blocks
    block = f"masker.TCN.{cut.start - 1}"
    if cut.form == PIECE_OUT:
        return [f"{block}.{part}" for part in ("res_conv", "skip_conv")[cut.start == blocks :]]
    return [{0: "masker.bottleneck.1", blocks + 1: "masker.mask_net.1"}.get(cut.start, f"{block}.shared_block.0")]
