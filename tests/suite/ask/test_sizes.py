"""A piece at other sizes is a graph of those sizes, by ONNX's shape inference and ONNX Runtime, or there is none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasnet.suite.ask.sizes import CHANNELS, DILATION, WIDTH, FreeSize, free_sizes, resized
from tasnet.suite.ask.subgraph import Subgraph, to_model, with_nodes
from tests.suite.ask.graphs import WHOLES, ran, whole


def of_op(graph: Subgraph, *ops: str) -> list[int]:
    return [index for index, node in enumerate(graph.nodes) if node.op_type in ops]


def free(graph: Subgraph, what: str) -> list[FreeSize]:
    return [each for each in free_sizes(graph) if each.what == what]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(WHOLES)), st.data())
def test_a_piece_at_smaller_sizes_runs_and_has_them_or_is_refused(name: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(whole(name).nodes) - 1))
    piece = with_nodes(whole(name), range(start, min(start + 4, len(whole(name).nodes))))
    sizes = free_sizes(piece)
    chosen = {each: data.draw(st.integers(1, each.now)) for each in sizes if data.draw(st.booleans())}
    smaller = resized(piece, chosen)
    if smaller is None:
        return
    outputs = ran(to_model(smaller))
    assert [output.shape for output in outputs] == [smaller.shapes[each] for each in smaller.outputs]
    for each, size in chosen.items():
        if each.what == WIDTH:
            assert smaller.shapes[each.input][-1] == size
        if each.what == CHANNELS and each.input:
            assert smaller.shapes[each.input][1] == size


def test_equal_channels_of_a_residual_block_change_together_and_not_alone() -> None:
    graph = whole("relu")
    first = next(i for i in of_op(graph, "Conv") if graph.shapes[graph.nodes[i].output[0]][1] == 20)
    block = with_nodes(graph, range(first, of_op(graph, "Add")[0] + 1))
    stream = [each for each in free(block, CHANNELS) if each.now == 12]
    assert len(stream) == 2
    assert all(resized(block, {each: 5}) is None for each in stream)
    smaller = resized(block, dict.fromkeys(stream, 5))
    assert smaller is not None
    ran(to_model(smaller))


def test_a_depthwise_convolution_keeps_one_group_a_channel_and_same_padding() -> None:
    graph = whole("relu")
    at = [
        i
        for i in of_op(graph, "Conv")
        if graph.shapes[graph.nodes[i].output[0]] == graph.shapes[graph.nodes[i].input[0]]
    ]
    piece = with_nodes(graph, [at[1]])
    assert [each.now for each in free(piece, DILATION)] == [2]
    smaller = resized(piece, {free(piece, CHANNELS)[0]: 7, free(piece, WIDTH)[0]: 9, free(piece, DILATION)[0]: 1})
    assert smaller is not None
    assert [output.shape for output in ran(to_model(smaller))] == [(1, 7, 1, 9)]
    assert {each.name: list(each.ints) or each.i for each in smaller.nodes[0].attribute}["group"] == 7


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 31])
def test_a_grouped_deconvolution_takes_channels_that_its_groups_divide(channels: int) -> None:
    graph = whole("relu")
    piece = with_nodes(graph, of_op(graph, "ConvTranspose"))
    smaller = resized(piece, {next(each for each in free(piece, CHANNELS) if each.input): channels})
    assert (smaller is None) == bool(channels % 2)
    if smaller is not None:
        ran(to_model(smaller))
