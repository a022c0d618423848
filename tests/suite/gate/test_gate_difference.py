"""Two graphs layer by layer: what is added, removed, wider; matched by names, or by order where names moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasnet.hailo.files.hn import Layer, Network, total_figures
from tasnet.hailo.translate import translate
from tasnet.network.export import to_onnx
from tasnet.network.variant import Variant
from tasnet.network.weights import seeded_weights
from tasnet.suite.gate.difference import GraphChangeKind, GraphDifference, graph_difference
from tests.hailo.networks import conv_params
from tests.network.sizes import SMALL

WIDTH = 7


def chain(channels: Sequence[int], nodes: Sequence[str] | None = None, seed: int = 0) -> Network:
    """1x1 convolutions one after the other; `channels` has one more than there are layers."""
    names = [f"conv{index + 1}" for index in range(len(channels) - 1)]
    nodes = nodes or [f"/net/net.{index}/Conv" for index in range(len(names))]
    shape = lambda count: (-1, 1, WIDTH, count)  # noqa: E731
    line = ["input_layer1", *names, "output_layer1"]
    layers = [Layer(line[0], "input_layer", (), (line[1],), (shape(channels[0]),), (shape(channels[0]),), ("mix",))]
    weights = {}
    for index, name in enumerate(names):
        into, out = channels[index], channels[index + 1]
        params = conv_params([1, 1, into, out])
        layers.append(
            Layer(
                name, "conv", (line[index],), (line[index + 2],), (shape(into),), (shape(out),), (nodes[index],), params
            )
        )
        draw = np.random.default_rng([seed, into, out])
        weights[f"net/{name}/kernel:0"] = draw.standard_normal((1, 1, into, out)).astype(np.float32)
    last = shape(channels[-1])
    layers.append(Layer(line[-1], "output_layer", (names[-1],), (), (last,), (last,), ("est",)))
    return Network("net", tuple(layers), (names[-1],), weights)


def differ(before: Network, after: Network) -> GraphDifference:
    return graph_difference(before, after, (100, 120), lambda: (before, after))


def told(found: GraphDifference) -> list[tuple[str, str]]:
    return [(change.layer, change.what) for change in found.layers]


def test_names_weights_and_structure_are_told_apart() -> None:
    one = chain([4, 8, 4])
    assert differ(one, chain([4, 8, 4], ["/a/Conv", "/b/Conv"])).kind is GraphChangeKind.NAMES
    assert differ(one, chain([4, 8, 4], seed=1)).kind is GraphChangeKind.WEIGHTS
    assert differ(one, chain([4, 9, 4])).kind is GraphChangeKind.STRUCTURE
    assert differ(one, one).cause == ("names alone",)


def test_graphs_without_their_weights_are_not_called_the_same() -> None:
    bare = replace(chain([4, 8, 4]), weights={})
    assert differ(bare, chain([4, 8, 4])).kind is GraphChangeKind.WEIGHTS
    assert differ(bare, bare).kind is GraphChangeKind.WEIGHTS


def test_weights_are_read_only_where_the_layers_are_the_same() -> None:
    def never() -> tuple[Network, Network]:
        raise AssertionError("read")

    assert graph_difference(chain([4, 8]), chain([4, 9]), (1, 1), never).kind is GraphChangeKind.STRUCTURE


def test_a_wider_layer_changes_itself_and_its_reader() -> None:
    found = differ(chain([4, 8, 6, 4]), chain([4, 8, 10, 4]))
    assert told(found) == [
        ("conv2", "out 6 -> 10, row 56 -> 70"),
        ("conv3", "in 6 -> 10, row 42 -> 70"),
    ]
    assert found.cause == ("conv /net/net.N/Conv: in 6 -> 10", "conv /net/net.N/Conv: out 6 -> 10")
    assert (found.before.widest_row, found.after.widest_row) == (8 * WIDTH, 10 * WIDTH)
    assert found.grown["widest_row"] == pytest.approx(0.25)
    assert found.grown["onnx_bytes"] == pytest.approx(0.2)


LENGTH = st.integers(2, 12)


@given(length=LENGTH, at=st.data(), renumbered=st.booleans())
def test_an_inserted_layer_is_one_layer_more_whatever_became_of_the_names(
    length: int, at: st.DataObject, renumbered: bool
) -> None:
    place = at.draw(st.integers(0, length))
    before = chain([4] * (length + 1))
    nodes = [layer.original_names[0] for layer in before if layer.type == "conv"]
    nodes.insert(place, "/extra/Conv")
    after = chain([4] * (length + 2), None if renumbered else nodes)
    found = differ(before, after)
    assert [change.what for change in found.layers] == ["added"]
    assert found.count("added") == found.after.layers - found.before.layers == 1
    if not renumbered:
        assert found.layers[0].node == "/extra/Conv"
    assert [change.what for change in differ(after, before).layers] == ["removed"]


@given(channels=st.lists(st.integers(1, 6), min_size=2, max_size=9), more=st.lists(st.integers(1, 6), min_size=2))
def test_there_and_back_is_the_same_count_the_other_way_round(channels: list[int], more: list[int]) -> None:
    one, other = chain(channels), chain(more)
    there, back = differ(one, other), differ(other, one)
    assert there.count("added") - there.count("removed") == len(more) - len(channels)
    assert (back.before, back.after) == (replace(there.after, onnx_bytes=100), replace(there.before, onnx_bytes=120))
    assert differ(one, one).layers == ()
    assert there.after.macs == total_figures(other).macs


def test_a_rewired_graph_is_no_change_of_names() -> None:
    before = chain([4, 4, 4, 4])
    first, one, two, three, last = before.layers
    # conv3 reads conv1 beside conv2's place: the same layers, joined otherwise
    turned = replace(before, layers=(first, one, two, replace(three, inputs=("conv1",)), last))
    found = differ(before, turned)
    assert found.kind is GraphChangeKind.STRUCTURE
    assert told(found) == [("conv3", "reads conv1")]


def test_real_graphs_of_two_lengths_of_the_tcn() -> None:
    """A truncated network is the whole one without its last blocks."""
    whole, cut = (
        translate(to_onnx(Variant(blocks=blocks), SMALL, seeded_weights(SMALL), 400), "net") for blocks in (4, 3)
    )
    found = differ(whole, cut)
    assert found.count("added") == 0
    gone = [change.node for change in found.layers if change.what == "removed"]
    assert {node.split("/")[2] for node in gone if "block" in node} <= {"block2", "block3"}
    assert len(whole.layers) - len(cut.layers) == len(gone)
