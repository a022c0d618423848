"""Which cases a `where` claims, and what doesn't change that."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasnet.plan.cut import Cut
from tasnet.suite.cases.case import SegmentCase
from tasnet.suite.cases.profiles import profile_cases
from tasnet.suite.ledger import claims as entry_claims
from tasnet.suite.ledger import conditions_unmet, entries_without_cases, parse_ledger
from tasnet.suite.ledger.where import WhereError, read_where, where_matches
from tests.suite.ledger.one_entry import CASES, PATH, changed
from tests.suite.ledger.wheres import claims, left_out, one_axis

# --- matching ----------------------------------------------------------------------------------------------

EXPECTED = {
    "all": ("{}", 840),
    "a value": ("{decoder: grouped}", 168),
    "two values": ("{decoder: [grouped, conv1x1_head]}", 336),
    "a glob": ("{decoder: 'reduced_*'}", 336),
    "not": ("{decoder: {not: grouped}}", 672),
    "not a list": ("{decoder: {not: [grouped, 'reduced_*']}}", 336),
    "on": ("{skip: on}", 420),
    "a count": ("{blocks: 4}", 120),
    "all blocks": ("{blocks: all}", 120),
    "few blocks": ("{blocks: '<=4'}", 360),
    "many blocks, all being 24": ("{blocks: '>16'}", 120),
    "between": ("{blocks: '>2,<12'}", 240),
    "a length": ("{T: '>=16000'}", 840),
    "a letter": ("{N: '<512'}", 0),
    "an architecture": ("{arch: hailo8l}", 0),
    "either": ("[{decoder: grouped}, {mask: bypass}]", 504),
    "all but a corner": ("{not: {decoder: grouped, blocks: 4}}", 816),
    "a corner of some": ("{decoder: grouped, not: {blocks: 4}}", 144),
    "all but two corners": ("{not: [{decoder: grouped}, {mask: bypass}]}", 336),
    "nothing but a corner": ("{not: {not: {decoder: grouped}}}", 168),
}


@pytest.mark.parametrize(("where", "count"), EXPECTED.values(), ids=EXPECTED)
def test_where_claims(where: str, count: int) -> None:
    (entry,) = parse_ledger(changed("where", f"    where: {where}"), PATH).entries
    assert sum(where_matches(entry.where, case.axes()) for case in profile_cases("matrix")) == count


cases = st.sampled_from(CASES)


@settings(max_examples=60)
@given(claims, cases, st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter(claim: dict[str, Any], axes: dict[str, Any], rng: random.Random) -> None:
    items = list(claim.items())
    rng.shuffle(items)
    assert where_matches(read_where(claim), axes) == where_matches(read_where(dict(items)), axes)


@settings(max_examples=60)
@given(claims, one_axis | left_out, cases)
def test_one_more_axis_never_adds_a_case(claim: dict[str, Any], more: tuple[str, Any], axes: dict[str, Any]) -> None:
    if more[0] not in claim and where_matches(read_where({**claim, more[0]: more[1]}), axes):
        assert where_matches(read_where(claim), axes)


@settings(max_examples=60)
@given(claims, claims, cases)
def test_a_list_claims_what_either_claims(one: dict[str, Any], two: dict[str, Any], axes: dict[str, Any]) -> None:
    either = where_matches(read_where(one), axes) or where_matches(read_where(two), axes)
    assert where_matches(read_where([one, two]), axes) == either
    assert where_matches(read_where([two, one]), axes) == either


@given(cases)
def test_a_case_is_claimed_by_its_own_axes(axes: dict[str, Any]) -> None:
    assert where_matches(read_where(dict(axes)), axes)
    for axis, value in axes.items():
        assert not where_matches(read_where({**axes, axis: {"not": value}}), axes)


@settings(max_examples=60)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists) | claims)
def test_any_node_is_read_or_refused(node: object) -> None:
    with suppress(WhereError):
        assert read_where(node)


# --- segments ----------------------------------------------------------------------------------------------

WHOLE = profile_cases("faithful")[0]
SCALED = SegmentCase(WHOLE, Cut("scaled", 0, 2, 1, 668, 3)).axes()

SEGMENTS = {
    "what holds for the network is not said of its segments": ("{norm: gln, activation: prelu}", False),
    "every whole network": ("{}", False),
    "a form": ("{segment: scaled}", True),
    "another form": ("{segment: 'piece-*'}", False),
    "a form of such networks": ("{segment: scaled, norm: gln, N: '>=512'}", True),
    "a form of other networks": ("{segment: scaled, norm: cln}", False),
    "wide rows": ("{width: '>=600'}", True),
    "wider rows": ("{width: '>=669'}", False),
    "beside whole networks": ("[{norm: gln}, {height: '>1'}]", True),
    "the head": ("{segment: scaled, start: '<1'}", True),
    "all but wide rows": ("{segment: scaled, not: {width: '>=600'}}", False),
}


@pytest.mark.parametrize(("where", "claimed"), SEGMENTS.values(), ids=SEGMENTS)
def test_an_entry_reaches_segments_where_it_names_an_axis_of_theirs(where: str, claimed: bool) -> None:
    (entry,) = parse_ledger(changed("where", f"    where: {where}"), PATH).entries
    assert entry_claims(entry, SCALED) is claimed
    if not claimed:
        assert conditions_unmet(entry, SCALED)


@settings(max_examples=60)
@given(claims, cases)
def test_a_segment_axis_holds_for_no_whole_network_unless_it_says_so(
    claim: dict[str, Any], axes: dict[str, Any]
) -> None:
    claim = {axis: condition for axis, condition in claim.items() if axis != "segment"}
    if where_matches(read_where({**claim, "segment": "none"}), axes):
        assert where_matches(read_where(claim), axes)
    assert not where_matches(read_where({**claim, "segment": {"not": "none"}}), axes)
    assert not where_matches(read_where({**claim, "width": ">=1"}), axes)


def test_an_entry_about_segments_is_never_called_dead_by_whole_cases_alone() -> None:
    entries = parse_ledger(changed("where", "    where: {segment: scaled}"), PATH).entries
    assert not entries_without_cases(entries, CASES)
