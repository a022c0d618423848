"""What is one function and what is another, over drawn sizes, lengths and weights, in float64.

In float64 the rounding of a network is near 1e-15 of its peak, so 1e-9 is room for it and for nothing else. Two forms
are compared only where their graphs differ: a form's normal form says whether they do.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tasnet.network.convtasnet import build_network
from tasnet.network.host_side import to_host_input, to_waveform
from tasnet.network.variant import AXES, Size, Variant
from tasnet.network.weights import seeded_weights
from tests.network.sizes import FAITHFUL, wave

ROUNDING = 1e-9
"""of the peak: what two forms of one function may be apart"""
POOLED = 1e-6
"""the same for a norm that pools: its 1/C is a constant of the graph, in float32"""
ANOTHER = 1e-6
"""of the peak: what two functions are apart at least"""

EXACT_DECODERS = ("grouped", "ungrouped_blockdiag", "polyphase")


@st.composite
def sizes(draw: st.DrawFn, sources: st.SearchStrategy[int] | None = None) -> Size:
    """Networks of a few channels; Sc is B, without which the skips can't be left out."""
    few = st.integers(3, 9)
    width = draw(few)
    return Size(
        N=draw(few),
        L=2 * draw(st.integers(1, 6)),
        B=width,
        H=draw(few),
        Sc=width,
        P=draw(st.sampled_from([1, 3, 5])),
        X=draw(st.integers(1, 3)),
        R=draw(st.integers(1, 2)),
        n_src=draw(st.integers(1, 3) if sources is None else sources),
    )


SEEDS = st.integers(0, 2**32 - 1)
FRAMES = st.integers(1, 40)
REST = st.integers(0, 11)
"""samples behind the last whole frame: odd lengths are among them"""


@st.composite
def variants(draw: st.DrawFn) -> Variant:
    values = {axis: draw(st.sampled_from(options)) for axis, options in AXES.items() if axis != "blocks"}
    return Variant(**values, blocks=draw(st.integers(0, 7)))


def _mix(size: Size, frames: int, rest: int, seed: int) -> torch.Tensor:
    length = (frames - 1) * size.stride + size.L + rest % size.stride
    return wave(length, batch=2, seed=seed % 1000).double()


def _run(variant: Variant, size: Size, seed: int, mix: torch.Tensor) -> torch.Tensor:
    """Waves [B, sources, T'], or the frame-rate head's values [B, sources, frames]."""
    # a sigmoid is never 0: no two masks are equal for being dead
    network = build_network(variant, size, seeded_weights(size, seed), mask_activation="sigmoid").double()
    outputs = network(to_host_input(variant, size, mix))
    if variant.decoder == "conv1x1_head":
        return outputs[0].flatten(2)
    return to_waveform(variant, size, outputs)


def _apart(found: torch.Tensor, expected: torch.Tensor) -> float:
    assert found.dtype == torch.float64
    assert found.shape == expected.shape
    assert expected.abs().max() > 0
    return float((found - expected).abs().max() / expected.abs().max())


def _equal(axis: str, value: str, base: Variant, size: Size, seed: int, mix: torch.Tensor) -> None:
    other = replace(base, **{axis: value})
    assume(other.canonical(size) != base.canonical(size))
    assert _apart(_run(other, size, seed, mix), _run(base, size, seed, mix)) < ROUNDING


@pytest.mark.parametrize("decoder", EXACT_DECODERS[1:])
@given(sizes(st.integers(2, 3)), FRAMES, REST, SEEDS, variants())
@settings(max_examples=15)
def test_grouped_is_block_diagonal_is_polyphase_and_interleaved(
    decoder: str, size: Size, frames: int, rest: int, seed: int, other: Variant
) -> None:
    base = replace(other, decoder="grouped")
    _equal("decoder", decoder, base, size, seed, _mix(size, frames, rest, seed))


@pytest.mark.parametrize("expansion", ["repeat", "project", "split"])
@given(sizes(st.integers(2, 3)), FRAMES, REST, SEEDS, variants())
@settings(max_examples=15)
def test_concat_is_repeat_is_project_is_split(
    expansion: str, size: Size, frames: int, rest: int, seed: int, other: Variant
) -> None:
    base = replace(other, expansion="concat", sources="all")
    _equal("expansion", expansion, base, size, seed, _mix(size, frames, rest, seed))


@given(sizes(), FRAMES, REST, SEEDS, variants())
@settings(max_examples=25)
def test_the_strided_encoder_is_the_polyphase_one(
    size: Size, frames: int, rest: int, seed: int, other: Variant
) -> None:
    _equal("encoder", "polyphase", replace(other, encoder="strided"), size, seed, _mix(size, frames, rest, seed))


@given(sizes(), FRAMES, REST, SEEDS, variants())
@settings(max_examples=25)
def test_horizontal_is_vertical_transposed(size: Size, frames: int, rest: int, seed: int, other: Variant) -> None:
    _equal("layout", "vertical", replace(other, layout="horizontal"), size, seed, _mix(size, frames, rest, seed))


@given(sizes(), st.sampled_from([2, 3, 4]), FRAMES, REST, SEEDS, variants())
@settings(max_examples=25)
def test_a_causal_padding_is_more_taps_of_zero(
    size: Size, kernel: int, frames: int, rest: int, seed: int, other: Variant
) -> None:
    size = replace(size, P=kernel)
    _equal("causal", "taps", replace(other, causal="pad"), size, seed, _mix(size, frames, rest, seed))


@given(sizes(st.integers(2, 3)), FRAMES, REST, SEEDS, variants())
@settings(max_examples=25)
def test_the_first_source_alone_is_the_first_of_all(
    size: Size, frames: int, rest: int, seed: int, other: Variant
) -> None:
    # the reduced decoders and the head mix the sources: theirs have no first one alone
    every = replace(other, sources="all", decoder=other.decoder if other.decoder in EXACT_DECODERS else "grouped")
    mix = _mix(size, frames, rest, seed)
    first = _run(replace(every, sources="first"), size, seed, mix)
    assert _apart(first, _run(every, size, seed, mix)[:, :1]) < ROUNDING


@given(sizes(), FRAMES, REST, SEEDS, variants())
@settings(max_examples=25)
def test_the_first_blocks_are_a_shorter_network_whole(
    size: Size, frames: int, rest: int, seed: int, other: Variant
) -> None:
    """One repeat more, cut off again: a weight depends on its name, so both have the same ones."""
    longer = replace(size, R=size.R + 1)
    kept = replace(other, blocks=size.total_blocks, mask="normal")
    mix = _mix(size, frames, rest, seed)
    assert kept.canonical(longer).blocks == size.total_blocks
    whole = _run(replace(kept, blocks=0), size, seed, mix)
    assert _apart(_run(kept, longer, seed, mix), whole) < ROUNDING


@given(variants(), sizes(), st.integers(8, 40), REST, SEEDS)
@example(replace(FAITHFUL, norm="gln_pool"), Size(N=4, L=2, B=3, H=3, Sc=3, P=1, X=1, R=1, n_src=1), 8, 0, 0)
@settings(max_examples=120)
def test_a_variant_is_another_function_exactly_when_it_says_so(
    variant: Variant, size: Size, frames: int, rest: int, seed: int
) -> None:
    mix = _mix(size, frames, rest, seed)
    found, trained = _run(variant, size, seed, mix), _run(FAITHFUL, size, seed, mix)
    if variant.keeps_function(size):
        assert _apart(found, trained) < (POOLED if variant.norm == "gln_pool" else ROUNDING)
    elif found.shape == trained.shape:
        assert _apart(found, trained) > ANOTHER
