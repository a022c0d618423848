"""Checkpoint files made to harm their reader: one line of our own for each, and no work or memory beyond the bounds.

The files are written operation by operation in `benchmarks/outside`, where all are read in processes of their own.
"""

from __future__ import annotations

import random
import struct
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.outside import hostile_checkpoints
from benchmarks.outside._hostile_archives import ARCHIVES
from benchmarks.outside._hostile_pickles import DICTS, LISTS, PICKLES, TUPLES, _deep
from benchmarks.outside._hostile_tensors import TENSORS
from benchmarks.outside._hostile_writing import (
    SMALLEST,
    archive,
    changed,
    named,
    network,
    number,
    row,
    state,
    tensor,
    text,
)
from tasnet.network.checkpoint import CheckpointError, load_checkpoint
from tasnet.network.weights import asteroid_shapes

KINDS = {**ARCHIVES, **PICKLES, **TENSORS}
SLOW = {
    "bomb in a storage that is stated to fit",
    "bomb in the pickle that is stated small",
    "80000 members",
    "400000 lists deep",
    "400000 lists deep as an argument",
    "3 million operations",
    "900000 dicts",
    "300000 objects",
    "long names many times",
    "one long list as many dicts",
    "one long state as many attributes",
    "300000 tensors of one network",
    "keys of one hash",
}
"""Seconds each, in the benchmark alone."""


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", [name for name in KINDS if name not in SLOW and not name.startswith("bomb")])
def test_each_kind_ends_in_one_printable_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / "model.pt"
    KINDS[name](path)
    with pytest.raises(CheckpointError) as told:
        load_checkpoint(path)
    text = str(told.value)
    assert text.isprintable()
    assert len(text) < 1000
    assert "; " in text


def test_bombs_are_read_in_little_memory(tmp_path: Path) -> None:
    names = ["bomb in a storage", "bomb in a storage that is stated small", "bomb in the pickle"]
    paths = [tmp_path / f"{index}.pt" for index in range(len(names))]
    for name, path in zip(names, paths, strict=True):
        KINDS[name](path)
    for read in hostile_checkpoints.read(paths):
        assert read.ours, read.told
        assert read.peak_bytes < hostile_checkpoints.MAX_BYTES
        assert read.seconds < hostile_checkpoints.MAX_SECONDS


def test_what_the_files_are_made_of_is_a_network(tmp_path: Path) -> None:
    """Else the errors would be about something else than what is wrong with each."""
    path = tmp_path / "model.pt"
    archive(path, state(network()))
    assert load_checkpoint(path).size == SMALLEST
    row(path, state(network()), ["0"])
    assert load_checkpoint(path).size == SMALLEST


@pytest.mark.parametrize("beside", [LISTS, TUPLES, DICTS, _deep(1000), b"}" + TUPLES + b"Ns"])
def test_what_is_never_asked_for_is_no_hindrance(tmp_path: Path, beside: bytes) -> None:
    path = tmp_path / "model.pt"
    archive(path, changed(infos=beside))
    assert load_checkpoint(path).size == SMALLEST


def test_an_expanded_tensor_of_an_honest_size_is_read(tmp_path: Path) -> None:
    content = {
        name: torch.full(shape[:1], 0.5).reshape(-1, *[1] * (len(shape) - 1)).expand(shape)
        for name, shape in asteroid_shapes(SMALLEST).items()
    }
    path = tmp_path / "model.pt"
    torch.save(content, path)
    read = load_checkpoint(path, blocks_per_repeat=1)
    assert all(torch.equal(read.weights[name], tensor) for name, tensor in content.items())


def test_torch_reads_what_is_read_here_and_gives_the_same_values(tmp_path: Path) -> None:
    """torch's own safe loading is the reference for views, offsets and strides, in both formats."""
    base = torch.arange(64, dtype=torch.float64) / 7
    shapes = asteroid_shapes(SMALLEST)
    content = {
        name: torch.as_strided(base, shape, tuple(reversed(range(1, 1 + len(shape)))), index)
        for index, (name, shape) in enumerate(shapes.items())
    }
    path = tmp_path / "model.pt"
    for new in (True, False):
        torch.save(content, path, _use_new_zipfile_serialization=new)
        theirs = torch.load(path, weights_only=True)
        ours = load_checkpoint(path, blocks_per_repeat=1).weights
        assert all(torch.equal(ours[name], theirs[name].float()) for name in shapes)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_archive_that_was_packed_again_is_read(tmp_path: Path, method: int) -> None:
    made, again = tmp_path / "made.pt", tmp_path / "again.pt"
    archive(made, state(network()))
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(again, "w", method) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    assert load_checkpoint(again).size == SMALLEST


