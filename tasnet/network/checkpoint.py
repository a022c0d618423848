"""A trained Conv-TasNet from Asteroid's or torchaudio's checkpoint file.

What such a file is, by asteroid 0.7 (`models/base_models.py`, serialize) and torchaudio 2.11
(`models/conv_tasnet.py`). The file itself is read by `torchfile`, which runs nothing that is in it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from tasnet.network.torchfile import CheckpointError, fail, read, refused_inside
from tasnet.network.variant import Size, VariantError
from tasnet.network.weights import asteroid_shapes

__all__ = ["Checkpoint", "CheckpointError", "load"]


@dataclass(frozen=True)
class Checkpoint:
    """A trained network. `weights` are float32 under Asteroid's names, whatever the file's were.

    `sample_rate` is in Hz, or None where the file doesn't say. `mask_activation` is relu or sigmoid, `norm` a
    value of the axis `norm`. `source` is `asteroid` or `torchaudio`: torchaudio's model pads the wave by one
    stride at both ends before the encoder and crops as much after the decoder, which the weights can't tell.
    `refused` names the globals of the file that were neither imported nor called, sorted.
    """

    size: Size
    weights: Mapping[str, torch.Tensor]
    sample_rate: float | None
    mask_activation: str
    norm: str
    source: str
    refused: tuple[str, ...]


def load(path: Path | str, *, mask_activation: str | None = None, blocks_per_repeat: int | None = None) -> Checkpoint:
    """Reads the checkpoint at `path`: Asteroid's dict of `state_dict` and `model_args`, or a bare state dict.

    Sizes come from the tensors; `model_args` must agree with them. A bare state dict doesn't say how many
    blocks a repeat has, nor the mask's activation. Without the two arguments that is X=8 if the number of
    blocks is a multiple of 8, and each library's habit: relu for Asteroid (all published models), sigmoid for
    torchaudio (its default). Where the file does say, an argument that disagrees is an error.

    Raises CheckpointError for a missing, truncated or foreign file, another network, shapes that don't fit,
    an option the variants don't have (causal, no skips, another filterbank), a file that tries to run code.
    """
    path = Path(path)
    content, refused = read(path)
    if not isinstance(content, Mapping):
        fail(path, f"holds a {type(content).__name__}", "save the model's state_dict instead of the model")
    name = content.get("model_name")
    if isinstance(name, str) and name != "ConvTasNet":
        fail(path, f"is a {name}", "only ConvTasNet is known")
    state = content.get("state_dict", content)
    args = content.get("model_args", {}) if state is not content else {}
    for part, value in (("state_dict", state), ("model_args", args)):
        if not isinstance(value, Mapping):
            fail(path, f"its {part} is a {type(value).__name__}", "it should be a dict")
        inside = sorted(refused_inside(value))
        if inside:
            fail(
                path,
                f"its {part} holds {inside[0]}, which was refused",
                "save it as plain values and tensors",
            )
    weights, source = _asteroid_names(path, state)
    size = _size(path, weights, args, blocks_per_repeat)
    return Checkpoint(
        size=size,
        weights={key: weights[key].detach().to("cpu", torch.float32).contiguous() for key in weights},
        sample_rate=_number(path, args, "sample_rate"),
        mask_activation=_mask_activation(path, args, source, mask_activation),
        norm=_norm(path, args),
        source=source,
        refused=refused,
    )


_LAYER = r"mask_generator\.conv_layers\.(\d+)\."
_TORCHAUDIO = (
    (r"encoder\.weight", "encoder.filterbank._filters"),
    (r"decoder\.weight", "decoder.filterbank._filters"),
    (r"mask_generator\.input_norm\.weight", "masker.bottleneck.0.gamma"),
    (r"mask_generator\.input_norm\.bias", "masker.bottleneck.0.beta"),
    (r"mask_generator\.input_conv\.(weight|bias)", r"masker.bottleneck.1.\1"),
    (
        _LAYER + r"conv_layers\.([25])\.weight",
        r"masker.TCN.\1.shared_block.\2.gamma",
    ),
    (_LAYER + r"conv_layers\.([25])\.bias", r"masker.TCN.\1.shared_block.\2.beta"),
    (
        _LAYER + r"conv_layers\.([0134])\.(weight|bias)",
        r"masker.TCN.\1.shared_block.\2.\3",
    ),
    (_LAYER + r"res_out\.(weight|bias)", r"masker.TCN.\1.res_conv.\2"),
    (_LAYER + r"skip_out\.(weight|bias)", r"masker.TCN.\1.skip_conv.\2"),
    (r"mask_generator\.output_prelu\.weight", "masker.mask_net.0.weight"),
    (r"mask_generator\.output_conv\.(weight|bias)", r"masker.mask_net.1.\1"),
)
"""torchaudio's names -> Asteroid's: the same function (torchaudio 2.11, models/conv_tasnet.py)."""


def _asteroid_names(path: Path, state: Mapping[Any, Any]) -> tuple[dict[str, torch.Tensor], str]:
    """The state dict under Asteroid's names, and the library it is from."""
    for key, value in state.items():
        if not isinstance(key, str) or not isinstance(value, torch.Tensor):
            kind = type(value).__name__
            fail(path, f"another network: its entry {key!r} is a {kind}, not a tensor", "save the state_dict")
    if not any(key.startswith("mask_generator.") for key in state):
        return dict(state), "asteroid"
    weights = {_renamed(key): tensor for key, tensor in state.items()}
    last = _block_count(weights) - 1
    dead = f"masker.TCN.{last}.res_conv"
    first = weights.get("masker.bottleneck.1.weight")
    hidden = weights.get(f"masker.TCN.{last}.shared_block.0.weight")
    if f"{dead}.weight" not in weights and first is not None and hidden is not None:
        # Asteroid stores a last residual convolution, which changes nothing; torchaudio has none.
        weights[f"{dead}.weight"] = torch.zeros(first.shape[0], hidden.shape[0], 1)
        weights[f"{dead}.bias"] = torch.zeros(first.shape[0])
    return weights, "torchaudio"


