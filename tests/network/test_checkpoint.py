"""Checkpoints: both libraries' files, and every way a file can be wrong."""

import io
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from tasnet.network.checkpoint import CheckpointError, load_checkpoint
from tasnet.network.variant import Size
from tasnet.network.weights import asteroid_shapes, seeded_weights
from tests.network.oracles import asteroid_convtasnet, peak_error, torchaudio_convtasnet
from tests.network.sizes import FAITHFUL, SMALL, separate, wave

MODEL_ARGS = {
    "n_src": 2,
    "n_blocks": 2,
    "n_repeats": 2,
    "bn_chan": 6,
    "hid_chan": 9,
    "skip_chan": 6,
    "conv_kernel_size": 3,
    "norm_type": "gLN",
    "mask_act": "relu",
    "causal": False,
    "fb_name": "free",
    "kernel_size": 8,
    "n_filters": 10,
    "stride": 4,
    "encoder_activation": None,
    "sample_rate": 8000.0,
}


class Conf:
    """A harmless object, such as training code leaves in `infos`."""

    def __init__(self, lr: float) -> None:
        self.lr = lr


class Attack:
    """Runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (self.command,)


class Evaluated:
    """Evaluates an expression when it is unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return eval, ("1 + 1",)


def _state() -> "OrderedDict[str, torch.Tensor]":
    drawn = seeded_weights(SMALL, 1)
    return OrderedDict((key, drawn[key].clone()) for key in asteroid_shapes(SMALL))


def _content(**changes: Any) -> dict[str, Any]:
    content: dict[str, Any] = {
        "model_name": "ConvTasNet",
        "model_args": dict(MODEL_ARGS),
        "state_dict": _state(),
        "infos": {"software_versions": {"torch_version": "1.6.0"}, "task": "sep_clean"},
    }
    return content | changes


def _saved(folder: Path, content: object, **options: Any) -> Path:
    path = folder / "model.pth"
    torch.save(content, path, **options)
    return path


def test_asteroids_file(tmp_path: Path) -> None:
    checkpoint = load_checkpoint(_saved(tmp_path, _content()))
    assert checkpoint.size == SMALL
    assert (checkpoint.source, checkpoint.norm, checkpoint.mask_activation) == ("asteroid", "gln", "relu")
    assert checkpoint.sample_rate == 8000
    assert checkpoint.refused == ()
    assert set(checkpoint.weights) == set(asteroid_shapes(SMALL))
    mix = wave(99)
    assert torch.equal(separate(FAITHFUL, SMALL, mix, weights=checkpoint.weights), separate(FAITHFUL, SMALL, mix))


def test_a_file_that_asteroid_itself_made(tmp_path: Path) -> None:
    model = asteroid_convtasnet()(**{**MODEL_ARGS, "mask_act": "sigmoid"}).eval()
    content = {"model_name": "ConvTasNet", "model_args": model.get_model_args()}
    checkpoint = load_checkpoint(_saved(tmp_path, content | {"state_dict": model.get_state_dict()}))
    mix = wave(96)
    found = separate(FAITHFUL, checkpoint.size, mix, weights=checkpoint.weights, mask_activation="sigmoid")
    with torch.no_grad():
        assert peak_error(found, model(mix.unsqueeze(1))) < 2e-6
    assert checkpoint.mask_activation == "sigmoid"


def test_a_bare_state_dict_says_all_but_the_blocks_per_repeat(tmp_path: Path) -> None:
    path = _saved(tmp_path, _state())
    with pytest.raises(CheckpointError, match="4 blocks, and nothing says how many per repeat"):
        load_checkpoint(path)
    checkpoint = load_checkpoint(path, blocks_per_repeat=2)
    assert checkpoint.size == SMALL
    assert checkpoint.mask_activation == "relu"
    assert load_checkpoint(path, blocks_per_repeat=2, mask_activation="sigmoid").mask_activation == "sigmoid"


@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
def test_torchaudios_state_dict_is_its_published_models_unless_the_activation_is_named(
    tmp_path: Path, activation: str
) -> None:
    torch.manual_seed(0)
    model = torchaudio_convtasnet()(2, 8, 10, 3, 6, 9, 2, 2, msk_activate=activation).eval()
    named = None if activation == "relu" else activation
    checkpoint = load_checkpoint(_saved(tmp_path, model.state_dict()), blocks_per_repeat=2, mask_activation=named)
    assert checkpoint.mask_activation == activation
    assert (checkpoint.source, checkpoint.size) == ("torchaudio", SMALL)
    mix = wave(96)
    found = separate(FAITHFUL, SMALL, F.pad(mix, (4, 4)), weights=checkpoint.weights, mask_activation=activation)
    with torch.no_grad():
        assert peak_error(found[..., 4:-4], model(mix.unsqueeze(1))) < 2e-6