OPERATIONS = b"().0]}(tRbsuaeqhXcN\x81\x85\x86\x87\x8b\x93\x94"
"""Those that a checkpoint has."""


@settings(max_examples=150)
@given(st.integers(0, 1 << 30))
def test_a_file_or_its_pickle_changed_anywhere_is_read_or_told(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    path = tmp_path_factory.getbasetemp() / f"mutated{seed}.pt"
    chance = random.Random(seed)
    whole = chance.random() < 0.4
    if whole:
        archive(path, state(network()))
    data = bytearray(path.read_bytes() if whole else state(network()))
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data))
        if chance.random() < 0.4:
            data[at] = chance.choice(OPERATIONS)
        elif chance.random() < 0.5:
            data[at] = chance.randrange(256)
        else:
            data[at:at] = data[chance.randrange(len(data)) :][: chance.randint(1, 40)]
    if whole:
        path.write_bytes(data)
    elif chance.random() < 0.3:
        row(path, bytes(data), ["0"])
    else:
        archive(path, bytes(data))
    with suppress(CheckpointError):
        load_checkpoint(path)
    path.unlink()


def test_a_huge_view_is_refused_before_it_is_made(tmp_path: Path) -> None:
    """Where no size is beyond the largest that is built: the sum of what the tensors look at is bounded too."""
    tensors = {name: tensor(shape) for name, shape in asteroid_shapes(SMALLEST).items()}
    many = {f"extra{index}": tensor((1 << 20, 1 << 20)) for index in range(3)}
    path = tmp_path / "model.pt"
    archive(path, state(tensors | many))
    with pytest.raises(CheckpointError, match="unexpected extra0"):
        load_checkpoint(path, blocks_per_repeat=1)


def test_weights_in_a_storage_of_two_kinds_are_damage(tmp_path: Path) -> None:
    tensors = {name: tensor(shape) for name, shape in asteroid_shapes(SMALLEST).items()}
    tensors["masker.mask_net.1.bias"] = tensor((4,), kind="torch.DoubleStorage")
    path = tmp_path / "model.pt"
    archive(path, state({"state_dict": state(tensors), "model_args": state({"n_blocks": number(1)})}))
    with pytest.raises(CheckpointError, match="4 bytes for the 1 values"):
        load_checkpoint(path)


def test_a_class_is_named_and_not_imported(tmp_path: Path) -> None:
    (tmp_path / "imported.py").write_text("raise SystemExit('it was imported')")
    path = tmp_path / "model.pt"
    archive(path, changed(infos=named("imported.Class") + b")R"))
    read = load_checkpoint(path)
    assert read.refused == ("imported.Class",)
    assert any("imported.Class: none of it was imported" in line for line in read.assumed)


def test_old_files_with_views_of_storages_are_read(tmp_path: Path) -> None:
    """As torch 0.1 to 0.3 wrote them: a storage that is a part of another, from an element on."""
    path = tmp_path / "model.pt"
    part = b"(" + text("part") + number(2) + number(1) + b"t"
    content = network()
    tensors = {name: tensor(shape, count=4) for name, shape in asteroid_shapes(SMALLEST).items()}
    tensors["masker.mask_net.0.weight"] = tensor((1,), count=4, view=part)
    content["state_dict"] = state(tensors)
    row(path, state(content), ["0"], struct.pack("<q4f", 4, 0.5, 1.5, 2.5, 3.5))
    read = load_checkpoint(path)
    assert read.weights["masker.mask_net.0.weight"].tolist() == [2.5]
    assert read.weights["masker.mask_net.1.bias"].tolist() == [0.5] * 4
