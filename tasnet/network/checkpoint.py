"""A trained Conv-TasNet from a file of `torch.save`: Asteroid's, torchaudio's, or a training run's around one of them.

What such a network is, by asteroid 0.7 (`models/base_models.py`, serialize) and torchaudio 2.11
(`models/conv_tasnet.py`). The file is read as data by `torch_file`: nothing in it is imported or called.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import torch

from tasnet.common import printable
from tasnet.network import pickled
from tasnet.network.checkpoint_arguments import assumed_lines, said_activation, said_norm, said_number, unread_lines
from tasnet.network.checkpoint_formats import TORCHAUDIO, arguments_of, asteroid_name, is_causal, module_arguments
from tasnet.network.state_dict_search import FoundNetwork, TooMuchError, find_networks
from tasnet.network.tensor_storage import StoredTensor, read_tensors, stored_tensor
from tasnet.network.torch_file import CheckpointError, TorchFile, fail, open_torch_file, value_text
from tasnet.network.variant import Size, TrainedForm, Variant, VariantError
from tasnet.network.weights import asteroid_shapes

__all__ = ["Checkpoint", "CheckpointError", "load_checkpoint"]


@dataclass(frozen=True)
class Checkpoint:
    """A trained network. `weights` are float32 under Asteroid's names, whatever the file's were.

    `sample_rate` is in Hz, or None where the file doesn't say. `mask_activation` is relu or sigmoid, `norm` a
    value of the axis `norm`, `causal` whether the depthwise convolutions are padded on the left only. `source` is
    `asteroid` or `torchaudio`: torchaudio's model pads the wave by one stride at both ends before the encoder and
    crops as much after the decoder, which the weights can't tell.
    `refused` names the classes and functions of the file that mean nothing here, sorted: none was imported or called.
    `assumed` has a line for each thing that the file doesn't say, and for what in it was left out.
    """

    size: Size
    weights: Mapping[str, torch.Tensor]
    sample_rate: float | None
    mask_activation: str
    norm: str
    source: str
    causal: bool
    refused: tuple[str, ...]
    assumed: tuple[str, ...] = ()

    @property
    def form(self) -> TrainedForm:
        """How it was trained: what a form of it is held against."""
        return TrainedForm(self.norm, self.causal)


def load_checkpoint(
    path: Path | str, *, mask_activation: str | None = None, blocks_per_repeat: int | None = None
) -> Checkpoint:
    """Reads the checkpoint at `path`: a state dict, bare or anywhere in the file, or a whole module, scripted or not.

    Sizes come from the tensors; arguments that the file has beside them (`model_args`, Lightning's
    `hyper_parameters`, a module's own attributes) must agree with them. A bare state dict doesn't say how many blocks
    a repeat has, nor the masks' activation. Without the two arguments that is X=8 if the number of blocks is a
    multiple of 8, and relu, as in all published models. Where the file does say, an argument that disagrees is an
    error.

    Raises CheckpointError for a missing, truncated or foreign file, another network, shapes that don't fit,
    an option the variants don't have (no skips, another filterbank), a file that tries to run code.
    """
    path = Path(path)
    with open_torch_file(path) as file:
        network, left = _network(path, file)
        args = _arguments(path, file.content, network)
        causal = _causal(path, network, args)
        tensors = _described_tensors(path, network, causal)
        shapes = {key: tensor.shape for key, tensor in tensors.items()}
        if network.format is TORCHAUDIO:
            shapes |= {key: shape for key, shape in _dead(shapes).items() if key not in shapes}
        size = _size(path, shapes, args, blocks_per_repeat, causal)
        read = read_tensors(path, tensors, file.storages)
    activation = said_activation(path, args, mask_activation)
    source = "torchaudio" if network.format is TORCHAUDIO else "asteroid"
    refused = tuple(sorted(name for name in file.names if not _KNOWN.fullmatch(name)))
    norm, of_norm = said_norm(path, args, source, causal)
    assumed = assumed_lines(args, source, size, activation if mask_activation is None else "", blocks_per_repeat)
    return Checkpoint(
        size=size,
        weights={key: read[key] if key in read else torch.zeros(shapes[key]) for key in asteroid_shapes(size)},
        sample_rate=said_number(path, args, "sample_rate"),
        mask_activation=activation,
        norm=norm,
        source=source,
        causal=causal,
        refused=refused,
        assumed=(*assumed, *of_norm, *left, *unread_lines(refused)),
    )


_KNOWN = re.compile(
    r"collections\.(OrderedDict|defaultdict)|torch\._utils\._rebuild_(tensor|tensor_v2|parameter|parameter_with_state)|"
    r"torch(\.cuda|\.storage)?\.\w+Storage|torch\.(float|int|uint|bool|bfloat|complex)\w*"
)
"""What is understood, and so isn't told as refused."""


_NUMPY = re.compile(r"numpy\.(core|_core)\.multiarray\._reconstruct")

_REWORKED = re.compile(
    r"(.*)\.(weight_orig|weight_mask|weight_[gv]|parametrizations\.weight\.\w+|_packed_params|weight_fake_quant\..*)"
)
"""What pruning, weight norm and quantization keep instead of a layer's weight."""


def _network(path: Path, file: TorchFile) -> tuple[FoundNetwork, list[str]]:
    """The network that is meant, and a line about those that aren't."""
    try:
        networks = find_networks(file.content)
    except TooMuchError as error:
        fail(path, f"holds {error}", "save the state_dict alone")
    for around in [*(networks[0].around if networks else ()), pickled.mapping(file.content) or {}]:
        name = around.get("model_name")
        if isinstance(name, str) and name != "ConvTasNet":
            fail(path, f"is a {value_text(name)[1:-1]}", "only ConvTasNet is known")
    if not networks:
        remedy = "save the model's state_dict with torch.save"
        if any(_NUMPY.fullmatch(name) for name in file.names):
            fail(path, "holds NumPy arrays, and no tensors", f"make tensors of them, and {remedy}")
        where = "a TorchScript archive without parameters" if file.script else value_text(file.content)
        fail(path, f"holds {'a tensor' if stored_tensor(file.content) else where}, and no network in it", remedy)
    first, *others = _distinct(sorted(networks, key=lambda each: each.averaged))
    rivals = [first.place, *(each.place for each in others if each.averaged == first.averaged)]
    if len(rivals) > 1:
        fail(path, f"holds {len(rivals)} networks: {', '.join(rivals)}", "save the one that is meant alone")
    if first.format is not None and first.format.differs:
        fail(
            path,
            f"a Conv-TasNet of {first.format.source}, by the names in it: another function, for {first.format.differs}",
            "use one that Asteroid or torchaudio trained",
        )
    left = [
        f"an averaged copy in it ({each.place}) was not read: {first.place or 'the network itself'} was"
        for each in others
    ]
    return first, left


def _distinct(networks: list[FoundNetwork]) -> list[FoundNetwork]:
    """Without those that look at the very tensors of another: one network under two names."""
    distinct: list[FoundNetwork] = []
    for each in networks:
        same = {key: stored_tensor(value) for key, value in each.entries.items()}
        if all(same != {key: stored_tensor(value) for key, value in other.entries.items()} for other in distinct):
            distinct.append(each)
    return distinct


def _described_tensors(path: Path, network: FoundNetwork, causal: bool) -> dict[str, StoredTensor]:
    """The network's tensors as the file describes them, under Asteroid's names."""
    tensors: dict[str, StoredTensor] = {}
    for key, value in network.entries.items():
        if reworked := _REWORKED.fullmatch(key):
            what = f"the weight of {printable(reworked[1], 100)} is kept as pruning or a weight norm keeps it"
            fail(path, what, "make it a plain weight again (prune.remove, remove_parametrizations), and save that")
        tensor = stored_tensor(value)
        if tensor is None:
            if isinstance(value, (pickled.PickledObject, pickled.PickledName)):
                _refuse(path, "state_dict", value)
            what = f"another network: its entry {value_text(key)} is {value_text(value)}, not a tensor"
            fail(path, what, "save the state_dict")
        if tensor.unsupported_kind:
            fail(path, f"{printable(key)} is {tensor.unsupported_kind}", "save the weights as plain float32 tensors")
        tensors[asteroid_name(network.format, key, causal)] = tensor
    return tensors


def _dead(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Shapes of the last residual convolution: Asteroid stores it, it changes nothing, and torchaudio has none."""
    last = _block_count(shapes) - 1
    first = shapes.get("masker.bottleneck.1.weight")
    hidden = shapes.get(f"masker.TCN.{last}.shared_block.0.weight")
    if not first or not hidden:
        return {}
    name = f"masker.TCN.{last}.res_conv"
    return {f"{name}.weight": (first[0], hidden[0], 1), f"{name}.bias": (first[0],)}


def _refuse(path: Path, part: str, value: object) -> NoReturn:
    what = f"its {part} holds {printable(pickled.kind_of(value), 100)}, which was refused"
    fail(path, what, "save it as plain values and tensors")


def _arguments(path: Path, content: object, network: FoundNetwork) -> dict[str, Any]:
    """The model's arguments that the file has, under Asteroid's names: plain values."""
    args = module_arguments(network.format, network.attributes)
    for around in network.around:
        if "model_args" in around:
            given = pickled.mapping(around["model_args"])
            if given is None:
                fail(path, f"its model_args is {value_text(around['model_args'])}", "it should be a dict")
            args |= {key: value for key, value in given.items() if isinstance(key, str)}
            break
        said = next((around[key] for key in ("hyper_parameters", "hparams", "config", "conf") if key in around), None)
        if said is not None:
            held = pickled.mapping(said) or pickled.attributes(said) or {}
            args |= arguments_of(
                {key: pickled.mapping(each) or pickled.attributes(each) or each for key, each in held.items()}
            )
            break
    for name in _NAMES:
        value = args.get(name)
        if isinstance(value, int) and abs(value) >= 1 << 63:
            fail(path, f"its model_args say {name}=a huge number", "check the export")
        if not isinstance(value, (str, int, float, type(None))):
            strange = next(
                (
                    each
                    for each in pickled.walk(value)
                    if isinstance(each, (pickled.PickledObject, pickled.PickledName))
                ),
                None,
            )
            if strange is not None:
                _refuse(path, "model_args", strange)
            fail(path, f"its model_args say {name}={value_text(value)}", "it should be a plain value")
    return {name: args[name] for name in _NAMES if name in args}


_NAMES = (
    *("n_src", "n_filters", "in_chan", "out_chan", "kernel_size", "stride", "bn_chan", "hid_chan", "skip_chan"),
    *("conv_kernel_size", "n_blocks", "n_repeats", "causal", "encoder_activation", "fb_name", "mask_act", "norm_type"),
    "sample_rate",
)
"""The arguments that are read: others may be anything."""


def _block_count(keys: Iterable[str]) -> int:
    blocks = {int(match[1]) for key in keys if (match := re.match(r"masker\.TCN\.(\d{1,4})\.", key))}
    return max(blocks, default=-1) + 1


def _causal(path: Path, network: FoundNetwork, args: Mapping[str, Any]) -> bool:
    """Whether the network is causal, by its names and by what the file says."""
    causal, said = is_causal(network.entries), args.get("causal")
    if said is not None and bool(said) != causal:
        what = f"its model_args say causal={value_text(said)}, its names are those of"
        fail(path, f"{what} {'a causal network' if causal else 'one that is not'}", "check the export")
    return causal


def _size(
    path: Path, shapes: Mapping[str, tuple[int, ...]], args: Mapping[str, Any], per_repeat: int | None, causal: bool
) -> Size:
    """The network's size by its tensors' shapes, each of which must fit it, and `model_args` too."""
    if args.get("skip_chan", True) in (0, None) or (
        "masker.TCN.0.res_conv.weight" in shapes and "masker.TCN.0.skip_conv.weight" not in shapes
    ):
        fail(path, "a network without skip connections", "only networks trained with skips are known")
    blocks = _block_count(shapes)
    size = _size_by_shapes(path, shapes, blocks, _blocks_per_repeat(path, args, blocks, per_repeat), causal)
    expected = asteroid_shapes(size)
    _same_names(path, expected, shapes)
    for key, shape in expected.items():
        if shapes[key] != shape:
            fail(path, f"{key} has shape {shapes[key]}, the other tensors ask for {shape}", "check the export")
    _same_args(path, args, size)
    return size


def _size_by_shapes(
    path: Path, shapes: Mapping[str, tuple[int, ...]], blocks: int, per_repeat: int, causal: bool
) -> Size:
    block = "masker.TCN.0"
    kernels = (
        "encoder.filterbank._filters",
        "masker.bottleneck.1.weight",
        f"{block}.shared_block.0.weight",
        f"{block}.shared_block.3.weight",
        f"{block}.skip_conv.weight",
        "masker.mask_net.1.weight",
    )
    if any(key not in shapes for key in kernels):
        _same_names(path, asteroid_shapes(Size(X=1, R=max(blocks, 1))), shapes)
    for key in kernels:
        if len(shapes[key]) != 3:
            fail(path, f"{key} has rank {len(shapes[key])} instead of 3", "use Conv1d weights")
    filters, bottleneck, in_conv, dw_conv, skip_conv, head = (shapes[key] for key in kernels)
    if filters[0] < 1 or head[0] % filters[0]:
        fail(path, f"{head[0]} mask rows for {filters[0]} filters", "one mask per source is needed")
    try:
        size = Size(
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
        Variant(causal="pad" if causal else "off").check(size)
        return size
    except VariantError as error:
        fail(path, str(error), "this size is not supported")


def _same_names(path: Path, expected: Iterable[str], found_names: Iterable[str]) -> None:
    wanted, got = dict.fromkeys(expected), dict.fromkeys(found_names)
    parts = []
    for label, names in (
        ("missing", [key for key in wanted if key not in got]),
        ("unexpected", [key for key in got if key not in wanted]),
    ):
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            parts.append(f"{label} {', '.join(printable(name, 80) for name in names[:3])}{more}")
    if parts:
        fail(path, f"another network: {'; '.join(parts)}", "use a ConvTasNet of asteroid or torchaudio")


def _blocks_per_repeat(path: Path, args: Mapping[str, Any], blocks: int, asked: int | None) -> int:
    said = args.get("n_blocks")
    if said is not None and asked is not None and said != asked:
        fail(path, f"says {value_text(said)} blocks per repeat, not {asked}", "leave out --blocks-per-repeat")
    per_repeat = said if said is not None else asked
    if per_repeat is None:
        if blocks % 8:
            fail(path, f"{blocks} blocks, and nothing says how many per repeat", "say it with --blocks-per-repeat")
        return 8
    if not isinstance(per_repeat, int) or per_repeat < 1 or blocks % per_repeat:
        fail(path, f"{blocks} blocks can't be repeats of {value_text(per_repeat)}", "check --blocks-per-repeat")
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
        "encoder_activation": (None, "linear"),
        "fb_name": (None, "free", "FreeFB"),
    }
    for name, allowed_values in allowed.items():
        if name in args and args[name] not in allowed_values:
            fail(
                path, f"its model_args say {name}={value_text(args[name])}", f"only {allowed_values[0]!r} is supported"
            )
