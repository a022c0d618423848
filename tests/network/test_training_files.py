"""Files that training code and torch itself write around a Conv-TasNet: whatever is around it, its function stays.

The right value is the output of the library's own module, whose file is read.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.utils.prune
from torch import nn
from torch.nn import functional as F

from tasnet.network.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from tasnet.network.variant import Variant
from tests.network.oracles import asteroid_convtasnet, peak_error, torchaudio_convtasnet
from tests.network.sizes import FAITHFUL, SMALL, separate, wave

SIZES = {
    "n_blocks": 2,
    "n_repeats": 2,
    "bn_chan": 6,
    "hid_chan": 9,
    "skip_chan": 6,
    "kernel_size": 8,
    "n_filters": 10,
    "stride": 4,
}
RECIPE = {
    "filterbank": {"kernel_size": 8, "n_filters": 10, "stride": 4},
    "masknet": {
        "bn_chan": 6,
        "hid_chan": 9,
        "skip_chan": 6,
        "n_blocks": 2,
        "n_repeats": 2,
        "mask_act": "sigmoid",
        "n_src": 2,
    },
    "optim": {"lr": 0.001, "weight_decay": 0.0},
}
"""the sections of a recipe of Asteroid's, as its training writes them into Lightning's checkpoint"""


def asteroid(activation: str = "sigmoid", **changes: Any) -> nn.Module:
    """Asteroid's own module, small, with weights of its own."""
    torch.manual_seed(4)
    made: nn.Module = asteroid_convtasnet()(n_src=2, mask_act=activation, **{**SIZES, **changes}).eval()
    return made


def torchaudio(activation: str = "sigmoid") -> nn.Module:
    """torchaudio's own module, small."""
    torch.manual_seed(4)
    made: nn.Module = torchaudio_convtasnet()(2, 8, 10, 3, 6, 9, 2, 2, msk_activate=activation).eval()
    return made


def same_function(read: Checkpoint, model: nn.Module, padded: int = 0, variant: Variant = FAITHFUL) -> bool:
    """Whether the network that was read gives what the library's module gives."""
    mix = wave(96)
    found = separate(
        variant, read.size, F.pad(mix, (padded, padded)), weights=read.weights, mask_activation=read.mask_activation
    )
    with torch.no_grad():
        expected = model(mix.unsqueeze(1))
    return peak_error(found[..., padded : found.shape[-1] - padded], expected) < 2e-6


def saved(folder: Path, content: object, **options: Any) -> Path:
    """The file that torch.save makes of it."""
    path = folder / "model.ckpt"
    torch.save(content, path, **options)
    return path


def flattened(recipe: dict[str, dict[str, object]]) -> dict[str, object]:
    return {f"{section}_{name}": value for section, inner in recipe.items() for name, value in inner.items()}