def _renamed(key: str) -> str:
    for pattern, name in _TORCHAUDIO:
        match = re.fullmatch(pattern, key)
        if match:
            return match.expand(name)
    return key


def _block_count(keys: Iterable[str]) -> int:
    blocks = {int(match[1]) for key in keys if (match := re.match(r"masker\.TCN\.(\d{1,4})\.", key))}
    return max(blocks, default=-1) + 1


def _size(path: Path, weights: Mapping[str, torch.Tensor], args: Mapping[str, Any], per_repeat: int | None) -> Size:
    """The network's size by its tensors' shapes, each of which must fit it, and `model_args` too."""
    if args.get("skip_chan", True) in (0, None) or (
        "masker.TCN.0.res_conv.weight" in weights and "masker.TCN.0.skip_conv.weight" not in weights
    ):
        fail(path, "a network without skip connections", "only networks trained with skips are known")
    blocks = _block_count(weights)
    size = _size_by_shapes(path, weights, blocks, _blocks_per_repeat(path, args, blocks, per_repeat))
    expected = asteroid_shapes(size)
    _same_names(path, expected, weights)
    for key, shape in expected.items():
        if tuple(weights[key].shape) != shape:
            found = tuple(weights[key].shape)
            fail(path, f"{key} has shape {found}, the other tensors ask for {shape}", "check the export")
        if not weights[key].is_floating_point() or not bool(weights[key].isfinite().all()):
            fail(path, f"{key} holds values that are not finite floats", "use another checkpoint")
    _same_args(path, args, size)
    return size


