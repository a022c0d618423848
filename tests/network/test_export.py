"""The exported graphs: what they compute, what is in them, and that they are the same every time."""

import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from itertools import product
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tasnet.network.convtasnet import build_network, input_shape, output_names, output_shapes
from tasnet.network.export import OPSETS, to_onnx, write_onnx, write_shared_onnx
from tasnet.network.host_side import to_host_input
from tasnet.network.variant import AXES, Size, Variant, VariantError
from tasnet.network.weights import asteroid_shapes, seeded_weights
from tests.network.sizes import FAITHFUL, SMALL, wave
from tests.runtime_session import session

WEIGHTS = seeded_weights(SMALL, 1)
LENGTH = 203


TWO_BLOCKS = replace(SMALL, R=1)


def _bytes(variant: Variant, length: int = 40) -> bytes:
    return to_onnx(variant, TWO_BLOCKS, WEIGHTS, length).SerializeToString(deterministic=True)


def _operators(model: onnx.ModelProto) -> Counter[str]:
    return Counter(node.op_type for node in model.graph.node)


def _check_against_torch(variant: Variant, size: Size, length: int, opset: int = 13) -> onnx.ModelProto:
    weights = seeded_weights(size, 1)
    model = to_onnx(variant, size, weights, length, opset=opset)
    mix = to_host_input(variant, size, wave(length))
    expected = build_network(variant, size, weights)(mix)
    found = session(model).run(None, {"mix": np.ascontiguousarray(mix.numpy())})
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.shape == theirs.shape
        assert np.abs(ours - theirs.numpy()).max() < 3e-6 * max(1.0, float(theirs.abs().max()))
    return model


ONE_AXIS = [
    Variant(**{**base.__dict__, axis: value})
    for base in (Variant(), FAITHFUL)
    for axis, values in AXES.items()
    if axis != "blocks"
    for value in values
]


@pytest.mark.parametrize("variant", list(dict.fromkeys(ONE_AXIS)), ids=str)
def test_onnx_runtime_computes_what_torch_does(variant: Variant) -> None:
    model = _check_against_torch(variant, TWO_BLOCKS, LENGTH)
    shapes = [
        tuple(dim.dim_value for dim in info.type.tensor_type.shape.dim)
        for info in (*model.graph.input, *model.graph.output)
    ]
    assert shapes == [input_shape(variant, TWO_BLOCKS, LENGTH), *output_shapes(variant, TWO_BLOCKS, LENGTH)]
    assert [info.name for info in model.graph.input] == ["mix"]
    assert [info.name for info in model.graph.output] == list(output_names(variant, TWO_BLOCKS))


@st.composite
def variants(draw: st.DrawFn) -> Variant:
    values = {axis: draw(st.sampled_from(options)) for axis, options in AXES.items() if axis != "blocks"}
    return Variant(**values, blocks=draw(st.sampled_from((0, 1, 2))))


@given(variants(), st.integers(1, 3), st.integers(8, 120), st.sampled_from(OPSETS))
@settings(max_examples=15)
def test_any_variant_runs_at_any_length_and_opset(variant: Variant, n_src: int, length: int, opset: int) -> None:
    _check_against_torch(variant, replace(TWO_BLOCKS, n_src=n_src), length, opset)


@given(variants())
@settings(max_examples=15)
def test_equal_normal_forms_are_equal_graphs(variant: Variant) -> None:
    assert _bytes(variant) == _bytes(variant.canonical(TWO_BLOCKS))


@given(st.lists(variants(), min_size=2, max_size=5))
@settings(max_examples=6)
def test_distinct_normal_forms_are_distinct_graphs(chosen: list[Variant]) -> None:
    forms = {variant.canonical(TWO_BLOCKS) for variant in chosen}
    assert len({_bytes(form) for form in forms}) == len(forms)


def _matrix(blocks: tuple[int, ...]) -> list[Variant]:
    decoders = ("grouped", "ungrouped_blockdiag", "reduced_deconv_128", "reduced_deconv_64", "conv1x1_head")
    axes = (("concat", "repeat", "project"), ("normal", "bypass"), ("all", "first"), ("on", "off"), decoders, blocks)
    return [Variant(e, m, s, k, d, blocks=b) for e, m, s, k, d, b in product(*axes)]


