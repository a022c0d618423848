"""The HAR archive: written whole, the same bytes for the same network, and read with its errors named."""

from __future__ import annotations

import contextlib
import io
import json
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasnet.hailo.files import har
from tasnet.hailo.files.har import HarError
from tasnet.hailo.files.hn import HNError, Network, dumps, loads
from tasnet.hailo.translate import translate
from tests.hailo.onnx_models import floats, model, node


@pytest.fixture(scope="module")
def network() -> Network:
    made = model(
        [node("Conv", "x w", "a"), node("Relu", "a", "b"), node("Concat", "b b", axis=1)], w=floats(6, 4, 1, 3)
    )
    return translate(made, "tas")


def pack(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def test_a_har_reads_back_as_the_network_it_was(tmp_path: Path, network: Network) -> None:
    har.write(network, tmp_path / "n.har")
    again = har.read(tmp_path / "n.har")
    assert dumps(again) == dumps(network)
    assert again.output_layers == network.output_layers
    assert again.weights.keys() == network.weights.keys()
    for key, array in network.weights.items():
        np.testing.assert_array_equal(again.weights[key], array)


def test_members_and_metadata_are_a_parsed_models(tmp_path: Path, network: Network) -> None:
    har.write(network, tmp_path / "other-name.har")
    with tarfile.open(tmp_path / "other-name.har", "r:") as archive:  # uncompressed
        names = archive.getnames()
        assert names == ["tas.hn", "tas.npz", "tas.metadata.json", "tas.original_model_meta.json"]
        metadata = json.load(archive.extractfile("tas.metadata.json"))  # type: ignore[arg-type]
        arrays = np.load(io.BytesIO(archive.extractfile("tas.npz").read()))  # type: ignore[union-attr]
    assert (metadata["state"], metadata["hn"]) == ("hailo_model", "tas.hn")
    assert "not the Dataflow Compiler" in metadata["producer"]
    assert set(arrays.files) >= {"tas/conv1/kernel:0", "tas/conv1/bias:0"}
    assert arrays["tas/conv1/kernel:0"].shape == (1, 3, 4, 6)


def test_the_same_network_is_the_same_bytes(tmp_path: Path, network: Network) -> None:
    har.write(network, tmp_path / "a.har")
    har.write(network, tmp_path / "b.har")
    assert (tmp_path / "a.har").read_bytes() == (tmp_path / "b.har").read_bytes()


def test_the_arrays_are_as_zipfile_writes_them(tmp_path: Path, network: Network) -> None:
    expected = io.BytesIO()
    with zipfile.ZipFile(expected, "w") as archive:
        for key in sorted(network.weights):
            entry = io.BytesIO()
            np.lib.format.write_array(entry, network.weights[key])
            archive.writestr(zipfile.ZipInfo(f"{key}.npy", (1980, 1, 1, 0, 0, 0)), entry.getvalue())
    har.write(network, tmp_path / "a.har")
    with tarfile.open(tmp_path / "a.har") as archive:
        member = archive.extractfile(f"{network.name}.npz")
        assert member is not None
        assert member.read() == expected.getvalue()


def test_the_hn_has_the_vendors_keys(network: Network) -> None:
    data = json.loads(dumps(network))
    assert list(data) == ["name", "net_params", "layers"]
    assert data["net_params"]["output_layers_order"] == ["tas/concat1"]
    conv = data["layers"]["tas/conv1"]
    assert conv["quantization_params"] == {
        "quantization_groups": 1,
        "precision_mode": "a8_w8_a8",
        "bias_mode": "single_scale_decomposition",
    }
    assert "params" not in data["layers"]["tas/shortcut1"]
    assert "original_names" not in data["layers"]["tas/shortcut1"]
    assert data["layers"]["tas/input_layer1"]["engine"] == "nn_core"
    assert conv["output_shapes"] == [[-1, 1, 30, 6], [-1, 1, 30, 6]]


def test_a_failed_write_leaves_nothing(tmp_path: Path, network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tarfile.TarInfo, "tobuf", full)
    with pytest.raises(OSError, match="No space"):
        har.write(network, tmp_path / "n.har")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"a.npz": b""}, r"no \.hn"),
        ({"../a.hn": b"{}"}, "points outside"),
        ({"/a.hn": b"{}"}, "points outside"),
        ({"a.hn": b"{}", "b.hn": b"{}"}, "2 graphs"),
        ({"a.hn": b"{}", "a.metadata.json": b"[1"}, "not a JSON object"),
    ],
)
def test_broken_archives_are_named(tmp_path: Path, members: dict[str, bytes], says: str) -> None:
    with pytest.raises(HarError, match=says):
        har.read(pack(tmp_path / "x.har", members))


@pytest.mark.parametrize("text", [b"{", b"[]", b"{}", b'{"name": "a", "layers": {"a/conv1": {}}}'])
def test_a_broken_graph_is_named(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(HNError, match=r"x\.har: a\.hn: "):
        har.read(pack(tmp_path / "x.har", {"a.hn": text}))


def test_broken_weights_are_named(tmp_path: Path, network: Network) -> None:
    path = pack(tmp_path / "x.har", {"tas.hn": dumps(network).encode(), "tas.npz": b"PK\3\4rubbish"})
    assert dumps(har.read(path, weights=False)) == dumps(network)
    with pytest.raises(HarError, match=r"tas\.npz: weights can't be read"):
        har.read(path)


def test_a_file_that_is_no_tar_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "x.har").write_text('{"log": {"version": "1.2"}}')
    with pytest.raises(HarError, match="not a HAR"):
        har.read(tmp_path / "x.har")
    assert not har.is_har(tmp_path / "x.har")


@settings(max_examples=150)
@given(data=st.data())
def test_mutated_archives_raise_their_own_errors_alone(
    data: st.DataObject, network: Network, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp()
    har.write(network, folder / "whole.har")
    raw = bytearray((folder / "whole.har").read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    (folder / "mutated.har").write_bytes(raw[: data.draw(st.integers(0, len(raw)))])
    with contextlib.suppress(HarError, HNError):
        har.read(folder / "mutated.har")


@settings(max_examples=150)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["name", "layers", "type", "input", "output", "output_shapes", "params", "net_params", "a"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_is_a_graph_or_an_error_of_ours(value: object) -> None:
    with contextlib.suppress(HNError):
        loads(json.dumps(value))