def _size_by_shapes(path: Path, weights: Mapping[str, torch.Tensor], blocks: int, per_repeat: int) -> Size:
    block = "masker.TCN.0"
    ranks = {
        "encoder.filterbank._filters": 3,
        "masker.bottleneck.1.weight": 3,
        f"{block}.shared_block.0.weight": 3,
        f"{block}.shared_block.3.weight": 3,
        f"{block}.skip_conv.weight": 3,
        "masker.mask_net.1.weight": 3,
    }
    if any(key not in weights for key in ranks):
        _same_names(path, asteroid_shapes(Size(X=1, R=max(blocks, 1))), weights)
    for key, rank in ranks.items():
        if weights[key].ndim != rank:
            fail(
                path,
                f"{key} has rank {weights[key].ndim} instead of {rank}",
                "use Conv1d weights",
            )
    filters, bottleneck, in_conv, dw_conv, skip_conv, head = (weights[key].shape for key in ranks)
    if filters[0] < 1 or head[0] % filters[0]:
        fail(path, f"{head[0]} mask rows for {filters[0]} filters", "one mask per source is needed")
    try:
        return Size(
            N=filters[0],
            L=filters[2],
            B=bottleneck[0],
            H=in_conv[0],
            Sc=skip_conv[0],
            P=dw_conv[2],
            X=per_repeat,
            R=blocks // per_repeat,
            n_src=head[0] // filters[0],
        )
    except VariantError as error:
        fail(path, str(error), "this size is not supported")


def _same_names(path: Path, expected: Iterable[str], found: Iterable[str]) -> None:
    wanted, got = dict.fromkeys(expected), dict.fromkeys(found)
    parts = [
        f"{label} {', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}"
        for label, names in (
            ("missing", [key for key in wanted if key not in got]),
            ("unexpected", [key for key in got if key not in wanted]),
        )
        if names
    ]
    if parts:
        fail(path, f"another network: {'; '.join(parts)}", "use a ConvTasNet of asteroid or torchaudio")


def _blocks_per_repeat(path: Path, args: Mapping[str, Any], blocks: int, asked: int | None) -> int:
    said = args.get("n_blocks")
    if said is not None and asked is not None and said != asked:
        fail(path, f"says {said} blocks per repeat, not {asked}", "leave out blocks_per_repeat")
    per_repeat = said if said is not None else asked
    if per_repeat is None:
        if blocks % 8:
            what = "save it with its model_args (n_blocks), or pass blocks_per_repeat to load"
            fail(path, f"{blocks} blocks, and nothing says how many per repeat", what)
        return 8
    if not isinstance(per_repeat, int) or per_repeat < 1 or blocks % per_repeat:
        fail(path, f"{blocks} blocks can't be repeats of {per_repeat}", "check blocks_per_repeat")
    return per_repeat


def _same_args(path: Path, args: Mapping[str, Any], size: Size) -> None:
    """Fails unless `model_args`, as far as given, says what the tensors say and nothing the variants lack."""
    allowed: dict[str, tuple[object, ...]] = {
        "n_src": (size.n_src,),
        "n_filters": (size.N,),
        "in_chan": (size.N, None),
        "out_chan": (size.N, None),
        "kernel_size": (size.L,),
        "stride": (size.stride, None),
        "bn_chan": (size.B,),
        "hid_chan": (size.H,),
        "skip_chan": (size.Sc,),
        "conv_kernel_size": (size.P,),
        "n_repeats": (size.R,),
        "causal": (False, None),
        "encoder_activation": (None, "linear"),
        "fb_name": (None, "free", "FreeFB"),
    }
    for name, values in allowed.items():
        if name in args and args[name] not in values:
            fail(path, f"its model_args say {name}={args[name]!r}", f"only {values[0]!r} is supported")


def _mask_activation(path: Path, args: Mapping[str, Any], source: str, asked: str | None) -> str:
    said = args.get("mask_act")
    if said is not None and asked is not None and said != asked:
        fail(path, f"says mask_act={said!r}, not {asked!r}", "leave out mask_activation")
    value = said or asked or ("relu" if source == "asteroid" else "sigmoid")
    if value not in ("relu", "sigmoid"):
        fail(path, f"its mask activation is {value!r}", "only relu and sigmoid are known")
    return str(value)


def _norm(path: Path, args: Mapping[str, Any]) -> str:
    said = args.get("norm_type", "gLN")
    norms = {"gLN": "gln", "cgLN": "cgln", "cLN": "cln"}
    if said not in norms:
        fail(path, f"its norm is {said!r}", f"known are {', '.join(norms)}")
    return norms[said]


def _number(path: Path, args: Mapping[str, Any], name: str) -> float | None:
    value = args.get(name)
    if value is None:
        return None
    if not isinstance(value, (int, float)) or not math.isfinite(value) or value <= 0:
        fail(path, f"its {name} is {value!r}", "it should be a number above 0")
    return float(value)