def test_the_840_cases_of_the_matrix_are_285_forms() -> None:
    cases = _matrix((0, 1, 2, 4, 8, 12, 16))
    assert len(cases) == 840
    assert len({case.canonical(Size()) for case in cases}) == 285


def test_the_forms_of_a_small_matrix_are_as_many_graphs() -> None:
    """All topologies and decoders: every form is a graph of its own."""
    size = replace(SMALL, R=1)
    weights = seeded_weights(size, 1)
    forms = {case.canonical(size) for case in _matrix((0,))}
    graphs = {to_onnx(form, size, weights, 40).SerializeToString(deterministic=True) for form in forms}
    assert len(graphs) == len(forms) == 57


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("norm", ["gln_pool", "cgln"])
def test_opset_ir_version_and_plain_nodes(opset: int, norm: str) -> None:
    variant = replace(FAITHFUL, norm=norm, expansion="repeat")
    model = to_onnx(variant, TWO_BLOCKS, WEIGHTS, LENGTH, opset=opset)
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", opset)]
    assert model.ir_version <= 8
    onnx.checker.check_model(model, full_check=True)
    left_over = {"Identity", "Constant", "Shape", "Gather", "Cast", "Expand", "Unsqueeze", "ConstantOfShape"}
    assert not left_over & set(_operators(model))
    known = {info.name for info in (*model.graph.value_info, *model.graph.output)}
    assert known == {name for node in model.graph.node for name in node.output}
    read = {name for node in model.graph.node for name in node.input}
    assert {tensor.name for tensor in model.graph.initializer} == read - known - {"mix"}


@pytest.mark.parametrize("opset", [10, 18, 0])
def test_an_opset_out_of_range_is_an_error(opset: int) -> None:
    with pytest.raises(VariantError, match=f"opset {opset}: one of 11 to 17"):
        to_onnx(Variant(), SMALL, WEIGHTS, LENGTH, opset=opset)


def test_the_nodes_of_each_norm() -> None:
    def between(norm: str) -> list[str]:
        graph = to_onnx(Variant(norm=norm, blocks=1), TWO_BLOCKS, WEIGHTS, LENGTH).graph
        return [node.op_type for node in graph.node if node.name.startswith("/masker/norm/")]

    scale = ["Add", "Sqrt", "Div", "Mul", "Add"]
    two_means, pooled = ["ReduceMean"] * 2, ["GlobalAveragePool", "Conv"]
    assert between("gln") == [*two_means, "Sub", "Pow", *two_means, *scale]
    assert between("gln_pool") == [*pooled, "Sub", "Pow", *pooled, *scale]
    assert between("cln") == between("channel") == ["ReduceMean", "Sub", "Pow", "ReduceMean", *scale]
    assert between("affine") == ["Mul", "Add"]
    assert between("identity") == []
    assert between("cgln").count("CumSum") == 2


@pytest.mark.parametrize(("layout", "time"), [("horizontal", 3), ("vertical", 2)])
def test_gln_takes_its_mean_over_time_first_and_one_axis_at_a_time(layout: str, time: int) -> None:
    graph = to_onnx(Variant(norm="gln", layout=layout, blocks=1), SMALL, WEIGHTS, LENGTH).graph
    axes = [
        list(attribute.ints)
        for node in graph.node
        if node.op_type == "ReduceMean"
        for attribute in node.attribute
        if attribute.name == "axes"
    ]
    assert axes == [[time], [1]] * (len(axes) // 2)


def test_the_max_min_form_has_its_constant_first() -> None:
    graph = to_onnx(Variant(activation="prelu_maxmin", blocks=1), SMALL, WEIGHTS, LENGTH).graph
    tensors = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    pairs = [node for node in graph.node if node.op_type in ("Max", "Min")]
    assert len(pairs) == 6
    assert all(len(tensors[node.input[0]]) == 4 and tensors[node.input[0]][1] > 1 for node in pairs)
    assert not any(node.input[1] in tensors for node in pairs)


def test_every_prelu_is_there_with_one_slope() -> None:
    graph = to_onnx(FAITHFUL, SMALL, WEIGHTS, LENGTH).graph
    tensors = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    slopes = [tensors[node.input[1]] for node in graph.node if node.op_type == "PRelu"]
    assert [slope.shape for slope in slopes] == [(1, 1, 1)] * (2 * SMALL.total_blocks + 1)
    assert len({float(slope.item()) for slope in slopes}) == len(slopes)


@pytest.mark.parametrize("seed", [1, 5])
def test_a_leaky_relu_has_the_slope_of_its_own_layer_and_is_prelu_to_the_bit(seed: int) -> None:
    """Graphs of two weights share their nodes, and the slope is a number in a node."""
    weights = seeded_weights(SMALL, seed)
    leaky, plain = (
        to_onnx(replace(FAITHFUL, activation=each), SMALL, weights, LENGTH) for each in ("leaky_relu", "prelu")
    )
    alphas = [node.attribute[0].f for node in leaky.graph.node if node.op_type == "LeakyRelu"]
    tensors = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in plain.graph.initializer}
    slopes = [float(tensors[node.input[1]].item()) for node in plain.graph.node if node.op_type == "PRelu"]
    assert alphas == slopes
    assert len(set(alphas)) == 2 * SMALL.total_blocks + 1
    assert not any(
        "_act.weight" in tensor.name or tensor.name == "masker.act.weight" for tensor in leaky.graph.initializer
    )
    mix = {"mix": wave(LENGTH).numpy().reshape(1, 1, 1, LENGTH)}
    made = [session(each).run(None, mix)[0] for each in (leaky, plain)]
    assert np.array_equal(*made)


