"""The order of graphs and what follows of answers: on drawn graphs, and on graphs whose order is plain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasnet.hailo.files import Layer
from tasnet.hailo.predict import Bracket, Demands, demands_of
from tasnet.suite.ask.bracket import moved_bracket
from tasnet.suite.ask.knowledge import Knowledge, Reply, known_from
from tasnet.suite.ask.order import LAYERS, PartialOrder, refuted
from tasnet.suite.ask.ranking import rank
from tests.suite.ask.layers import conv, depthwise, turned

SIZES = st.sampled_from((1, 2, 3, 8, 64, 512))
LAYERS_DRAWN = st.one_of(
    st.builds(conv, SIZES, SIZES, SIZES, st.sampled_from(("linear", "relu", "leaky"))),
    st.builds(depthwise, SIZES, SIZES, SIZES),
    st.builds(conv, SIZES, SIZES, SIZES).map(turned),
)
GRAPHS = st.lists(LAYERS_DRAWN, min_size=1, max_size=4)


@given(st.lists(GRAPHS, min_size=1, max_size=6))
def test_the_order_is_one_and_says_what_the_demands_say(graphs: list[list[Layer]]) -> None:
    order = PartialOrder(tuple(demands_of(each) for each in graphs))
    found = order.no_harder()
    assert found.diagonal().all()
    # transitive: what is no harder than something no harder is no harder
    assert not ((found.astype(int) @ found.astype(int) > 0) & ~found).any()
    for i, one in enumerate(order.graphs):
        for j, other in enumerate(order.graphs):
            covered = all(any(its.covers(mine) for its in other.layers) for mine in one.layers)
            assert found[i, j] == (covered and one.layers_at_work <= other.layers_at_work)


@given(GRAPHS, LAYERS_DRAWN)
def test_one_layer_more_is_never_easier(graph: list[Layer], more: Layer) -> None:
    order = PartialOrder((demands_of(graph), demands_of([*graph, more])))
    assert order.no_harder()[0, 1]
    assert not order.no_harder()[1, 0]


@pytest.mark.parametrize(
    ("easier", "harder"),
    [
        (conv(100, 8, 8), conv(101, 8, 8)),
        (conv(100, 8, 8), conv(100, 9, 8)),
        (conv(100, 8, 8), conv(100, 8, 9)),
        (conv(100, 8, 8), conv(100, 8, 8, "leaky")),
        (depthwise(100, 8, 1), depthwise(100, 8, 128)),
    ],
)
def test_wider_more_channels_more_dilation_and_an_activation_are_harder(easier: Layer, harder: Layer) -> None:
    order = PartialOrder((demands_of([easier]), demands_of([harder])))
    assert order.no_harder()[0, 1]
    assert not order.no_harder()[1, 0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (conv(100, 8, 8), turned(conv(200, 16, 16))),
        (conv(100, 8, 8, "relu"), conv(200, 16, 16, "leaky")),
        (conv(100, 8, 8), depthwise(200, 16, 4)),
        (conv(100, 8, 8), conv(200, 16, 16, groups=2)),
        (conv(100, 8, 8), conv(200, 16, 16, strides=[1, 1, 2, 1])),
        (conv(100, 8, 16), conv(100, 16, 8)),
    ],
)
def test_other_kinds_of_layer_say_nothing_of_each_other(one: Layer, other: Layer) -> None:
    found = PartialOrder((demands_of([one]), demands_of([other]))).no_harder()
    assert not found[0, 1]
    assert not found[1, 0]


@given(st.lists(GRAPHS, min_size=2, max_size=8), st.data())
def test_after_what_is_refuted_is_given_up_no_answer_contradicts_another(
    graphs: list[list[Layer]], data: st.DataObject
) -> None:
    order = PartialOrder(tuple(dict.fromkeys(demands_of(each) for each in graphs)))
    compiled = [data.draw(st.booleans()) for _ in order.graphs]
    good, bad = ([i for i, each in enumerate(compiled) if each is wanted] for wanted in (True, False))
    found = order.no_harder(refuted(order, bad, good))
    assert not found[np.ix_(bad, good)].any()


@given(st.lists(GRAPHS, min_size=2, max_size=8), st.integers(1, 600), st.integers(1, 4), st.data())
def test_what_follows_is_right_wherever_more_is_never_easier(
    graphs: list[list[Layer]], row: int, layers: int, data: st.DataObject
) -> None:
    demands = [demands_of(each) for each in graphs]

    def compiles(each: Demands) -> bool:
        return each.widest_row <= row and each.layers_at_work <= layers

    asked = data.draw(st.lists(st.sampled_from(demands)))
    known = known_from(demands, [Reply(each, compiles(each)) for each in asked])
    assert known.refuted_kinds == frozenset()
    for each, said in zip(demands, known.inferred, strict=True):
        assert said is None or said.compiled == compiles(each)
        if said is not None:
            assert said.by.compiled == said.compiled


def reply(compiled: bool, *layers: Layer, family: str = "") -> Reply:
    """A reply on a graph of these layers."""
    return Reply(demands_of(layers), compiled, "one", family=family)


def test_a_kind_that_an_answer_refutes_is_given_up_and_others_are_kept() -> None:
    wide, narrow = conv(200, 8, 8), conv(100, 8, 8)
    graphs = [demands_of([each]) for each in (conv(50, 8, 8), conv(300, 8, 8), depthwise(50, 8, 1))]
    before = known_from(graphs, [reply(False, narrow), reply(True, depthwise(60, 8, 1))])
    assert [each and each.compiled for each in before.inferred[:3]] == [None, False, True]
    after = before.order and known_from(graphs, [*before.replies, reply(True, wide)])
    assert after.refuted_kinds == {demands_of([wide]).layers[0].kind}
    assert [each and each.compiled for each in after.inferred[:3]] == [None, None, True]
    assert after.open[:3].tolist() == [True, True, False]


def test_where_no_kind_is_to_blame_more_layers_are() -> None:
    layer = conv(100, 8, 8)
    known = known_from([], [reply(False, layer), reply(True, layer, layer)])
    assert known.refuted_kinds == {LAYERS}


def test_two_answers_on_one_graph_stand_side_by_side_and_nothing_follows_of_either() -> None:
    layer, wider = conv(100, 8, 8), conv(200, 8, 8)
    known = known_from([demands_of([wider])], [reply(False, layer), reply(True, layer)])
    assert [{each.compiled for each in those} for those in known.contradictions] == [{True, False}]
    assert known.inferred == (None, None)
    assert known.open.tolist() == [True, False]


def test_the_middle_of_a_chain_is_asked_first_and_the_next_ones_split_the_halves() -> None:
    count = 15
    order = PartialOrder(tuple(demands_of([conv(100 + each, 8, 8)]) for each in range(count)))
    likely = [1 - (each + 1) / (count + 1) for each in range(count)]
    ones = [1.0] * count
    chosen = rank(order.no_harder(), np.ones(count, bool), likely, ones, ones, most=3)
    assert chosen[0].index == 7
    assert chosen[0].by_yes == tuple(range(8))
    assert chosen[0].by_no == tuple(range(7, 15))
    assert sorted(each.index for each in chosen[1:]) == [3, 11]


def test_a_question_of_an_hour_must_settle_as_much_more_than_one_of_a_minute() -> None:
    order = PartialOrder(
        (demands_of([conv(100, 8, 8)]), *(demands_of([depthwise(each, 8, 1)]) for each in (10, 20, 30)))
    )
    ones = [1.0] * 4
    first = rank(order.no_harder(), np.ones(4, bool), [0.5, 1.0, 1.0, 1.0], ones, ones)[0]
    dear = rank(order.no_harder(), np.ones(4, bool), [0.5, 1.0, 1.0, 1.0], ones, [60, 3600, 3600, 3600])[0]
    assert (first.index, dear.index) == (3, 0)


def test_an_answer_moves_the_bracket_and_one_past_it_leaves_no_end() -> None:
    public = Bracket(100, 200)

    def moved(*replies: Reply) -> Bracket:
        return moved_bracket(known_from([], replies), public)

    row_failed = reply(False, conv(15, 10, 10), family="agent_infeasible")
    assert moved(reply(True, conv(12, 10, 10))) == Bracket(120, 200)
    assert moved(row_failed) == Bracket(100, 150)
    assert moved(replace(row_failed, family="memory_units")) == public
    assert moved(reply(True, conv(30, 10, 10))) == Bracket(300, None)
    assert moved(reply(True, conv(30, 10, 10)), reply(False, depthwise(40, 10, 1), family="agent_infeasible")) == (
        Bracket(300, 400)
    )
    assert isinstance(known_from([], []), Knowledge)
