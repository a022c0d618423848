"""The Conv-TasNets of kaituoxu, ESPnet and SpeechBrain by their formula, in float64, and under the names of each.

Written from their definitions (kaituoxu/Conv-TasNet, `src/conv_tasnet.py`; espnet 202511, `espnet2/enh/layers/tcn.py`
and `encoder/conv_encoder.py`; speechbrain 1.1, `lobes/models/conv_tasnet.py`), which are one function: encoder and a
ReLU, a norm per frame, 1x1 without bias, blocks of 1x1, PReLU, gLN, depthwise, PReLU, gLN, 1x1 added to the stream,
1x1, the masks' ReLU, and a decoder that adds its frames where they overlap.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from tasnet.network.variant import Size

Arrays = Mapping[str, np.ndarray]
EPS = 1e-8

_BLOCK = r"separator\.network\.2\.(\d+)\.(\d+)\.net\."
_ESPNET = (
    (r"encoder\.conv1d_U\.weight", "encoder.conv1d.weight"),
    (r"separator\.network\.(.*)", r"separator.tcn.network.\1"),
    (r"decoder\.basis_signals\.weight", "decoder.convtrans1d.weight"),
)
_SPEECHBRAIN = (
    (_BLOCK + r"0\.weight", r"temporal_conv_net.temporalblock_\1_\2.layers.conv.conv.weight"),
    (_BLOCK + r"1\.weight", r"temporal_conv_net.temporalblock_\1_\2.layers.act.weight"),
    (_BLOCK + r"2\.(\w+)", r"temporal_conv_net.temporalblock_\1_\2.layers.norm.\3"),
    (_BLOCK + r"3\.net\.0\.weight", r"temporal_conv_net.temporalblock_\1_\2.layers.DSconv.conv_0.conv.weight"),
    (_BLOCK + r"3\.net\.1\.weight", r"temporal_conv_net.temporalblock_\1_\2.layers.DSconv.act.weight"),
    (_BLOCK + r"3\.net\.2\.(\w+)", r"temporal_conv_net.temporalblock_\1_\2.layers.DSconv.act_0.\3"),
    (_BLOCK + r"3\.net\.3\.weight", r"temporal_conv_net.temporalblock_\1_\2.layers.DSconv.conv_1.conv.weight"),
    (r"separator\.network\.0\.(\w+)", r"layer_norm.\1"),
    (r"separator\.network\.1\.weight", "bottleneck_conv1x1.conv.weight"),
    (r"separator\.network\.3\.weight", "mask_conv1x1.conv.weight"),
)
LAYOUTS = {"kaituoxu/Conv-TasNet": (), "ESPnet": _ESPNET, "SpeechBrain": _SPEECHBRAIN}


def state(size: Size, seed: int = 0) -> dict[str, np.ndarray]:
    """Weights under kaituoxu's names."""
    drawn = np.random.default_rng(seed)
    shapes: dict[str, tuple[int, ...]] = {
        "encoder.conv1d_U.weight": (size.N, 1, size.L),
        "separator.network.0.gamma": (1, size.N, 1),
        "separator.network.0.beta": (1, size.N, 1),
        "separator.network.1.weight": (size.B, size.N, 1),
        "separator.network.3.weight": (size.n_src * size.N, size.B, 1),
        "decoder.basis_signals.weight": (size.L, size.N),
    }
    for index in range(size.total_blocks):
        block = f"separator.network.2.{index // size.X}.{index % size.X}.net"
        shapes |= {f"{block}.0.weight": (size.H, size.B, 1), f"{block}.1.weight": (1,)}
        shapes |= {f"{block}.3.net.0.weight": (size.H, 1, size.P), f"{block}.3.net.1.weight": (1,)}
        shapes |= {f"{block}{at}.{part}": (1, size.H, 1) for at in (".2", ".3.net.2") for part in ("gamma", "beta")}
        shapes |= {f"{block}.3.net.3.weight": (size.B, size.H, 1)}
    return {
        name: drawn.uniform(0.2, 0.8, shape) if shape == (1,) else drawn.uniform(-1, 1, shape)
        for name, shape in shapes.items()
    }


def renamed(weights: Arrays, layout: str) -> dict[str, np.ndarray]:
    """The weights under the names of another of the three."""
    named = {}
    for key, value in weights.items():
        match = next(((m, new) for old, new in LAYOUTS[layout] if (m := re.fullmatch(old, key))), None)
        named[match[0].expand(match[1]) if match else key] = value
    return named


def separated(
    weights: Arrays, size: Size, wave: np.ndarray, *, relu: bool = True, per_frame: bool = True
) -> np.ndarray:
    """A wave [T] -> the sources [n_src, T]; without the ReLU behind the encoder, with gLN first: as it isn't."""
    starts = range(0, len(wave) - size.L + 1, size.stride)
    frames = np.stack([wave[at : at + size.L] for at in starts], 1)
    encoded = weights["encoder.conv1d_U.weight"][:, 0] @ frames
    encoded = np.maximum(encoded, 0) if relu else encoded
    stream = _norm(weights, "separator.network.0", encoded, axis=0 if per_frame else (0, 1))
    stream = weights["separator.network.1.weight"][..., 0] @ stream
    for index in range(size.total_blocks):
        block = f"separator.network.2.{index // size.X}.{index % size.X}.net"
        x = _prelu(weights[f"{block}.0.weight"][..., 0] @ stream, weights[f"{block}.1.weight"])
        x = _norm(weights, f"{block}.2", x, axis=(0, 1))
        x = _depthwise(x, weights[f"{block}.3.net.0.weight"][:, 0], 2 ** (index % size.X))
        x = _norm(weights, f"{block}.3.net.2", _prelu(x, weights[f"{block}.3.net.1.weight"]), axis=(0, 1))
        stream = stream + weights[f"{block}.3.net.3.weight"][..., 0] @ x
    masks = np.maximum(weights["separator.network.3.weight"][..., 0] @ stream, 0).reshape(size.n_src, size.N, -1)
    pieces = np.einsum("ln,snk->slk", weights["decoder.basis_signals.weight"], masks * encoded)
    out = np.zeros((size.n_src, size.stride * (frames.shape[1] - 1) + size.L))
    for frame, at in enumerate(starts):
        out[:, at : at + size.L] += pieces[..., frame]
    return out


def _norm(weights: Arrays, name: str, x: np.ndarray, axis: int | tuple[int, ...]) -> np.ndarray:
    centred = x - x.mean(axis, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(axis, keepdims=True) + EPS)
    return scaled * weights[f"{name}.gamma"][0] + weights[f"{name}.beta"][0]


def _prelu(x: np.ndarray, slope: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, slope * x)


def _depthwise(x: np.ndarray, kernels: np.ndarray, dilation: int) -> np.ndarray:
    reach = dilation * (kernels.shape[1] - 1) // 2
    padded = np.pad(x, ((0, 0), (reach, reach)))
    taps = [padded[:, tap * dilation : tap * dilation + x.shape[1]] for tap in range(kernels.shape[1])]
    return np.einsum("ht,thk->hk", kernels, np.stack(taps))
