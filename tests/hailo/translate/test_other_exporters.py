"""One network through other exporters, opsets and file forms gives one HN graph."""

from __future__ import annotations

import gc
import io
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import psutil
import pytest
import torch
from torch import nn

from tasnet.hailo.files.hn import Network
from tasnet.hailo.translate import translate
from tasnet.hailo.translate.errors import ModelError
from tasnet.network.export import to_onnx
from tasnet.network.variant import Size, Variant
from tasnet.network.weights import seeded_weights

SMALL = Size(N=16, L=8, B=8, H=16, Sc=8, P=3, X=2, R=1)


def form(network: Network) -> list[tuple[Any, ...]]:
    """All of a graph but the ONNX names, which every exporter chooses for itself."""
    return [
        (la.name, la.type, la.inputs, la.outputs, la.output_shapes, str(sorted(la.params.items()))) for la in network
    ]


class Separator(nn.Module):
    """A gLN network as a user would write it, without any of tasnet's code."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Conv2d(1, 16, (1, 8), stride=(1, 4), bias=False)
        self.gamma = nn.Parameter(torch.linspace(0.5, 1.5, 16).view(1, 16, 1, 1))
        self.beta = nn.Parameter(torch.linspace(-0.5, 0.5, 16).view(1, 16, 1, 1))
        self.bottleneck = nn.Conv2d(16, 8, 1)
        self.depthwise = nn.Conv2d(8, 8, (1, 3), padding=(0, 2), dilation=(1, 2), groups=8)
        self.head = nn.Conv2d(8, 32, 1)
        self.decoder = nn.ConvTranspose2d(32, 2, (1, 8), stride=(1, 4), groups=2, bias=False)

    def forward(self, mix: torch.Tensor) -> torch.Tensor:
        encoded = self.encoder(mix)
        mean = encoded.mean(3, keepdim=True).mean(1, keepdim=True)
        centred = encoded - mean
        variance = centred.pow(2).mean(3, keepdim=True).mean(1, keepdim=True)
        x = centred / torch.sqrt(variance + 1e-8) * self.gamma + self.beta
        x = torch.relu(self.depthwise(self.bottleneck(x)))
        mask = torch.relu(self.head(x))
        return self.decoder(mask * torch.cat([encoded, encoded], 1)).squeeze(2)


def separator() -> Separator:
    torch.manual_seed(0)
    return Separator().eval()


@cache
def exported(opset: int) -> bytes:
    buffer = io.BytesIO()
    torch.onnx.export(separator(), (torch.zeros(1, 1, 1, 64),), buffer, dynamo=False, opset_version=opset)
    return buffer.getvalue()


def legacy(opset: int) -> onnx.ModelProto:
    return onnx.load_from_string(exported(opset))


def test_the_dynamo_exporter_at_opset_18_gives_the_legacy_exporters_graph() -> None:
    made = torch.onnx.export(separator(), (torch.zeros(1, 1, 1, 64),), dynamo=True, opset_version=18, verbose=False)
    assert made is not None
    assert made.model_proto.opset_import[0].version == 18
    assert form(translate(made.model_proto, "net")) == form(translate(legacy(13), "net"))


@pytest.mark.parametrize("opset", [11, 12, 14, 15, 16, 17, 18])
def test_every_opset_gives_the_same_graph(opset: int) -> None:
    assert form(translate(legacy(opset), "net")) == form(translate(legacy(13), "net"))


@pytest.mark.parametrize(
    "axes", [{}, {"activation": "prelu", "norm": "gln_pool"}, {"activation": "prelu_maxmin", "norm": "cln"}]
)
@pytest.mark.parametrize("opset", [11, 17])
def test_tasnets_own_export_gives_one_graph_at_every_opset(axes: dict[str, Any], opset: int) -> None:
    def at(number: int) -> Network:
        return translate(to_onnx(Variant(**axes), SMALL, seeded_weights(SMALL, 0), 256, opset=number), "net")

    assert form(at(opset)) == form(at(13))


def test_onnx_runtimes_own_rewriting_of_the_file_is_read(tmp_path: Path) -> None:
    ort = pytest.importorskip("onnxruntime")
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    ort.InferenceSession(legacy(13).SerializeToString(), options, providers=["CPUExecutionProvider"])
    network = translate(tmp_path / "optimized.onnx", "net")
    assert network.layer("deconv1").output_shape == (-1, 1, 15 * 4, 2)


def test_weights_outside_the_file_are_found_beside_it(tmp_path: Path) -> None:
    made = legacy(13)
    inside = translate(made, "net")
    onnx.save(made, tmp_path / "m.onnx", save_as_external_data=True, location="m.bin", size_threshold=64)
    outside = translate(tmp_path / "m.onnx", "net")
    for key, array in inside.weights.items():
        np.testing.assert_array_equal(outside.weights[key], array)


def test_no_file_of_the_weights_stays_open(tmp_path: Path) -> None:
    onnx.save(legacy(13), tmp_path / "m.onnx", save_as_external_data=True, location="m.bin", size_threshold=64)
    translate(tmp_path / "m.onnx", "net")  # imports what it needs
    before = psutil.Process().num_fds()
    gc.disable()  # nothing may be left to the collector
    try:
        translate(tmp_path / "m.onnx", "net")
        assert psutil.Process().num_fds() == before
    finally:
        gc.enable()


def test_missing_or_cut_external_data_is_said_with_its_name(tmp_path: Path) -> None:
    onnx.save(legacy(13), tmp_path / "m.onnx", save_as_external_data=True, location="m.bin", size_threshold=64)
    whole = (tmp_path / "m.bin").read_bytes()
    (tmp_path / "m.bin").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=r"m\.bin, which is cut short"):
        translate(tmp_path / "m.onnx", "net")
    (tmp_path / "m.bin").unlink()
    with pytest.raises(ModelError, match=r"m\.bin, which is not beside the model"):
        translate(tmp_path / "m.onnx", "net")


@pytest.mark.parametrize("keep", [0, 1, 40, 0.3, 0.9])
def test_a_cut_file_is_said_to_be_cut(tmp_path: Path, keep: float) -> None:
    data = legacy(13).SerializeToString()
    path = tmp_path / "cut.onnx"
    path.write_bytes(data[: int(keep if keep >= 1 else keep * len(data))])
    with pytest.raises(ModelError, match=r"cut\.onnx: .*export"):
        translate(path, "net")
