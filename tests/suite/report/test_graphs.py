"""A case's graph as the report shows it: read without its weights, noted once, and clear about what is gone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasnet.hailo.files import har
from tasnet.hailo.files.listing import network_json
from tasnet.hailo.translate import translate
from tasnet.network.export import to_onnx, write_onnx
from tasnet.network.variant import Size, Variant
from tasnet.network.weights import seeded_weights
from tasnet.suite.report.graphs import GraphUnavailable, layers_of_har
from tasnet.suite.run.har_graph import stored_graph
from tasnet.suite.run.store import DamagedArtifact, DamageWarning, Store, StoreError


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The HAR of a network of two blocks at its real size."""
    folder = tmp_path_factory.mktemp("har")
    model = to_onnx(Variant(blocks=2), Size(), seeded_weights(Size(), 0), 16000)
    write_onnx(model, folder / "m.onnx")
    har.write(translate(folder / "m.onnx", "net"), folder / "m.har")
    return folder / "m.har"


def test_the_graph_is_read_without_an_array_of_the_store(file: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    name = store.put_har(file)
    sparse = store.get_har_graph(name, tmp_path / "graph.har")
    assert sparse.stat().st_size == file.stat().st_size
    assert sparse.stat().st_blocks * 512 < file.stat().st_size / 4
    assert har.read(sparse, weights=False).layers == har.read(file).layers


def test_the_layers_are_those_that_inspect_lists(file: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    graph = layers_of_har(store, store.put_har(file), tmp_path)
    listed = network_json(har.read(file))["layers"]
    told = [(layer.name, layer.type, layer.macs, layer.weights, layer.row_in, layer.row_out) for layer in graph.layers]
    assert told == [
        tuple(each[key] for key in ("name", "type", "macs", "weights", "row_in", "row_out")) for each in listed
    ]
    details = {layer.name: layer.detail for layer in graph.layers}
    assert details["conv1"] == "kernel 1x16, stride 1x8"
    assert details["dw2"] == "kernel 1x3, dilation 1x2, relu"
    assert details["deconv1"] == "kernel 1x16, stride 1x8, groups 2"


def test_a_graph_that_was_noted_is_shown_after_its_har_has_gone(file: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    name = store.put_har(file)
    known = layers_of_har(store, name, tmp_path)
    (store.root / name).unlink()
    assert layers_of_har(store, name, tmp_path) == known
    for note in (store.root / "notes").iterdir():
        note.write_text('{"layers": 3}')
    with pytest.warns(DamageWarning), pytest.raises(GraphUnavailable, match="not in the store; run the case again"):
        layers_of_har(store, name, tmp_path)


def test_a_har_without_one_of_its_arrays_or_of_garbage_is_gone(file: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    name = store.put_har(file)
    next((store.root / "blobs").iterdir()).unlink()
    with pytest.raises(StoreError, match="is damaged or gone; run the case again"):
        store.get_har_graph(name, tmp_path / "graph.har")
    (tmp_path / "junk").write_bytes(b"no har")
    with pytest.raises(GraphUnavailable):
        layers_of_har(store, store.put_har(tmp_path / "junk"), tmp_path)


@pytest.mark.parametrize("left", [0, 100])
def test_an_array_that_a_power_cut_left_short_is_set_aside_and_the_har_is_made_again(
    file: Path, tmp_path: Path, left: int
) -> None:
    store = Store(tmp_path / "store")
    name = store.put_har(file)
    blob = max((store.root / "blobs").iterdir(), key=lambda each: each.stat().st_size)
    os.truncate(blob, left)
    with pytest.warns(DamageWarning), pytest.raises(DamagedArtifact, match="is damaged or gone; run the case again"):
        stored_graph(store, name, tmp_path)
    assert not blob.exists()
    assert stored_graph(store, store.put_har(file), tmp_path).layers == har.read(file).layers


def test_a_har_without_large_arrays_which_is_kept_in_one_piece_shows_its_graph(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    size = Size(N=4, L=4, B=4, H=4, Sc=4, P=3, X=1, R=1)
    network = translate(to_onnx(Variant(), size, seeded_weights(size, 0), 80), "net")
    har.write(network, tmp_path / "small.har")
    graph = layers_of_har(store, store.put_har(tmp_path / "small.har"), tmp_path)
    assert [layer.name for layer in graph.layers] == [layer.name for layer in network]