def test_convolutions_are_in_the_order_of_the_known_layer_numbers() -> None:
    """conv1 encoder, conv2 bottleneck, in 3+3b, res 4+3b, skip 5+3b, the last block without res, mask head."""
    names = [n.name for n in to_onnx(Variant(), SMALL, WEIGHTS, LENGTH).graph.node if n.op_type == "Conv"]
    names = [name.removesuffix("/Conv") for name in names if "dw_conv" not in name]
    blocks = [f"/masker/block{b}/{part}" for b in range(4) for part in ("in_conv", "res_conv", "skip_conv")]
    blocks.remove("/masker/block3/res_conv")
    assert names == ["/encoder", "/masker/bottleneck", *blocks, "/masker/mask_head"]


def test_dead_nodes_are_not_in_the_graph() -> None:
    bypass = to_onnx(Variant(mask="bypass"), SMALL, WEIGHTS, LENGTH)
    assert [node.op_type for node in bypass.graph.node] == ["Conv", "Concat", "ConvTranspose"]
    assert len(bypass.graph.initializer) == 2
    project = to_onnx(Variant("project", mask="bypass", decoder="reduced_deconv_64"), SMALL, WEIGHTS, LENGTH)
    assert [node.op_type for node in project.graph.node] == ["Conv"] * 3 + ["ConvTranspose"]
    without = to_onnx(Variant(skip="off"), SMALL, WEIGHTS, LENGTH)
    names = [node.name for node in without.graph.node]
    assert not any("skip_conv" in name for name in names)
    assert "/masker/block3/res_conv/Conv" in names


def test_the_expansion_is_late_in_the_file() -> None:
    for expansion, operator in (("concat", "Concat"), ("repeat", "Tile"), ("project", "Conv")):
        nodes = to_onnx(Variant(expansion), SMALL, WEIGHTS, LENGTH).graph.node
        assert [node.op_type for node in nodes][-3:] == [operator, "Mul", "ConvTranspose"]
        assert nodes[-2].input[0] == "/masker/mask_act/Relu_output_0"


def test_one_product_and_decoder_per_source_when_split() -> None:
    model = to_onnx(Variant("split", decoder="polyphase"), SMALL, WEIGHTS, LENGTH)
    operators = _operators(model)
    assert operators["Mul"] == 2
    assert not {"Concat", "Tile", "ConvTranspose"} & set(operators)
    assert [info.name for info in model.graph.output] == ["est1", "est2"]


def test_equal_weights_stay_apart() -> None:
    """The exporter makes aliases of equal tensors; each is an initializer of its own here."""
    flat = {key: torch.full(shape, 0.1) for key, shape in asteroid_shapes(SMALL).items()}
    model = to_onnx(FAITHFUL, SMALL, flat, LENGTH)
    names = [tensor.name for tensor in model.graph.initializer]
    assert len(names) == len(set(names))
    expected = [tensor.name for tensor in to_onnx(FAITHFUL, SMALL, WEIGHTS, LENGTH).graph.initializer]
    assert names == expected


