"""A stream in blocks is the uncut causal network's whole run: any block, any chunks, every norm that looks at no later
frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tasnet.network import Size, Variant
from tasnet.plan.cuts import Plan
from tasnet.plan.function import PlanError, TrainedFunction, function_of_variant
from tasnet.plan.progress import invocations
from tasnet.plan.run import separate, streamed
from tests.plan.running import Modules, apart, doubles, drawn, made_of, noise, uncut

ROUNDING = 1e-9
NORMS = ("identity", "affine", "cln", "cgln")
SMALL = Size(N=7, L=8, B=5, H=9, Sc=6, P=3, X=4, R=2, n_src=2)


def trained_of(variant: Variant, size: Size, rate: float | None = 8000.0) -> TrainedFunction:
    return replace(function_of_variant(variant, size, drawn(size)), sample_rate=rate)


def chunks(mix: np.ndarray, sizes: list[int]) -> Iterator[np.ndarray]:
    """The mix in pieces of these sizes, over and over."""
    at = index = 0
    while at < len(mix):
        yield mix[at : at + sizes[index % len(sizes)]]
        at, index = at + sizes[index % len(sizes)], index + 1


def run(plan: Plan, trained: TrainedFunction, mix: np.ndarray, sizes: list[int], past: dict[str, Any]) -> np.ndarray:
    made = streamed(plan, doubles(trained), Modules(plan, trained), chunks(mix, sizes), past=past)
    return np.concatenate(list(made), axis=1)


@pytest.mark.parametrize("kernel", [2, 3])
@pytest.mark.parametrize("coders", ["host", "chip"])
@pytest.mark.parametrize("norm", NORMS)
def test_every_norm_in_blocks_is_the_whole_run_and_the_state_is_as_large_as_said(
    norm: str, coders: str, kernel: int
) -> None:
    size, variant = replace(SMALL, P=kernel), Variant(norm=norm, activation="prelu", causal="pad")
    trained, mix = trained_of(variant, size), noise(243)
    expected = uncut(variant, size, drawn(size), mix)
    for block in (1, 7, 40)[kernel == 2 :]:
        plan = made_of(trained, block, rows=9 * 60, coders=coders).plan
        past: dict[str, Any] = {}
        assert apart(run(plan, trained, mix, [5, 64], past), expected) < ROUNDING
        carried = sum(each.size for each in past.values()) + (1 + size.n_src) * size.stride
        assert plan.state == carried


@st.composite
def sizes(draw: st.DrawFn) -> Size:
    few = st.integers(2, 6)
    return Size(
        N=draw(few),
        L=2 * draw(st.integers(1, 4)),
        B=draw(few),
        H=draw(few),
        Sc=draw(few),
        P=draw(st.integers(1, 5)),
        X=draw(st.integers(1, 5)),
        R=draw(st.integers(1, 2)),
        n_src=draw(st.integers(1, 3)),
    )


@settings(max_examples=20, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(
    sizes(),
    st.sampled_from(NORMS),
    st.one_of(st.integers(1, 40), st.integers(1, 1999)),
    st.integers(1, 120),
    st.lists(st.integers(1, 3000), min_size=1, max_size=4),
    st.data(),
)
def test_drawn_sizes_blocks_lengths_and_chunks(
    size: Size, norm: str, block: int, frames: int, pieces: list[int], data: st.DataObject
) -> None:
    variant = Variant(norm=norm, activation="prelu", causal="taps")
    trained = trained_of(variant, size)
    widest = max(size.N, size.H, size.B, size.Sc)
    bounds = {
        "rows": data.draw(st.integers(1, 300)) * widest,
        "max_blocks": data.draw(st.sampled_from([None, 1, 3])),
        "max_height": data.draw(st.sampled_from([1, 3])),
        "coders": data.draw(st.sampled_from(["host", "chip"])),
    }
    try:
        plan = made_of(trained, block, data.draw(st.sampled_from(["latency", "hefs", "macs"])), **bounds).plan
    except PlanError:
        assume(False)
    mix = noise((frames + 1) * size.stride + data.draw(st.integers(0, size.stride - 1)), frames)
    got = run(plan, trained, mix, pieces, {})
    expected = uncut(variant, size, drawn(size), mix)
    assert np.abs(got - expected).max() <= ROUNDING * max(1.0, np.abs(expected).max())


@pytest.mark.parametrize("norm", ["cln", "cgln"])
def test_observed_pieces_alone_stream_too(norm: str) -> None:
    size = Size(N=300, L=8, B=20, H=260, Sc=18, P=3, X=2, R=1, n_src=2)
    variant = Variant(norm=norm, activation="prelu", causal="pad")
    trained, mix = trained_of(variant, size), noise(611)
    plan = made_of(trained, 50, observed=True).plan
    assert apart(run(plan, trained, mix, [100], {}), uncut(variant, size, drawn(size), mix)) < ROUNDING


def test_a_wav_runs_in_the_same_blocks_and_as_many_invocations_as_are_told() -> None:
    variant = Variant(norm="cln", activation="relu", causal="pad")
    trained, mix = trained_of(variant, SMALL), noise(1500)
    plan = made_of(trained, 30, rows=9 * 60, max_height=1).plan
    runner = Modules(plan, trained)
    done: list[str] = []

    def execute(segment: Any, inputs: Any, wanted: Any) -> Any:
        done.append(segment.name)
        return runner(segment, inputs, wanted)

    got = separate(plan, doubles(trained), execute, mix)
    assert apart(got, uncut(variant, SMALL, drawn(SMALL), mix)) < ROUNDING
    assert len(done) == invocations(plan, SMALL.frames(len(mix)))


def test_nothing_of_a_block_waits_for_the_next_but_its_last_half_frame() -> None:
    variant = Variant(norm="cgln", activation="relu", causal="pad")
    trained, mix = trained_of(variant, SMALL), noise(400)
    plan = made_of(trained, 10).plan
    heard = 0

    def told() -> Iterator[np.ndarray]:
        nonlocal heard
        for at in range(0, 400, 4):
            heard = at + 4
            yield mix[at:heard]

    given_out = 0
    for block in streamed(plan, doubles(trained), Modules(plan, trained), told()):
        given_out += block.shape[1]
        assert heard < 400 or given_out >= heard - 40 - 4
        assert given_out <= heard
    assert given_out == 400


@pytest.mark.parametrize(
    ("variant", "told"),
    [
        (Variant(norm="gln", causal="pad"), "norm=gln spans the whole signal, and a stream has no end"),
        (Variant(norm="gln"), "norm=gln spans the whole signal"),
        (Variant(norm="channel", causal="pad"), "norm=channel spans the whole signal"),
        (Variant(norm="cln"), "looks 30 frames ahead can't stream"),
    ],
)
def test_what_looks_ahead_is_refused(variant: Variant, told: str) -> None:
    with pytest.raises(PlanError, match=told):
        made_of(trained_of(variant, SMALL), 10)


def test_latency_without_a_rate_and_blocks_that_are_none_are_refused() -> None:
    trained = trained_of(Variant(norm="cln", causal="pad"), SMALL, rate=None)
    with pytest.raises(PlanError, match="nothing says the network's sample rate"):
        made_of(trained)
    for block in (0, 70_000):
        with pytest.raises(PlanError, match="blocks of 1 to 65,536 frames"):
            made_of(trained, block)
    with pytest.raises(PlanError, match="torchaudio's zeros"):
        made_of(replace(trained, padding=4), 10)
