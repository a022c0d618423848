"""The formats of Conv-TasNets that people have: how to tell each, its names, and whether it is the same function.

Same function: asteroid 0.7 (`models/conv_tasnet.py`) and torchaudio 2.11 (`models/conv_tasnet.py`). The others are
other functions of like names (kaituoxu/Conv-TasNet; espnet 202511, `espnet2/enh/layers/tcn.py`; speechbrain 1.1,
`lobes/models/conv_tasnet.py`): their encoders end in a ReLU, and a norm per frame stands before the bottleneck
whatever the others are; their convolutions have no bias, and their blocks no skip connection.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tasnet.network.pickled import PickledObject


@dataclass(frozen=True)
class CheckpointFormat:
    """One library's names. `anchor` matches a name that all its networks have, with `prefix` before it."""

    source: str
    anchor: re.Pattern[str]
    differs: str = ""
    """why it is another function, empty where it is the same"""


_OTHER = "its encoder ends in a ReLU, and its first norm is per frame whatever the others are"


def _format(source: str, anchor: str, differs: str = "") -> CheckpointFormat:
    return CheckpointFormat(source, re.compile(rf"(?P<prefix>(?:.*\.)?){anchor}"), differs)


ASTEROID = _format("asteroid", r"masker\.TCN\.\d+\.")
TORCHAUDIO = _format("torchaudio", r"mask_generator\.")
FORMATS = (
    ASTEROID,
    TORCHAUDIO,
    _format("kaituoxu/Conv-TasNet", r"separator\.network\.2\.\d+\.\d+\.net\.", _OTHER),
    _format("ESPnet", r"separator\.tcn\.network\.", _OTHER),
    _format("SpeechBrain", r"temporal_conv_net\.temporalblock_\d+_\d+\.", _OTHER),
)

_LAYER = r"mask_generator\.conv_layers\.(\d+)\."
_TORCHAUDIO = (
    (r"encoder\.weight", "encoder.filterbank._filters"),
    (r"decoder\.weight", "decoder.filterbank._filters"),
    (r"mask_generator\.input_norm\.weight", "masker.bottleneck.0.gamma"),
    (r"mask_generator\.input_norm\.bias", "masker.bottleneck.0.beta"),
    (r"mask_generator\.input_conv\.(weight|bias)", r"masker.bottleneck.1.\1"),
    (_LAYER + r"conv_layers\.([25])\.weight", r"masker.TCN.\1.shared_block.\2.gamma"),
    (_LAYER + r"conv_layers\.([25])\.bias", r"masker.TCN.\1.shared_block.\2.beta"),
    (_LAYER + r"conv_layers\.([0134])\.(weight|bias)", r"masker.TCN.\1.shared_block.\2.\3"),
    (_LAYER + r"res_out\.(weight|bias)", r"masker.TCN.\1.res_conv.\2"),
    (_LAYER + r"skip_out\.(weight|bias)", r"masker.TCN.\1.skip_conv.\2"),
    (r"mask_generator\.output_prelu\.weight", "masker.mask_net.0.weight"),
    (r"mask_generator\.output_conv\.(weight|bias)", r"masker.mask_net.1.\1"),
)
"""torchaudio's names -> Asteroid's: the same function."""


_DEPTHWISE = re.compile(r"(masker\.TCN\.\d+\.shared_block\.3)(\.0)?\.(weight|bias)")


def is_causal(keys: Iterable[str]) -> bool:
    """Whether these names are a causal network's of Asteroid.

    There a depthwise convolution stands in a Sequential with a layer that cuts its end off.
    """
    found = [match for match in map(_DEPTHWISE.fullmatch, keys) if match]
    return bool(found) and all(match[2] for match in found)


def asteroid_name(format: CheckpointFormat | None, key: str, causal: bool = False) -> str:
    """A tensor's name in the state dict of Asteroid's network that isn't causal; `key` itself where it has none."""
    if causal and (match := _DEPTHWISE.fullmatch(key)):
        return f"{match[1]}.{match[3]}"
    if format is TORCHAUDIO:
        for pattern, name in _TORCHAUDIO:
            if match := re.fullmatch(pattern, key):
                return match.expand(name)
    return key