def test_half_precision_becomes_float(tmp_path: Path) -> None:
    state = {key: tensor.half() for key, tensor in _state().items()}
    checkpoint = load_checkpoint(_saved(tmp_path, _content(state_dict=state)))
    assert {tensor.dtype for tensor in checkpoint.weights.values()} == {torch.float32}


def test_a_harmless_object_in_infos_is_neither_made_nor_a_hindrance(tmp_path: Path) -> None:
    checkpoint = load_checkpoint(_saved(tmp_path, _content(infos={"conf": Conf(0.1), "tags": [{1, 2}]})))
    assert checkpoint.refused == ("builtins.set", f"{Conf.__module__}.Conf")
    expected = _state()
    assert all(torch.equal(checkpoint.weights[key], expected[key]) for key in expected)


@pytest.mark.parametrize("protocol", [2, 4])
def test_views_and_parameters_survive_the_own_reader(tmp_path: Path, protocol: int) -> None:
    state = _state()
    filters = torch.zeros(8, 1, 10).transpose(0, 2)
    filters.copy_(state["encoder.filterbank._filters"])
    changed = dict(state) | {
        "encoder.filterbank._filters": filters,
        "masker.bottleneck.1.bias": torch.nn.Parameter(state["masker.bottleneck.1.bias"]),
        "masker.bottleneck.0.gamma": torch.cat([torch.ones(3), state["masker.bottleneck.0.gamma"]])[3:],
    }
    path = _saved(tmp_path, _content(state_dict=changed, infos=Conf(1)), pickle_protocol=protocol)
    checkpoint = load_checkpoint(path)
    assert len(checkpoint.refused) == 1
    assert all(torch.equal(checkpoint.weights[key], state[key]) for key in state)


def test_a_file_that_runs_a_command_is_refused_and_does_not_run_it(tmp_path: Path) -> None:
    witness = tmp_path / "ran"
    path = _saved(tmp_path, _content(infos=Attack(f"touch {witness}")))
    with pytest.raises(CheckpointError, match=r"tries to run (posix|nt)\.system and was refused"):
        load_checkpoint(path)
    assert not witness.exists()


def test_a_file_that_evaluates_code_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"tries to run builtins\.eval and was refused"):
        load_checkpoint(_saved(tmp_path, _content(infos=[Evaluated()])))


def test_an_old_format_file_with_objects_is_refused(tmp_path: Path) -> None:
    old = {"_use_new_zipfile_serialization": False}
    assert load_checkpoint(_saved(tmp_path, _content(), **old)).size == SMALL
    witness = tmp_path / "ran"
    with pytest.raises(CheckpointError, match=r"tries to run (posix|nt)\.system and was refused"):
        load_checkpoint(_saved(tmp_path, _content(infos=Attack(f"touch {witness}")), **old))
    assert not witness.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"state_dict": dict(_state()) | {"masker.extra": Conf(1)}},
        {"model_args": dict(MODEL_ARGS, n_src=Conf(1))},
        {"model_args": dict(MODEL_ARGS, n_src=[Conf])},
    ],
)
def test_refused_objects_in_what_is_read_are_an_error(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError, match=r"its (state_dict|model_args) holds .*Conf, which was refused"):
        load_checkpoint(_saved(tmp_path, _content(**changes)))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such file"):
        load_checkpoint(tmp_path / "none.pth")


OTHERS = {
    "a safetensors file": struct.pack("<q", 77) + b'{"weight": {}}',
    "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(500),
    "a NumPy array": b"\x93NUMPY\x01\x00v\x00{'descr': '<f4'}",
    "a tar archive": b"storages".ljust(257, b"\0") + b"ustar\x0000" + bytes(500),
    "a packed file": b"\x1f\x8b\x08\x00" + bytes(100),
    "a pointer of git-lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 20300000\n",
    "a web page": b"<!DOCTYPE html><html><title>404</title></html>",
    "a plain pickle of a dict": pickle.dumps({"encoder.weight": [1.0]}),
}
"""What other programs write, by its first bytes."""


@pytest.mark.parametrize(("what", "data"), OTHERS.items(), ids=OTHERS)
def test_a_file_of_another_program_is_told_by_what_it_is(tmp_path: Path, what: str, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=f"file: {what}.*, not a torch file; "):
        load_checkpoint(path)


def test_archives_of_other_kinds_are_told_by_what_is_in_them(tmp_path: Path) -> None:
    kinds = {
        "NumPy's archive": ["weight.npy"],
        "TorchScript of torch 1.0 to 1.3": ["m/model.json", "m/tensors/0"],
        "an exported program or a package": ["m/archive_format", "m/models/model.json"],
        "an archive of 2 torch files": ["a/data.pkl", "b/data.pkl"],
    }
    path = tmp_path / "file"
    for what, names in kinds.items():
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, "")
        with pytest.raises(CheckpointError, match=what):
            load_checkpoint(path)


