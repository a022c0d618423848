"""Windows over a signal: every frame once, ends at the true ends, halos cropped everywhere else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tasnet.plan import rows


@st.composite
def layouts(draw: st.DrawFn) -> tuple[int, int, tuple[int, int], int]:
    """frames, width, halo, phase, such that rows cover the frames."""
    phase = draw(st.sampled_from([1, 2, 4, 8]))
    halo = draw(st.tuples(st.integers(0, 6), st.integers(0, 6)))
    width = draw(st.integers(sum(halo) + 1, 40))
    return draw(st.integers(width * phase, 400)) if width * phase <= 400 else width * phase, width, halo, phase


@given(layouts())
def test_every_frame_is_valid_in_one_row_and_as_far_from_a_cut_edge_as_the_halo(
    layout: tuple[int, int, tuple[int, int], int],
) -> None:
    frames, width, halo, phase = layout
    seen = np.zeros(frames, int)
    for row in rows.rows_over(frames, width, halo, phase):
        length = (frames - row.sequence + phase - 1) // phase
        assert row.start >= 0
        assert row.start + width <= length
        assert row.low == 0 or row.low - row.start >= halo[0]
        assert row.high == length or row.start + width - row.high >= halo[1]
        seen[rows.frame_slice(row, phase)] += 1
    assert (seen == 1).all()


@given(layouts(), st.integers(1, 9), st.integers(1, 3))
def test_gathered_rows_scattered_again_are_the_signal(
    layout: tuple[int, int, tuple[int, int], int], height: int, channels: int
) -> None:
    frames, width, halo, phase = layout
    signal = np.random.default_rng(frames).normal(size=(channels, frames))
    back = np.full_like(signal, np.nan)
    for taken in rows.row_batches(rows.rows_over(frames, width, halo, phase), height):
        made = rows.gather(signal, taken, width, height, phase)
        assert made.shape == (1, channels, height, width)
        rows.scatter(made, taken, phase, back)
    np.testing.assert_array_equal(back, signal)


@given(st.integers(1, 30), st.integers(1, 70), st.integers(0, 9), st.integers(0, 20))
def test_a_blocks_frames_are_each_in_one_row_that_knows_all_before_them(
    block: int, inner: int, before: int, passed: int
) -> None:
    halo = (before, 0)
    width, known = before + min(inner, block), min(before, passed)
    for new in {1, block}:
        seen = np.zeros(new, int)
        for row, valid in rows.block_rows(known, new, block, width, halo):
            first = known + valid.low
            # Past a cut edge; the window's own begin is the stream's, or behind it lie all frames that count.
            assert row.start == 0 or first - row.start >= halo[0]
            assert (first - row.start, row.start + width) == (valid.low - valid.start, known + valid.start + width)
            assert 0 <= row.start <= block + halo[0] - width
            seen[valid.low : valid.high] += 1
        assert (seen == 1).all()


@given(
    st.integers(1, 60),
    st.integers(1, 20),
    st.tuples(st.integers(0, 12), st.integers(0, 12)),
    st.sampled_from([1, 2, 4]),
)
def test_rows_that_do_not_cover_are_refused(frames: int, width: int, halo: tuple[int, int], phase: int) -> None:
    assume(frames // phase < width)
    with pytest.raises(ValueError, match="don't cover"):
        rows.rows_over(frames, width, halo, phase)
