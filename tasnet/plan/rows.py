"""Rows: how a segment's windows lie over a signal, and how its frames get there and back. numpy and nothing else.

A row is `width` frames of the sequence h, h + phase, h + 2 phase, … The first row of a sequence starts with it, the
last ends with it, so both true ends get the layers' own zero padding; what the neighbours' halos spoil is cropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

Array = Any
"""a numpy array; of channels x frames where nothing else is said"""
T = TypeVar("T")


@dataclass(frozen=True)
class Row:
    """One stretch. `start` and the valid part `low` to `high` count frames of the row's own sequence."""

    sequence: int
    start: int
    low: int
    high: int


def min_frames(width: int, phase: int) -> int:
    """The fewest frames of a signal that rows of this width fit into: each sequence must hold one."""
    return width * phase


def rows_over(frames: int, width: int, halo: tuple[int, int], phase: int) -> list[Row]:
    """The rows that cover a signal; their valid parts are disjoint, and every frame is in one.

    `halo` is what a cut edge spoils: frames at a row's begin, and at its end.
    Raises ValueError where a sequence is shorter than a row, or where rows are all halo.
    """
    found = []
    for sequence in range(phase):
        length = (frames - sequence + phase - 1) // phase
        count = row_count(length, width, halo)
        if count is None:
            raise ValueError(f"{length} frames in a sequence: rows of {width} with {halo} of halo don't cover them")
        inner, low = width - sum(halo), 0
        for index in range(count):
            last = index == count - 1
            start = length - width if last else index * inner
            high = length if last else start + width - halo[1]
            found.append(Row(sequence, start, low, high))
            low = high
    return found


def block_rows(known: int, new: int, block: int, width: int, halo: tuple[int, int]) -> list[tuple[Row, Row]]:
    """The rows for a block's `new` frames, behind `known` frames of the stream that are given again.

    Each as it lies in the window of those, and as counted from the block's first frame. `known` is the halo before, or
    all there is: then the window's begin is the stream's. A last block may be shorter than `block`.
    """
    found = []
    for row in rows_over(block + halo[0], width, halo, 1):
        low, high = max(row.low, known), min(row.high, known + new)
        if low < high:
            found.append((row, Row(0, row.start - known, low - known, high - known)))
    return found


def row_count(length: int, width: int, halo: tuple[int, int]) -> int | None:
    """Rows that cover a sequence of `length` frames; None where they can't."""
    if length == width:
        return 1
    spoilt = sum(halo)
    if length < width or width <= spoilt:
        return None
    return max(1, -(-(length - spoilt) // (width - spoilt)))


def row_batches(found: Sequence[T], height: int) -> Iterator[Sequence[T]]:
    """The rows, `height` at a time: what one invocation takes. The last group may be smaller."""
    for index in range(0, len(found), height):
        yield found[index : index + height]


def gather(signal: Array, taken: Sequence[Row], width: int, height: int, phase: int) -> Array:
    """[C, frames] -> [1, C, height, width]; rows that are missing are the last one again, and mean nothing."""
    starts = np.array([row.sequence + phase * row.start for row in taken])
    starts = np.concatenate([starts, np.repeat(starts[-1:], height - len(taken))])
    if phase == 1 and height == 1:
        return signal[None, :, None, starts[0] : starts[0] + width]
    places = starts[:, None] + phase * np.arange(width)
    return np.ascontiguousarray(np.take(signal, places.reshape(-1), axis=1).reshape(1, len(signal), height, width))


def scatter(made: Array, taken: Sequence[Row], phase: int, signal: Array, *, add: bool = False) -> None:
    """Writes the valid parts of [1, C, height, width] to their frames of [C, frames], or adds them."""
    for index, row in enumerate(taken):
        place = frame_slice(row, phase)
        valid = made[0, :, index, row.low - row.start : row.high - row.start]
        if add:
            signal[:, place] += valid
        else:
            signal[:, place] = valid


def frame_slice(row: Row, phase: int) -> slice:
    """The frames of the signal that a row's valid part is."""
    return slice(row.sequence + phase * row.low, row.sequence + phase * (row.high - 1) + 1, phase)
