"""Delta debugging: what it gives shows what is looked for, and nothing smaller of its kind does."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

from hypothesis import given
from hypothesis import strategies as st

from tasnet.suite.ask.delta import fewest, smallest

COUNTS = st.integers(1, 60)


@given(COUNTS.flatmap(lambda count: st.tuples(st.just(count), st.sets(st.integers(0, count - 1), min_size=1))))
def test_what_must_be_there_together_is_all_that_is_left(drawn: tuple[int, set[int]]) -> None:
    count, needed = drawn
    assert fewest(range(count), lambda some: needed <= set(some)) == tuple(sorted(needed))


@given(COUNTS, st.randoms(use_true_random=False))
def test_whatever_the_answers_are_the_rest_shows_it_and_no_item_can_go(count: int, random: object) -> None:
    answers: dict[tuple[int, ...], bool] = {tuple(range(count)): True}

    def shows(some: Sequence[int]) -> bool:
        return answers.setdefault(tuple(some), random.random() < 0.3)  # type: ignore[attr-defined]

    left = fewest(range(count), shows)
    assert answers[left]
    if len(left) > 1:
        assert not any(answers[tuple(each for each in left if each != gone)] for gone in left)


def test_one_of_a_thousand_takes_twenty_questions() -> None:
    asked: list[int] = []
    assert fewest(range(1024), lambda some: bool(asked.append(1)) or 700 in some) == (700,)
    assert len(asked) <= 20


@given(st.integers(1, 10**6), st.data())
def test_the_smallest_size_is_found_in_as_many_questions_as_it_has_bits(size: int, data: st.DataObject) -> None:
    least = data.draw(st.integers(1, size))
    asked: list[int] = []
    low, found = smallest(size, lambda now: bool(asked.append(now)) or now >= least)
    assert (low, found) == (least - 1, least)
    assert len(asked) <= 2 + log2(size)
    assert smallest(size, lambda now: now >= least, low)[1] == least


@given(st.integers(1, 4096), st.randoms(use_true_random=False), st.sampled_from([0.0, 1 / 8]))
def test_a_size_that_is_given_was_seen_to_show_it(size: int, random: object, grain: float) -> None:
    seen = {size: True}
    _, found = smallest(size, lambda now: seen.setdefault(now, random.random() < 0.5), 0, grain)  # type: ignore[attr-defined]
    assert seen[found]


def test_a_coarse_search_stops_within_an_eighth() -> None:
    asked: list[int] = []
    low, found = smallest(16_000, lambda now: bool(asked.append(now)) or now >= 9_000, grain=1 / 8)
    assert low < 9_000 <= found <= low + found / 8
    assert len(asked) <= 6
