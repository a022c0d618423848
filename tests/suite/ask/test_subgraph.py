"""Pieces of a graph: each is a graph that runs, equal pieces are equal bytes, and nothing of its owner is in them."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper

from tasnet.hailo.translate import translate
from tasnet.suite.ask.subgraph import Subgraph, shortcuts, subgraph_of, to_model, with_nodes
from tests.suite.ask.graphs import WHOLES, network, ran, whole


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(WHOLES)), st.data())
def test_any_nodes_are_a_graph_that_onnx_runtime_runs_to_the_shapes_it_says(name: str, data: st.DataObject) -> None:
    graph = whole(name)
    kept = data.draw(st.sets(st.integers(0, len(graph.nodes) - 1), min_size=1, max_size=8))
    piece = with_nodes(graph, kept)
    assert piece.usable
    outputs = ran(to_model(piece))
    assert [output.shape for output in outputs] == [piece.shapes[each] for each in piece.outputs]
    assert all(np.isfinite(output).all() for output in outputs)


@pytest.mark.parametrize("name", sorted(WHOLES))
def test_the_whole_with_drawn_weights_is_layer_for_layer_what_it_was(name: str) -> None:
    before, after = translate(network(*WHOLES[name]), "net"), translate(to_model(whole(name)), "net")
    signs = [[(each.type, each.input_shapes, each.output_shapes) for each in graph] for graph in (before, after)]
    assert signs[0] == signs[1]


def test_a_piece_holds_no_name_and_no_weight_of_whoever_made_it() -> None:
    model = onnx.ModelProto()
    model.CopyFrom(network("gln", "prelu_maxmin"))
    model.doc_string = model.graph.doc_string = "of the secret project"
    model.metadata_props.add(key="owner", value="secret")
    for node in model.graph.node:
        node.doc_string = "secret place"
    made = to_model(subgraph_of(model))
    data = made.SerializeToString()
    names = {each for node in model.graph.node for each in (node.name, *node.output)}
    names |= {each.name for each in model.graph.initializer}
    assert b"secret" not in data
    assert [name for name in names if len(name) > 3 and name.encode() in data] == []
    theirs = [numpy_helper.to_array(each) for each in model.graph.initializer]
    ours = [numpy_helper.to_array(each) for each in made.graph.initializer]
    learned = {float(value) for array in theirs if array.size > 1 for value in array.reshape(-1)[:50]} - {0.0, 1.0}
    assert not learned & {float(value) for array in ours if array.dtype == np.float32 for value in array.reshape(-1)}


def test_equal_pieces_of_two_networks_are_equal_bytes() -> None:
    def first_conv(graph: Subgraph) -> bytes:
        at = next(index for index, node in enumerate(graph.nodes) if node.op_type == "Conv")
        return to_model(with_nodes(graph, [at])).SerializeToString(deterministic=True)

    assert first_conv(whole("relu")) == first_conv(whole("gln"))


def test_a_shortcut_leaves_out_what_lies_between_two_values_of_one_shape() -> None:
    graph = whole("relu")
    first, second = (
        index
        for index, node in enumerate(graph.nodes)
        if node.op_type == "Conv" and graph.shapes[node.output[0]] == graph.shapes[node.input[0]]
    )
    stretch = with_nodes(graph, range(first, second + 1))
    shorter = shortcuts(stretch)
    assert [len(each.nodes) for each in shorter] == sorted(len(each.nodes) for each in shorter)
    assert all(len(each.nodes) < len(stretch.nodes) and set(each.outputs) <= set(stretch.outputs) for each in shorter)
    for each in shorter:
        ran(to_model(each))
    direct = next(each for each in shorter if graph.nodes[first].output[0] in each.nodes[-1].input)
    assert direct.nodes[-1].output == graph.nodes[second].output
