"""Delta debugging: the fewest of some things, and the smallest of a number, that still show what is looked for.

`fewest` is ddmin (Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, 2002). Both rest on nothing
but answers: what they give back has been shown, whatever the answers in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TypeVar

T = TypeVar("T")


def fewest(items: Sequence[T], shows: Callable[[Sequence[T]], bool]) -> tuple[T, ...]:
    """A part of `items`, in their order, that shows it and would not with any one item less.

    `items` as a whole is taken to show it, and `shows` to answer alike when asked alike. With n items and one part of k
    that counts, about k log n questions; n squared at worst.
    """
    kept = tuple(items)
    pieces = 2
    while len(kept) > 1:
        chunks = _chunks(kept, pieces)
        found = next((chunk for chunk in chunks if shows(chunk)), None)
        if found is not None:
            kept, pieces = found, 2
            continue
        # with two pieces the rest of one is the other, which was asked already
        rest = next((each for each in _complements(chunks) if shows(each)), None) if pieces > 2 else None
        if rest is not None:
            kept, pieces = rest, max(pieces - 1, 2)
        elif pieces == len(kept):
            break
        else:
            pieces = min(2 * pieces, len(kept))
    return kept


def smallest(size: int, shows: Callable[[int], bool], low: int = 0, grain: float = 0.0) -> tuple[int, int]:
    """The largest size that was seen not to show it, 0 for none, and the smallest that does: `size` at most.

    `size` is taken to show it, `low` not to (0: nothing is known, and 1 is tried first). The range between is halved
    until it is `grain` of what is left, or closed: the smallest of all where no larger size stops showing it.
    """
    if low >= size or (low == 0 and (size == 1 or shows(1))):
        return 0, min(size, 1) if low == 0 else size
    low, high = max(low, 1), size
    while high - low > max(1.0, grain * high):
        middle = (low + high) // 2
        if shows(middle):
            high = middle
        else:
            low = middle
    return low, high


def _chunks(items: Sequence[T], pieces: int) -> list[tuple[T, ...]]:
    ends = [len(items) * index // pieces for index in range(pieces + 1)]
    return [tuple(items[start:end]) for start, end in pairwise(ends)]


def _complements(chunks: Sequence[tuple[T, ...]]) -> Iterator[tuple[T, ...]]:
    for left_out in range(len(chunks)):
        yield tuple(item for index, chunk in enumerate(chunks) if index != left_out for item in chunk)