@pytest.mark.parametrize("kept", [0, 10, 0.3, 0.9, 0.999])
def test_truncated_file(tmp_path: Path, kept: float) -> None:
    path = _saved(tmp_path, _content())
    data = path.read_bytes()
    path.write_bytes(data[: int(kept if kept >= 1 else kept * len(data))])
    with pytest.raises(CheckpointError, match="truncated, or not a torch file"):
        load_checkpoint(path)


def test_files_of_other_kinds(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for data in (b"hello there", pickle.dumps([1, 2]), struct.pack("<q", 77) + b"{}"):
        path.write_bytes(data)
        with pytest.raises(CheckpointError, match="not a torch file"):
            load_checkpoint(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(CheckpointError, match=r"no data\.pkl"):
        load_checkpoint(path)
    with pytest.raises(CheckpointError, match="holds a list"):
        load_checkpoint(_saved(tmp_path, [1, 2]))


def test_a_storage_that_is_too_short_is_damage(tmp_path: Path) -> None:
    path = _saved(tmp_path, _content(infos=Conf(1)))
    cut = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(cut, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name)[: 8 if name.endswith("data/0") else None])
    path.write_bytes(cut.getvalue())
    with pytest.raises(CheckpointError, match="damaged torch file"):
        load_checkpoint(path)


def test_another_network_is_named_by_what_is_missing_and_extra(tmp_path: Path) -> None:
    other = torch.nn.Sequential(torch.nn.Linear(2, 2)).state_dict()
    with pytest.raises(CheckpointError, match=r"another network: missing .* and \d+ more; unexpected 0\.weight"):
        load_checkpoint(_saved(tmp_path, other))
    with pytest.raises(CheckpointError, match="is a DPRNNTasNet"):
        load_checkpoint(_saved(tmp_path, _content(model_name="DPRNNTasNet")))
    state = _state()
    del state["masker.TCN.1.shared_block.4.weight"]
    with pytest.raises(CheckpointError, match=r"missing masker\.TCN\.1\.shared_block\.4\.weight"):
        load_checkpoint(_saved(tmp_path, _content(state_dict=state)))


def test_shapes_that_do_not_fit(tmp_path: Path) -> None:
    state = _state()
    state["masker.TCN.2.res_conv.weight"] = torch.ones(5, 9, 1)
    with pytest.raises(CheckpointError, match=r"res_conv\.weight has shape \(5, 9, 1\).*ask for \(6, 9, 1\)"):
        load_checkpoint(_saved(tmp_path, _content(state_dict=state)))
    state = _state()
    state["encoder.filterbank._filters"] = state["encoder.filterbank._filters"].unsqueeze(2)
    with pytest.raises(CheckpointError, match="has rank 4 instead of 3"):
        load_checkpoint(_saved(tmp_path, _content(state_dict=state)))


def test_values_that_are_not_finite(tmp_path: Path) -> None:
    state = _state()
    state["masker.bottleneck.1.bias"][0] = torch.nan
    with pytest.raises(CheckpointError, match=r"masker\.bottleneck\.1\.bias holds values that are not finite"):
        load_checkpoint(_saved(tmp_path, _content(state_dict=state)))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("n_src", 3, "model_args say n_src=3; only 2"),
        ("stride", 2, "model_args say stride=2; only 4"),
        ("causal", True, "its model_args say causal=True, its names are those of one that is not"),
        ("encoder_activation", "relu", "encoder_activation='relu'; only None"),
        ("fb_name", "stft", "fb_name='stft'"),
        ("skip_chan", 0, "without skip connections"),
        ("norm_type", "BN", "its norm is 'BN'"),
        ("mask_act", "softmax", "its mask activation is 'softmax'"),
        ("n_blocks", 3, "4 blocks can't be repeats of 3"),
        ("sample_rate", "8k", "its sample_rate is '8k'"),
    ],
)
def test_options_that_do_not_fit_or_are_not_known(tmp_path: Path, name: str, value: object, message: str) -> None:
    with pytest.raises(CheckpointError, match=message) as error:
        load_checkpoint(_saved(tmp_path, _content(model_args=dict(MODEL_ARGS, **{name: value}))))
    assert "\n" not in str(error.value)


def test_arguments_that_contradict_the_file(tmp_path: Path) -> None:
    path = _saved(tmp_path, _content())
    with pytest.raises(CheckpointError, match="says 2 blocks per repeat, not 4"):
        load_checkpoint(path, blocks_per_repeat=4)
    with pytest.raises(CheckpointError, match="says mask_act='relu', not 'sigmoid'"):
        load_checkpoint(path, mask_activation="sigmoid")


def test_twenty_four_blocks_are_three_repeats_of_eight(tmp_path: Path) -> None:
    size = Size(N=4, L=4, B=2, H=3, Sc=2)
    drawn = seeded_weights(size)
    state = {key: drawn[key] for key in asteroid_shapes(size)}
    assert load_checkpoint(_saved(tmp_path, state)).size == size
