"""Graphs put together from parts are byte for byte those that are traced in one piece."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasnet.network import graph_parts
from tasnet.network.convtasnet import build_network
from tasnet.network.export import to_onnx, with_slopes, with_weights
from tasnet.network.static_graph import OPSETS
from tasnet.network.variant import AXES, Size, Variant
from tasnet.network.weights import seeded_weights
from tests.network.sizes import FAITHFUL, SMALL

MATRIX = (
    ("concat", "repeat", "project"),
    ("normal", "bypass"),
    ("all", "first"),
    ("on", "off"),
    ("grouped", "ungrouped_blockdiag", "reduced_deconv_128", "reduced_deconv_64", "conv1x1_head"),
)


def _check(variant: Variant, size: Size, length: int = 40, opset: int = 13, mask_activation: str = "relu") -> None:
    weights = seeded_weights(size, 1)
    network = build_network(variant, size, weights, mask_activation=mask_activation)
    tensors = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    traced = with_slopes(graph_parts.traced_nodes(variant, size, length, opset, mask_activation), network)
    expected = with_weights(traced, tensors, opset)
    found = to_onnx(variant, size, weights, length, opset=opset, mask_activation=mask_activation)
    assert found.SerializeToString(deterministic=True) == expected.SerializeToString(deterministic=True), variant


@pytest.mark.parametrize("blocks", range(7))
def test_the_285_forms_of_the_matrix(blocks: int) -> None:
    """Every topology and decoder at seven truncations, like the matrix; 7 blocks and few channels are enough.

    What the parts add up to is compared before the weights go in: from there on both are one function's work.
    """
    size = replace(SMALL, X=7, R=1)
    forms = {Variant(e, m, s, k, d, blocks=blocks).canonical(size) for e, m, s, k, d in product(*MATRIX)}
    # without a mask nothing is truncated: these 19 are in the list once
    chosen = {form for form in forms if form.mask == "normal" or not blocks}
    assert len(chosen) == (57 if not blocks else 38)
    for form in chosen:
        arguments = form, size, 40, 13, "relu"
        found, expected = graph_parts.joined_nodes(*arguments), graph_parts.traced_nodes(*arguments)
        assert (found.nodes, found.outputs) == (expected.nodes, expected.outputs), form
        assert found.types == expected.types, form
        assert [(name, value.tolist()) for name, value in found.constants.items()] == [
            (name, value.tolist()) for name, value in expected.constants.items()
        ], form


@pytest.mark.parametrize("blocks", [0, 1, 16])
@pytest.mark.parametrize("skip", ["on", "off"])
def test_the_whole_depth_of_the_paper(skip: str, blocks: int) -> None:
    _check(Variant(skip=skip, blocks=blocks), replace(SMALL, X=8, R=3))


@pytest.mark.parametrize("layout", AXES["layout"])
@pytest.mark.parametrize("norm", AXES["norm"])
def test_every_norm_in_both_layouts(norm: str, layout: str) -> None:
    """Of two blocks, whole and cut after the first; where else a network is cut is tried without norms."""
    size = replace(SMALL, X=2, R=1)
    for blocks in (0, 1):
        base = replace(FAITHFUL, norm=norm, layout=layout, blocks=blocks)
        _check(replace(base, skip="off", decoder="polyphase", encoder="polyphase"), size)
        _check(replace(base, expansion="split", activation="prelu_maxmin"), size, mask_activation="sigmoid")


@st.composite
def variants(draw: st.DrawFn) -> Variant:
    values = {axis: draw(st.sampled_from(options)) for axis, options in AXES.items() if axis != "blocks"}
    return Variant(**values, blocks=draw(st.integers(0, 3)))


@given(
    variants(), st.integers(1, 3), st.integers(8, 120), st.sampled_from(OPSETS), st.sampled_from(("relu", "sigmoid"))
)
@settings(max_examples=15)
def test_any_variant_at_any_length_and_opset(
    variant: Variant, n_src: int, length: int, opset: int, mask_activation: str
) -> None:
    _check(variant, replace(SMALL, R=1, n_src=n_src), length, opset, mask_activation)


def test_parts_are_shared_and_never_changed() -> None:
    """A graph is the same before and after others that are made of its parts."""
    weights = seeded_weights(SMALL, 1)
    others = [replace(FAITHFUL, blocks=1), replace(FAITHFUL, expansion="repeat"), replace(FAITHFUL, norm="affine")]
    before = to_onnx(FAITHFUL, SMALL, weights, 40).SerializeToString(deterministic=True)
    for other in others:
        to_onnx(other, SMALL, weights, 40)
    assert to_onnx(FAITHFUL, SMALL, weights, 40).SerializeToString(deterministic=True) == before
