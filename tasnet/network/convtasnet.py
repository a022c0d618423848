"""Conv-TasNet in rank-4 form, in every variant (Luo & Mesgarani 2019; the function is Asteroid 0.7's).

Signals are [N, C, 1, T] (horizontal) or [N, C, T, 1] (vertical), float32. What the chip doesn't do to the
waveform, the host does (`host_side.py`).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tasnet.network import rewrites
from tasnet.network.host_side import source_count
from tasnet.network.layers import Conv, Deconv, LeftPad, MaxMinPRelu, PRelu
from tasnet.network.norms import Norm
from tasnet.network.variant import MASK_ACTIVATIONS, Size, Variant, VariantError
from tasnet.network.weights import Weights


def build_network(variant: Variant, size: Size, weights: Weights, *, mask_activation: str = "relu") -> ConvTasNet:
    """The network of `variant`, ready to run: eval mode, and nothing in it asks for a gradient.

    It takes one tensor of `input_shape` (any batch) and returns a tuple with one tensor per name of
    `output_names`. Frames that don't fill the encoder's kernel are dropped, as in Asteroid, so T samples give
    (T // stride) * stride. Without the mask product no masker is built. Only the tensors in use are asked of
    `weights`, and they are shared with it where their form allows.

    Raises VariantError for what can't be built: `skip=off` needs Sc == B, since the mask head then reads the
    residual stream; a `mask_activation` other than relu or sigmoid; an even kernel without `causal`.
    """
    variant.check(size)
    if mask_activation not in MASK_ACTIVATIONS:
        raise VariantError(f"mask activation {mask_activation}: one of {', '.join(MASK_ACTIVATIONS)}")
    if variant.mask == "normal" and variant.skip == "off" and size.Sc != size.B:
        raise VariantError(
            f"skip=off: the mask head has Sc={size.Sc} inputs and the residual stream B={size.B} channels"
        )
    with torch.no_grad():
        network = ConvTasNet(variant, size, weights, mask_activation)
    return network.eval().requires_grad_(False)


def input_shape(variant: Variant, size: Size, length: int) -> tuple[int, int, int, int]:
    """The shape of the network's input for `length` samples; VariantError if they don't fill one frame.

    [1, 1, 1, T], or [1, L/2, 1, T // (L/2)] for the polyphase encoder; the last two swapped when vertical.
    """
    size.frames(length)
    if variant.encoder == "polyphase":
        channels, time = size.stride, length // size.stride
    else:
        channels, time = 1, length
    return (1, channels, *rewrites.along_time(variant.layout, time, 1))


def output_names(variant: Variant, size: Size) -> tuple[str, ...]:
    """`est`, or `est1`, `est2`, … where every source has a decoder of its own."""
    sources = source_count(variant, size)
    if variant.expansion == "split" and sources > 1 and not _mixes_sources(variant):
        return tuple(f"est{source + 1}" for source in range(sources))
    return ("est",)


def output_shapes(variant: Variant, size: Size, length: int) -> tuple[tuple[int, int, int, int], ...]:
    """The shapes of the network's outputs for `length` samples, in the order of `output_names`."""
    names = output_names(variant, size)
    frames, sources = size.frames(length), source_count(variant, size) // len(names)
    if variant.decoder == "conv1x1_head":
        channels, time = sources, frames
    elif variant.decoder == "polyphase":
        channels, time = sources * size.stride, frames + 1
    else:
        channels, time = sources, (frames + 1) * size.stride
    return ((1, channels, *rewrites.along_time(variant.layout, time, 1)),) * len(names)


def _mixes_sources(variant: Variant) -> bool:
    """True for the decoders whose every output reads all sources: they can't be taken apart by source."""
    return variant.decoder.startswith("reduced_deconv_") or variant.decoder == "conv1x1_head"


def _activation(variant: Variant, slope: Tensor, channels: int) -> nn.Module:
    if variant.activation == "prelu":
        return PRelu(slope)
    if variant.activation == "prelu_maxmin":
        return MaxMinPRelu(slope, channels)
    if variant.activation == "leaky_relu":
        # Exact: a layer has one slope, and the node holds it as a number.
        return nn.LeakyReLU(slope.item())
    return nn.ReLU()


def _norm(variant: Variant, weights: Weights, name: str) -> nn.Module | None:
    if variant.norm == "identity":
        return None
    gamma, beta = weights[f"{name}.gamma"], weights[f"{name}.beta"]
    return Norm(variant.norm, gamma, beta, rewrites.time_axis(variant.layout))


class TcnBlock(nn.Module):
    """One block of the TCN: [N, B, ., .] -> what it adds to the residual stream, and to the skips, if any."""

    def __init__(self, variant: Variant, size: Size, weights: Weights, index: int, *, res: bool) -> None:
        super().__init__()
        name, layout = f"masker.TCN.{index}", variant.layout

        def conv(part: str, **options: int) -> Conv:
            return Conv(layout, weights[f"{name}.{part}.weight"], weights[f"{name}.{part}.bias"], **options)

        dilation = 2 ** (index % size.X)
        self.in_conv = conv("shared_block.0")
        self.in_act = _activation(variant, weights[f"{name}.shared_block.1.weight"], size.H)
        self.in_norm = _norm(variant, weights, f"{name}.shared_block.2")
        taps, bias = weights[f"{name}.shared_block.3.weight"], weights[f"{name}.shared_block.3.bias"]
        taps = rewrites.centred_taps(taps) if variant.causal == "taps" else taps
        back = dilation * (size.P - 1)
        self.dw_pad = LeftPad(layout, back) if variant.causal == "pad" and back else None
        padding = 0 if self.dw_pad else dilation * (taps.shape[2] - 1) // 2
        self.dw_conv = Conv(layout, taps, bias, dilation=dilation, padding=padding, groups=size.H)
        self.dw_act = _activation(variant, weights[f"{name}.shared_block.4.weight"], size.H)
        self.dw_norm = _norm(variant, weights, f"{name}.shared_block.5")
        self.res_conv = conv("res_conv") if res else None
        self.skip_conv = conv("skip_conv") if variant.skip == "on" else None

    def forward(self, x: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x = self.in_act(self.in_conv(x))
        x = self.in_norm(x) if self.in_norm else x
        x = self.dw_pad(x) if self.dw_pad else x
        x = self.dw_act(self.dw_conv(x))
        x = self.dw_norm(x) if self.dw_norm else x
        # Residual before skip: the Hailo parser numbers its layers in this order.
        residual = self.res_conv(x) if self.res_conv else None
        skip = self.skip_conv(x) if self.skip_conv else None
        return residual, skip


class Masker(nn.Module):
    """Encoder output [N, N, ., .] -> masks: one of all sources [N, n * N, ., .], or one per head."""

    def __init__(
        self, variant: Variant, size: Size, weights: Weights, *, sources: int, heads: int, activation: str
    ) -> None:
        super().__init__()
        self.norm = _norm(variant, weights, "masker.bottleneck.0")
        self.bottleneck = Conv(
            variant.layout, weights["masker.bottleneck.1.weight"], weights["masker.bottleneck.1.bias"]
        )
        kept = min(variant.blocks or size.total_blocks, size.total_blocks)
        self.blocks = [f"block{index}" for index in range(kept)]
        for index, name in enumerate(self.blocks):
            # With skips the last block's residual goes nowhere; Asteroid stores it all the same.
            res = variant.skip == "off" or index + 1 < kept
            self.add_module(name, TcnBlock(variant, size, weights, index, res=res))
        self.act = _activation(
            variant, weights["masker.mask_net.0.weight"], size.Sc if variant.skip == "on" else size.B
        )
        weight, bias = weights["masker.mask_net.1.weight"], weights["masker.mask_net.1.bias"]
        rows = sources * size.N // heads
        self.heads = [""] if heads == 1 else [str(head + 1) for head in range(heads)]
        for head, name in enumerate(self.heads):
            part = slice(head * rows, (head + 1) * rows)
            self.add_module(f"mask_head{name}", Conv(variant.layout, weight[part], bias[part]))
            self.add_module(f"mask_act{name}", nn.ReLU() if activation == "relu" else nn.Sigmoid())

    def features(self, encoded: Tensor) -> list[Tensor]:
        """What the mask heads would read after each block: [N, Sc, ., .], the sum of the skips or the stream."""
        stream = self.bottleneck(self.norm(encoded) if self.norm else encoded)
        skips = None
        features = []
        for name in self.blocks:
            residual, skip = self.get_submodule(name)(stream)
            if residual is not None:
                stream = stream + residual
            if skip is not None:
                skips = skip if skips is None else skips + skip
            features.append(stream if skips is None else skips)
        return features

    def masks(self, features: Tensor) -> list[Tensor]:
        """The masks, from what the heads read."""
        active = self.act(features)
        masks = []
        for name in self.heads:
            scores = self.get_submodule(f"mask_head{name}")(active)
            masks.append(self.get_submodule(f"mask_act{name}")(scores))
        return masks

    def forward(self, encoded: Tensor) -> list[Tensor]:
        return self.masks(self.features(encoded)[-1])


class Expansion(nn.Module):
    """Encoder output [N, C, ., .] -> once per source [N, sources * C, ., .]; `kind` is concat or repeat."""

    def __init__(self, kind: str, sources: int) -> None:
        super().__init__()
        self.kind, self.sources = kind, sources

    def forward(self, encoded: Tensor) -> Tensor:
        if self.kind == "repeat":
            return encoded.repeat(1, self.sources, 1, 1)
        return torch.cat([encoded] * self.sources, 1)


class Decoder(nn.Module):
    """Masked encodings -> estimates: one stream of all sources, or one stream per source."""

    def __init__(self, variant: Variant, size: Size, weights: Weights, sources: int, streams: int) -> None:
        super().__init__()
        layout, each = variant.layout, sources // streams
        self.after: Deconv | None = None
        if not _mixes_sources(variant):
            filters = weights["decoder.filterbank._filters"]
            parts: list[nn.Module] = [_own_decoder(variant, size, filters, each) for _ in range(streams)]
        else:
            if variant.decoder == "conv1x1_head":
                weight = weights["conv1x1_head.weight"][:sources]
            else:
                name = variant.decoder.replace("_deconv", "")
                weight = weights[f"{name}.pre.weight"]
                deconv = weights[f"{name}.deconv.weight"][:, :sources]
                self.after = Deconv(layout, deconv, size.stride)
            # A convolution of concatenated streams is the sum of the streams' convolutions.
            rows = each * size.N
            parts = [Conv(layout, weight[:, i * rows : (i + 1) * rows]) for i in range(streams)]
        self.mixes = _mixes_sources(variant)
        base = "pre" if self.after else "head" if self.mixes else "source"
        self.parts = [base] if streams == 1 else [f"{base}{i + 1}" for i in range(streams)]
        for name, part in zip(self.parts, parts, strict=True):
            self.add_module(name, part)

    def forward(self, streams: list[Tensor]) -> tuple[Tensor, ...]:
        outputs = [self.get_submodule(n)(s) for n, s in zip(self.parts, streams, strict=True)]
        if not self.mixes:
            return tuple(outputs)
        mixed = outputs[0]
        for output in outputs[1:]:
            mixed = mixed + output
        return (self.after(mixed) if self.after else mixed,)


def _own_decoder(variant: Variant, size: Size, filters: Tensor, sources: int) -> nn.Module:
    """The trained decoder for `sources` sources that don't mix, in the form of the variant."""
    if variant.decoder == "polyphase":
        return Conv(variant.layout, rewrites.polyphase_decoder(filters, sources), padding=1)
    if variant.decoder == "ungrouped_blockdiag":
        return Deconv(variant.layout, rewrites.block_diagonal(filters, sources), size.stride)
    return Deconv(variant.layout, rewrites.per_source(filters, sources), size.stride, groups=sources)


class ConvTasNet(nn.Module):
    """The whole network; `build_network` makes one."""

    def __init__(self, variant: Variant, size: Size, weights: Weights, mask_activation: str) -> None:
        super().__init__()
        layout, sources = variant.layout, source_count(variant, size)
        streams = sources if variant.expansion == "split" else 1
        filters = weights["encoder.filterbank._filters"]
        if variant.encoder == "polyphase":
            self.encoder = Conv(layout, rewrites.polyphase_encoder(filters))
        else:
            self.encoder = Conv(layout, filters, stride=size.stride)
        self.masker: Masker | None = None
        if variant.mask == "normal":
            self.masker = Masker(variant, size, weights, sources=sources, heads=streams, activation=mask_activation)
        self.streams = streams
        self.expansion: nn.Module | None = None
        if sources > 1 and variant.expansion == "project":
            self.expansion = Conv(layout, rewrites.stacked_identity(size.N, sources))
        elif sources > 1 and variant.expansion != "split":
            self.expansion = Expansion(variant.expansion, sources)
        self.decoder = Decoder(variant, size, weights, sources, streams)

    def estimates(self, encoded: Tensor, masks: list[Tensor] | None) -> tuple[Tensor, ...]:
        """The sources, from the encoding and its masks."""
        # After the mask: in the notes' graphs the expansion is late in the file.
        expanded = self.expansion(encoded) if self.expansion else encoded
        streams = [mask * expanded for mask in masks] if masks else [expanded] * self.streams
        outputs: tuple[Tensor, ...] = self.decoder(streams)
        return outputs

    def forward(self, mix: Tensor) -> tuple[Tensor, ...]:
        encoded = self.encoder(mix)
        return self.estimates(encoded, self.masker(encoded) if self.masker else None)
