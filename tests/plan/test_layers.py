"""A segment's figures and verdict by shapes alone are those of its exported, translated graph."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasnet.hailo.files import Layer, row_elements, total_figures, widest_shape
from tasnet.hailo.predict import predict_network
from tasnet.network import Size, seeded_weights
from tasnet.plan.cut import (
    CHAIN,
    CHIP,
    HOST,
    PIECE_IN,
    PIECE_OUT,
    PIECES,
    POINTWISE,
    SCALED,
    Cut,
    phases,
    piece_channels,
    ports,
)
from tasnet.plan.function import Function, TrainedFunction
from tasnet.plan.layers import facts, verdict
from tasnet.plan.segment_files import to_network
from tasnet.plan.segment_graph import to_onnx

BLOCKS = 8
NOT_WORK = {"input_layer", "output_layer", "const_input"}


@st.composite
def cuts(draw: st.DrawFn) -> tuple[Function, Cut]:
    size = Size(N=12, L=8, B=5, H=9, Sc=6, P=draw(st.sampled_from([1, 3])), X=4, R=2, n_src=draw(st.integers(1, 3)))
    form = draw(st.sampled_from([CHAIN, CHAIN, SCALED, POINTWISE, PIECE_IN, PIECE_OUT]))
    start = draw(st.integers(0, BLOCKS))
    stop = start + 1
    norm = "gln"
    if form == CHAIN:
        start, stop = draw(st.integers(0, BLOCKS + 1)), draw(st.integers(1, BLOCKS + 2))
        start, stop = min(start, stop - 1), max(start + 1, stop)
        norm = draw(st.sampled_from(["identity", "affine", "cln"]))
    elif form == SCALED:
        norm = draw(st.sampled_from(["gln", "cgln"]))
        start, stop = (0, 2) if start == 0 else (start, start + 1)
    elif form == PIECE_OUT:
        start, stop = max(start, 1), max(start, 1) + 1
    function = Function(size, BLOCKS, norm, draw(st.sampled_from(["prelu", "relu"])), "sigmoid", draw(st.booleans()))
    coders = draw(st.sampled_from([HOST, CHIP]))
    cut = Cut(form, start, stop, 1, 1, 1, coders)
    phase = draw(st.sampled_from(phases(function, cut.blocks(function))))
    # Widths on both sides of the bracket's ends, prime and composite.
    width = draw(st.sampled_from([17, 640, 32_000, 32_003, 40_000, 60_000, 60_013, 400_000]))
    takes = gives = (0, 0)
    if form in PIECES:
        takes, gives = (tuple(sorted(draw(parts(most)))) for most in piece_channels(function, form, start))
    return function, Cut(form, start, stop, phase, width, draw(st.integers(1, 3)), coders, takes, gives)


def parts(most: int) -> st.SearchStrategy[list[int]]:
    """Some channels of so many, from and to."""
    return st.lists(st.integers(0, most), min_size=2, max_size=2, unique=True)


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(cuts())
def test_the_figures_and_the_verdict_are_the_translated_graphs(drawn: tuple[Function, Cut]) -> None:
    function, cut = drawn
    graph = to_network(to_onnx(TrainedFunction(function, seeded_weights(function.size)), cut), "segment")
    work = [layer for layer in graph if layer.type not in NOT_WORK]
    found, total = facts(function, cut), total_figures(graph)
    assert found.layers == len(work)
    assert (found.macs, found.weights) == (total.macs, total.weights)
    assert found.widest_row == max(row_elements(widest_shape(layer)) for layer in work)
    layer_of_input = [layer for layer in graph if layer.type in ("input_layer", "output_layer")]
    moved = {kind: sum(hn_elements(layer) for layer in layer_of_input if layer.type == kind) for kind in NOT_WORK}
    assert (found.activations_in, found.activations_out) == (moved["input_layer"], moved["output_layer"])
    judged, expected = verdict(function, cut, "hailo8"), predict_network(graph, "hailo8")
    assert (judged.kind, judged.certainty) == (expected.kind, expected.certainty)
    assert {each.family for each in judged.blockers} == {each.family for each in expected.blockers}


def hn_elements(layer: Layer) -> int:
    _, height, width, channels = layer.output_shape
    return height * width * channels


@pytest.mark.parametrize("form", [CHAIN, SCALED, POINTWISE])
def test_ports_are_the_graphs_inputs_and_outputs_in_order(form: str) -> None:
    size = Size(N=12, L=8, B=5, H=9, Sc=6, P=3, X=4, R=2, n_src=2)
    for start in range(BLOCKS + 1 + (form == CHAIN)):
        if form == SCALED and start == 0:
            continue
        function = Function(size, BLOCKS, "gln" if form != CHAIN else "cln", "prelu", "relu")
        stop = min(start + 1, BLOCKS + 2)
        if form == SCALED and stop > BLOCKS + 1:
            continue
        cut = Cut(form, start, stop, 1, 30, 2)
        model = to_onnx(TrainedFunction(function, seeded_weights(size)), cut)
        given, made = ports(function, cut)
        for found, wanted, prefix in ((model.graph.input, given, "in"), (model.graph.output, made, "out")):
            shapes = [(each.name, [dim.dim_value for dim in each.type.tensor_type.shape.dim]) for each in found]
            assert shapes == [(f"{prefix}_{port.role}", [1, port.channels, 2, 30]) for port in wanted]
