"""Segments of a plan as cases: their ids, what is refused, and that nobody takes one for its whole network."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasnet.network.variant import Size, Variant
from tasnet.plan.cut import CHIP, FORMS, HOST, PIECES, Cut
from tasnet.suite.cases.case import Case, CaseError, SegmentCase, graph_key
from tasnet.suite.cases.names import MAX_ID_CHARS, parse_any_case, parse_case

WHOLE = Case(Variant("split", decoder="polyphase", norm="gln", activation="prelu"), Size(X=7, R=2), 8000, "hailo8l")
SEGMENT = SegmentCase(WHOLE, Cut("scaled", 2, 3, 4, 501, 3))
ID = (
    "split-normal-polyphase-all+activation=prelu+norm=gln+T=8000+X=7+R=2+arch=hailo8l"
    "+segment=scaled+stages=2-3+phase=4+rows=3x501"
)

counts = st.integers(1, 4096)
ends = st.tuples(st.integers(0, 512), counts).map(lambda pair: (pair[0], pair[0] + pair[1]))


@st.composite
def cuts(draw: st.DrawFn) -> Cut:
    form = draw(st.sampled_from(FORMS))
    channels = (draw(ends), draw(ends)) if form in PIECES else ((0, 0), (0, 0))
    return Cut(
        form, *draw(ends), draw(counts), draw(counts), draw(counts), draw(st.sampled_from([HOST, CHIP])), *channels
    )


@given(cuts(), st.randoms())
def test_an_id_reads_back_as_its_segment_whatever_the_order_of_its_parts(cut, random):
    case = SegmentCase(WHOLE, cut)
    head, *parts = case.id.split("+")
    random.shuffle(parts)
    assert parse_any_case("+".join([head, *parts])) == case
    assert len(case.id) < MAX_ID_CHARS


def test_an_id_says_the_network_and_the_cut():
    assert SEGMENT.id == ID
    assert parse_any_case(WHOLE.id) == WHOLE


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("segment=scaled", "segment=sliced", "segment=sliced: unknown; one of chain, scaled"),
        ("+segment=scaled", "", "without segment"),
        ("+rows=3x501", "", "without rows"),
        ("rows=3x501", "rows=501", "rows=501: expected two counts such as 1x2"),
        ("stages=2-3", "stages=3-3", "stages from-to"),
        ("phase=4", "phase=0", "a phase and rows of at least 1"),
        ("phase=4", "phase=4+phase=4", "phase is given twice"),
        ("rows=3x501", "rows=3x501+coders=cloud", "coders=cloud: unknown; one of host, chip"),
        ("rows=3x501", "rows=3x501+takes=1", "takes=1: expected two counts such as 1-2"),
    ],
)
def test_what_is_no_segment_is_refused_with_its_reason(old, new, words):
    with pytest.raises(CaseError, match="case '") as error:
        parse_any_case(ID.replace(old, new))
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_where_a_whole_network_must_be_meant_a_segment_is_refused_by_its_name():
    with pytest.raises(CaseError, match="a segment of a plan; name its network: split-normal-polyphase-all"):
        parse_case(ID)


def test_a_segment_has_its_networks_axes_and_its_own():
    own = {"segment": "scaled", "start": 2, "stop": 3, "phase": 4, "width": 501, "height": 3}
    assert SEGMENT.axes() == {**WHOLE.axes(), **own}


def test_segments_are_one_graph_on_every_architecture_and_never_their_networks():
    elsewhere = SegmentCase(replace(WHOLE, arch="hailo8"), SEGMENT.cut)
    assert graph_key(SEGMENT) == graph_key(elsewhere)
    assert graph_key(SEGMENT) != graph_key(WHOLE)
    assert graph_key(SEGMENT) != graph_key(SegmentCase(WHOLE, replace(SEGMENT.cut, start=1, stop=2)))