_EXPORT = """
import hashlib, sys
from tasnet.network.export import to_onnx
from tasnet.network.variant import Size, Variant
from tasnet.network.weights import seeded_weights
size = Size(N=10, L=8, B=6, H=9, Sc=6, P=3, X=2, R=2)
digest = hashlib.sha256()
for norm in ("gln", "cgln"):
    model = to_onnx(Variant("repeat", activation="prelu", norm=norm), size, seeded_weights(size, 1), 203)
    digest.update(model.SerializeToString(deterministic=True))
print(digest.hexdigest())
"""


def test_two_processes_write_the_same_bytes() -> None:
    command = [sys.executable, "-c", _EXPORT]
    other = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    digest = sha256()
    for norm in ("gln", "cgln"):
        variant = Variant("repeat", activation="prelu", norm=norm)
        digest.update(to_onnx(variant, SMALL, WEIGHTS, 203).SerializeToString(deterministic=True))
    assert other == f"{digest.hexdigest()}\n"


def _contents(folder: Path) -> Mapping[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_saved_files_are_whole_and_replace_each_other(tmp_path: Path) -> None:
    model = to_onnx(Variant(), SMALL, WEIGHTS, LENGTH)
    path = tmp_path / "new" / "model.onnx"
    for _ in range(2):
        assert write_onnx(model, path) == path
    assert onnx.load(path) == model
    assert list(path.parent.iterdir()) == [path]


def test_graphs_share_their_weights_files(tmp_path: Path) -> None:
    size = replace(SMALL, N=64, H=64)
    weights = seeded_weights(size, 1)
    variant = Variant("split", decoder="polyphase")
    model = to_onnx(variant, size, weights, LENGTH)
    before = model.SerializeToString(deterministic=True)
    path = write_shared_onnx(model, tmp_path)
    assert model.SerializeToString(deterministic=True) == before
    large = [tensor for tensor in model.graph.initializer if len(tensor.raw_data) > 1024]
    files = {p.name: p.stat().st_mtime_ns for p in tmp_path.glob("*.bin")}
    assert set(files) == {f"{sha256(tensor.raw_data).hexdigest()}.bin" for tensor in large}
    assert path.stat().st_size < sum(len(tensor.raw_data) for tensor in large)

    write_shared_onnx(to_onnx(replace(variant, blocks=1), size, weights, LENGTH), tmp_path)
    assert {p.name: p.stat().st_mtime_ns for p in tmp_path.glob("*.bin")} == files

    loaded = onnx.load(path)
    theirs = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in loaded.graph.initializer}
    for tensor in model.graph.initializer:
        assert np.array_equal(theirs[tensor.name], onnx.numpy_helper.to_array(tensor))
    onnx.checker.check_model(str(path))
    mix = {"mix": wave(LENGTH).reshape(1, 1, 1, -1).numpy()}
    for ours, direct in zip(session(path).run(None, mix), session(model).run(None, mix), strict=True):
        assert np.array_equal(ours, direct)

    again = tmp_path / "again"
    assert write_shared_onnx(model, again).read_bytes() == path.read_bytes()


def test_a_damaged_weights_file_is_written_again(tmp_path: Path) -> None:
    size = replace(SMALL, N=64, H=64)
    model = to_onnx(Variant(), size, seeded_weights(size, 1), LENGTH)
    write_shared_onnx(model, tmp_path)
    whole = _contents(tmp_path)
    next(tmp_path.glob("*.bin")).write_bytes(b"cut")
    write_shared_onnx(model, tmp_path)
    assert _contents(tmp_path) == whole


@pytest.mark.parametrize("variant", [Variant(), replace(FAITHFUL, blocks=2)], ids=["notes", "faithful-k2"])
def test_the_real_network_at_one_second(variant: Variant) -> None:
    # Of a network cut after two blocks the others needn't be traced.
    size = Size(X=2, R=1) if variant.blocks else Size()
    weights = seeded_weights(size)
    model = to_onnx(variant, size, weights, 16000)
    assert _operators(model)["Conv"] == (10 if variant.blocks else 98)
    mix = wave(16000)
    expected = build_network(variant, size, weights)(to_host_input(variant, size, mix))[0].numpy()
    found = session(model).run(None, {"mix": mix.reshape(1, 1, 1, -1).numpy()})[0]
    assert found.shape == (1, 2, 1, 16000)
    assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()
    # Activations neither vanish nor explode through the blocks.
    assert 0.05 < float(found.std()) < 5