_MASKER = (
    "n_src",
    "n_blocks",
    "n_repeats",
    "bn_chan",
    "hid_chan",
    "skip_chan",
    "conv_kernel_size",
    "norm_type",
    "mask_act",
    "causal",
)
"""The masker's arguments."""

_HYPER = {
    "masknet": (*_MASKER, "in_chan", "out_chan"),
    "filterbank": ("n_filters", "kernel_size", "stride", "fb_name"),
}
"""Asteroid's recipes: section -> names of it that are the model's arguments."""

_TORCHAUDIO_ARGUMENTS = {
    "num_sources": "n_src",
    "enc_kernel_size": "kernel_size",
    "enc_num_feats": "n_filters",
    "msk_kernel_size": "conv_kernel_size",
    "msk_num_feats": "bn_chan",
    "msk_num_hidden_feats": "hid_chan",
    "msk_num_layers": "n_blocks",
    "msk_num_stacks": "n_repeats",
    "msk_activate": "mask_act",
}


def arguments_of(hyper_parameters: Mapping[object, object]) -> dict[str, object]:
    """A training run's hyper-parameters -> the model's arguments in them, under Asteroid's names.

    Known are Asteroid's recipes (`masknet`, `filterbank`: as dicts, or flattened with `_`), its arguments, and
    torchaudio's. A name that may mean something else in a training run (`stride`) is only taken from its section.
    """
    found: dict[str, object] = {}
    for key in ("n_blocks", "n_repeats", "mask_act", "norm_type", "causal", "sample_rate", "encoder_activation"):
        if key in hyper_parameters:
            found[key] = hyper_parameters[key]
    for name, key in _TORCHAUDIO_ARGUMENTS.items():
        if name in hyper_parameters:
            found[key] = hyper_parameters[name]
    for section, names in _HYPER.items():
        inner = hyper_parameters.get(section)
        for key in names:
            if isinstance(inner, Mapping) and key in inner:
                found[key] = inner[key]
            elif f"{section}_{key}" in hyper_parameters:
                found[key] = hyper_parameters[f"{section}_{key}"]
    # Asteroid writes None as text.
    return {key: None if value == "None" else value for key, value in found.items()}


_NORMS = {"GlobLN": "gLN", "ChanLN": "cLN", "CumLN": "cgLN", "BatchNorm": "BN"}


def module_arguments(format: CheckpointFormat | None, attributes: Mapping[str, object]) -> dict[str, object]:
    """What a whole module's parts say of the model's arguments, under Asteroid's names; nothing for a state dict.

    A pickled module keeps what its class kept (Asteroid's masker: its arguments) and the classes of its parts;
    TorchScript keeps the classes, which it puts after `__torch__.` and a mark of its own.
    """
    found: dict[str, object] = {}
    if format is ASTEROID:
        found = {key: attributes[f"masker.{key}"] for key in _MASKER if f"masker.{key}" in attributes}
        activation = _class_of(attributes.get("masker.output_act"))
        norm = _NORMS.get(_class_of(attributes.get("masker.bottleneck.0")))
        if norm:
            found["norm_type"] = norm
        encoder = _class_of(attributes.get("enc_activation"))
        if encoder not in ("", "Identity"):
            found["encoder_activation"] = encoder.lower()
    else:
        activation = _class_of(attributes.get("mask_generator.mask_activate"))
        dilations = [
            _dilation(attributes.get(f"mask_generator.conv_layers.{index}.conv_layers.3.dilation"))
            for index in range(99)
        ]
        # Doubled from block to block, and 1 again where the next repeat begins.
        if dilations[0] == 1:
            found["n_blocks"] = next(index for index in range(1, 99) if dilations[index] in (1, 0))
    if activation:
        found["mask_act"] = activation.lower()
    return found


def _class_of(value: object) -> str:
    return value.class_name.rpartition(".")[2] if isinstance(value, PickledObject) else ""


def _dilation(value: object) -> int:
    first = value[0] if isinstance(value, (tuple, list)) and value else None
    return first if isinstance(first, int) else 0
