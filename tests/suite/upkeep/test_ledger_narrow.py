"""Narrowing: what comes out claims just what was to be kept, and nothing that was not claimed before."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tasnet.plan.cut import Cut
from tasnet.suite.cases.case import SegmentCase
from tasnet.suite.cases.profiles import PROFILES, profile_cases
from tasnet.suite.ledger.where import COUNT_AXES, Axes, holds, read_where, where_matches
from tasnet.suite.ledger.where_yaml import flow_yaml, plain_claim
from tasnet.suite.upkeep.narrowing import conditions_to_add, joined_claim, joined_condition
from tests.suite.ledger.wheres import claims, one_axis_twice

CASES: list[dict[str, Any]] = [case.axes() for name in PROFILES for case in profile_cases(name)]
MATRIX: list[Axes] = [case.axes() for case in profile_cases("matrix")]
WHOLE = profile_cases("faithful")[0]
SEGMENTS = [SegmentCase(WHOLE, Cut("scaled", start, start + 2, 1, 668, 3)).axes() for start in range(8)]


@settings(max_examples=60)
@given(claims, st.lists(st.sampled_from(CASES), max_size=60, unique_by=lambda axes: tuple(axes.items())), st.data())
def test_it_claims_what_is_kept_and_nothing_else(claim: dict[str, Any], some: list[Axes], data: st.DataObject) -> None:
    (read,) = read_where(claim)
    keep = [axes for axes in some if data.draw(st.booleans())]
    leave = [axes for axes in some if axes not in keep]
    added = conditions_to_add(read, keep, leave)
    now = read_where([joined_claim(read, one) for one in added]) if added else ()
    for axes in CASES:
        before = where_matches([read], axes)
        if axes in keep:
            assert where_matches(now, axes) == before
        elif axes in leave:
            assert not where_matches(now, axes)
        elif where_matches(now, axes):
            assert before


SIMPLE = {
    "one value": "{decoder: grouped}",
    "two axes": "{sources: all, decoder: grouped}",
    "a count": '{blocks: ">=8"}',
    "all but": "{decoder: {not: grouped}}",
    "all but a corner": "{not: {decoder: grouped, blocks: 24}}",
    "two values": "{decoder: [grouped, conv1x1_head]}",
}


@pytest.mark.parametrize("where", SIMPLE.values(), ids=SIMPLE)
def test_it_finds_the_words_that_a_person_would(where: str) -> None:
    meant = read_where(YAML(typ="safe").load(where))
    found = conditions_to_add(
        {}, [a for a in MATRIX if where_matches(meant, a)], [a for a in MATRIX if not where_matches(meant, a)]
    )
    assert [flow_yaml(each) for each in found] == [where]


def test_nothing_to_leave_out_needs_no_word() -> None:
    assert conditions_to_add({}, MATRIX, []) == [{}]


def test_nothing_to_keep_needs_no_claim() -> None:
    assert conditions_to_add({}, [], MATRIX) == []


def test_a_case_on_both_sides_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match=r"kept and left out: \{"):
        conditions_to_add({}, MATRIX[:1], MATRIX[:1])


@given(st.lists(st.booleans(), min_size=len(SEGMENTS), max_size=len(SEGMENTS)).filter(any))
@example([True, *[False] * 7])
@example([True, False] * 4)
def test_a_segment_from_the_start_of_the_network_is_told_from_later_ones(kept: list[bool]) -> None:
    """Its `start` is 0, which the ledger takes as a comparison alone."""
    keep, leave = ([axes for axes, so in zip(SEGMENTS, kept, strict=True) if so is side] for side in (True, False))
    added = conditions_to_add({}, keep, leave)
    now = read_where([joined_claim({}, one) for one in added])
    assert [where_matches(now, axes) for axes in SEGMENTS] == kept


@given(one_axis_twice, st.sampled_from(CASES))
@example(("skip", {"not": {"not": "*"}}, "*"), CASES[0])
def test_two_conditions_in_one(conditions: tuple[str, Any, Any], axes: Axes) -> None:
    axis, one, other = conditions
    old, new = (read_where({axis: each})[0][axis] for each in (one, other))
    if any(holds(old, axis, each) and holds(new, axis, each) for each in CASES):
        joint = read_where({axis: joined_condition(axis, old, other)})[0][axis]
        # What is only values must be the cases' own: a new one is made of those to keep.
        if not isinstance(other, int | list) or axis not in COUNT_AXES:
            assert holds(joint, axis, axes) == (holds(old, axis, axes) and holds(new, axis, axes))


@given(claims, st.sampled_from(CASES))
def test_a_claim_written_out_is_the_same_claim(claim: dict[str, Any], axes: Axes) -> None:
    (read,) = read_where(claim)
    again = read_where(YAML(typ="safe").load(flow_yaml(plain_claim(read))))
    assert where_matches(again, axes) == where_matches([read], axes)