def prefixed(state: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {f"{prefix}{key}": tensor for key, tensor in state.items()}


@pytest.mark.parametrize("hyper", [RECIPE, flattened(RECIPE), Namespace(**RECIPE)], ids=["nested", "flat", "namespace"])
def test_lightnings_checkpoint_of_asteroids_training(tmp_path: Path, hyper: object) -> None:
    model = asteroid()
    optimizer = torch.optim.Adam(model.parameters())
    content = {
        "epoch": 3,
        "global_step": 800,
        "pytorch-lightning_version": "1.9.5",
        "state_dict": prefixed(model.state_dict(), "model.") | {"loss_func.weight": torch.ones(3)},
        "callbacks": {("stops", 3): {"best_score": torch.tensor(0.25)}},
        "optimizer_states": [optimizer.state_dict()],
        "hyper_parameters": hyper,
    }
    read = load_checkpoint(saved(tmp_path, content))
    assert same_function(read, model)
    assert (read.size, read.mask_activation) == (SMALL, "sigmoid")
    assert not any("activation" in line or "blocks" in line for line in read.assumed)


def wrappers() -> Iterator[tuple[str, Any]]:
    """What training code writes, by a name of it: a function from the module to the content of the file."""
    yield "model", lambda model: {"model": model.state_dict(), "optimizer": {"lr": 1}, "best": torch.tensor(1.0)}
    yield "model_state_dict", lambda model: {"model_state_dict": model.state_dict(), "epoch": 5}
    yield "net in a list", lambda model: [{"net": model.state_dict()}, {"loss": 0.1}]
    yield "tuple", lambda model: (model.state_dict(), {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": []})
    yield "key of a library", lambda model: {"generator": {"separator": model.state_dict()}, "step": 3}
    yield "data parallel", lambda model: nn.DataParallel(model).state_dict()
    yield "compiled", lambda model: prefixed(model.state_dict(), "_orig_mod.")
    yield "parallel in lightning", lambda model: {"state_dict": prefixed(model.state_dict(), "model.module.")}
    yield "swa", lambda model: torch.optim.swa_utils.AveragedModel(model).state_dict()
    yield "parallel module", nn.DataParallel
    yield "module", lambda model: model
    yield "module in a dict", lambda model: {"model": model, "epoch": 1}
    yield "module twice", lambda model: {"model": model, "state_dict": model.state_dict()}


@pytest.mark.parametrize("old", [False, True], ids=["zip", "old format"])
@pytest.mark.parametrize("wrapper", [each for _, each in wrappers()], ids=[name for name, _ in wrappers()])
def test_wrappers_of_training_code(tmp_path: Path, wrapper: Any, old: bool) -> None:
    model = asteroid()
    path = saved(tmp_path, wrapper(model), _use_new_zipfile_serialization=not old)
    assert same_function(load_checkpoint(path, blocks_per_repeat=2, mask_activation="sigmoid"), model)


def test_an_averaged_copy_is_told_and_not_taken(tmp_path: Path) -> None:
    model, average = asteroid(), asteroid()
    with torch.no_grad():
        for tensor in average.state_dict().values():
            tensor.mul_(0.5)
    for content in (
        {"model": model.state_dict(), "model_ema": average.state_dict()},
        {"state_dict": prefixed(model.state_dict(), "model.") | prefixed(average.state_dict(), "ema_model.module.")},
        {"ema": {"shadow": average.state_dict()}, "net": model.state_dict()},
    ):
        read = load_checkpoint(saved(tmp_path, content), blocks_per_repeat=2, mask_activation="sigmoid")
        assert same_function(read, model)
        assert any("averaged copy" in line and "was not read" in line for line in read.assumed)


def test_two_networks_of_like_names_are_a_choice_that_is_not_made_here(tmp_path: Path) -> None:
    other = {key: tensor + 1 for key, tensor in asteroid().state_dict().items()}
    path = saved(tmp_path, {"best": asteroid().state_dict(), "last": other})
    with pytest.raises(CheckpointError, match="holds 2 networks: best, last; save the one that is meant alone"):
        load_checkpoint(path)


@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
def test_a_pickled_module_says_all_that_a_state_dict_does_not(tmp_path: Path, activation: str) -> None:
    model = asteroid(activation)
    read = load_checkpoint(saved(tmp_path, model))
    assert same_function(read, model)
    assert (read.size, read.mask_activation, read.norm) == (SMALL, activation, "gln")
    assert [line for line in read.assumed if "assumed" in line] == []


def test_torchaudios_pickled_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = torchaudio()
    monkeypatch.setitem(sys.modules, type(model).__module__, _module_of(model))
    read = load_checkpoint(saved(tmp_path, model))
    assert same_function(read, model, padded=4)
    assert (read.size, read.mask_activation, read.source) == (SMALL, "sigmoid", "torchaudio")


def _module_of(model: nn.Module) -> Any:
    """A module to import the oracle's classes from, which torch.save asks for."""
    found = type(sys)(type(model).__module__)
    for each in model.modules():
        if type(each).__module__ == found.__name__:
            setattr(found, type(each).__name__, type(each))
    return found


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
def test_torchscript_is_read_where_it_holds_a_convtasnet(tmp_path: Path, activation: str) -> None:
    model = torchaudio(activation)
    path = tmp_path / "scripted.pt"
    torch.jit.script(model).save(str(path))
    read = load_checkpoint(path, blocks_per_repeat=2)
    assert same_function(read, model, padded=4)
    assert read.mask_activation == activation
    traced = asteroid(activation)
    torch.jit.trace(traced, wave(96).unsqueeze(1), check_trace=False).save(str(path))
    read = load_checkpoint(path, blocks_per_repeat=2)
    assert same_function(read, traced)
    assert read.mask_activation == activation


@pytest.mark.parametrize("kernel", [3, 2, 4])
@pytest.mark.parametrize("norm", ["cgLN", "cLN"])
def test_a_causal_network_is_read_as_the_function_that_it_is(tmp_path: Path, norm: str, kernel: int) -> None:
    model: Any = asteroid(causal=True, norm_type=norm, conv_kernel_size=kernel)
    state, said = model.state_dict(), {**RECIPE, "causal": True, "norm_type": norm}
    for content in (
        model,
        {"model_name": "ConvTasNet", "model_args": model.get_model_args(), "state_dict": state, "infos": {}},
        {"state_dict": prefixed(dict(state), "model."), "hyper_parameters": said},
    ):
        read = load_checkpoint(saved(tmp_path, content), blocks_per_repeat=2, mask_activation="sigmoid")
        assert (read.causal, read.norm, read.size.P) == (True, norm.lower(), kernel)
        for form in ("pad", "taps"):
            assert same_function(read, model, variant=replace(FAITHFUL, norm=read.norm, causal=form))
    assert not [line for line in read.assumed if "norm" in line]


@pytest.mark.parametrize("said", [None, "gLN"])
def test_the_norm_that_asteroid_takes_for_a_causal_network_is_assumed_and_told(
    tmp_path: Path, said: str | None
) -> None:
    # What these arguments make there is no network of gLN.
    with pytest.warns(UserWarning, match="Changing"):
        model = asteroid(causal=True, **({"norm_type": said} if said else {}))
    content = {"state_dict": model.state_dict(), "hyper_parameters": {**RECIPE, "causal": True, "norm_type": said}}
    read = load_checkpoint(saved(tmp_path, content))
    assert read.norm == "cln"
    assert same_function(read, model, variant=replace(FAITHFUL, norm="cln", causal="pad"))
    assert any("cLN is assumed (not cgLN)" in line for line in read.assumed)
    assert not any("gLN is assumed" in line for line in read.assumed if "cLN is assumed" not in line)


def test_names_and_arguments_that_differ_on_causal_are_refused(tmp_path: Path) -> None:
    model = asteroid(causal=True, norm_type="cLN")
    content = {"state_dict": model.state_dict(), "hyper_parameters": {**RECIPE, "causal": False}}
    with pytest.raises(CheckpointError, match="say causal=False, its names are those of a causal network"):
        load_checkpoint(saved(tmp_path, content))
    mixed = {
        key.replace("TCN.1.shared_block.3.0.", "TCN.1.shared_block.3."): value
        for key, value in model.state_dict().items()
    }
    with pytest.raises(CheckpointError, match=r"unexpected masker.TCN.0.shared_block.3.0.weight"):
        load_checkpoint(saved(tmp_path, mixed), blocks_per_repeat=2)
    even = {
        key.replace("3.0.", "3."): value
        for key, value in asteroid(causal=True, norm_type="cLN", conv_kernel_size=2).state_dict().items()
    }
    with pytest.raises(CheckpointError, match="'same' padding needs an odd kernel; a causal network has any"):
        load_checkpoint(saved(tmp_path, even), blocks_per_repeat=2)


@pytest.mark.parametrize("norm", ["gLN", "cLN", "cgLN"])
def test_a_pickled_module_says_its_norm(tmp_path: Path, norm: str) -> None:
    assert load_checkpoint(saved(tmp_path, asteroid(norm_type=norm))).norm == norm.lower()


def test_an_encoder_with_an_activation_is_another_function(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="encoder_activation='relu'"):
        load_checkpoint(saved(tmp_path, asteroid(encoder_activation="relu")))


def test_what_a_bare_state_dict_does_not_say_is_told_with_what_was_assumed(tmp_path: Path) -> None:
    lines = load_checkpoint(saved(tmp_path, asteroid(n_blocks=8, n_repeats=1).state_dict())).assumed
    assert any("activation: relu is assumed" in line and "--mask-activation" in line for line in lines)
    assert any("8 of its 8 are assumed" in line and "--blocks-per-repeat" in line for line in lines)
    assert any("gLN is assumed" in line for line in lines)
    named = load_checkpoint(tmp_path / "model.ckpt", mask_activation="sigmoid", blocks_per_repeat=8).assumed
    assert not any("activation" in line or "blocks" in line for line in named)
    torchaudios = load_checkpoint(saved(tmp_path, torchaudio().state_dict()), blocks_per_repeat=2).assumed
    assert any("4 zeros at both ends" in line for line in torchaudios)


def test_files_of_the_right_library_that_hold_something_else_are_told_with_what_to_do(tmp_path: Path) -> None:
    pruned, normed = asteroid(), asteroid()
    nn.utils.prune.random_unstructured(pruned.masker.mask_net[1], "weight", amount=0.3)
    nn.utils.parametrizations.weight_norm(normed.masker.mask_net[1])
    state = asteroid().state_dict()
    for content, told in (
        (pruned.state_dict(), "the weight of masker.mask_net.1 is kept as pruning or a weight norm keeps it"),
        (normed.state_dict(), "the weight of masker.mask_net.1 is kept as pruning or a weight norm keeps it"),
        (torch.optim.Adam(pruned.parameters()).state_dict(), "holds a dict, and no network in it"),
        ({key: tensor.numpy() for key, tensor in state.items()}, "holds NumPy arrays, and no tensors"),
        (list(state.values()), "holds a list, and no network in it"),
        (state["masker.TCN.0.res_conv.bias"], "holds a tensor, and no network in it"),
        (nn.Linear(2, 2), "another network: missing encoder.filterbank._filters, "),
    ):
        with pytest.raises(CheckpointError, match=told):
            load_checkpoint(saved(tmp_path, content), blocks_per_repeat=2)


def test_what_torch_itself_exports_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "model.pt2"
    torch.export.save(torch.export.export(nn.Linear(3, 3), (torch.zeros(1, 3),)), path)
    with pytest.raises(CheckpointError, match="an exported program or a package, not a state dict"):
        load_checkpoint(path)
