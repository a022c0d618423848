"""Strategies that make `where`s."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import strategies as st

from tasnet.suite.ledger.where import COUNT_AXES, WORD_AXES


@cache
def condition(axis: str) -> st.SearchStrategy[Any]:
    """A condition on the axis: a value, a glob, a comparison, a list, a `not`, and those in each other."""
    if axis in WORD_AXES:
        values: st.SearchStrategy[Any] = st.sampled_from([*WORD_AXES[axis], "*", f"{WORD_AXES[axis][0][:3]}*"])
    else:
        operators = st.sampled_from([">=", "<", "==", "!="])
        one = st.builds("{}{}".format, operators, st.integers(0, 20000))
        values = st.integers(1, 20000) | one | st.builds("{},{}".format, one, one)
        values |= st.just("all") if axis == "blocks" else st.nothing()
    return st.recursive(
        values,
        lambda inner: st.lists(inner, min_size=1, max_size=3) | st.builds(lambda each: {"not": each}, inner),
        max_leaves=4,
    )


axes_ = st.sampled_from(sorted([*WORD_AXES, *COUNT_AXES]))
one_axis = axes_.flatmap(lambda axis: st.tuples(st.just(axis), condition(axis)))
one_axis_twice = axes_.flatmap(lambda axis: st.tuples(st.just(axis), condition(axis), condition(axis)))
flat = st.lists(one_axis, max_size=4).map(dict)
left_out = st.tuples(st.just("not"), flat | st.lists(flat, min_size=1, max_size=2))
claims = st.lists(one_axis | left_out, max_size=4).map(dict)
