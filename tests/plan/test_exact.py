"""A plan computes the uncut PyTorch network: in float64 to its rounding, for every norm, activation, length and cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tasnet.network import Size, Variant, seeded_weights
from tasnet.plan.function import PlanError, function_of_variant
from tasnet.plan.run import separate, spans, too_short
from tests.plan.running import Modules, apart, doubles, drawn, noise, planned, uncut

ROUNDING = 1e-9
"""of the peak: float64's rounding is near 1e-15, and nothing else may be there"""
POOLED = 1e-6
"""the same where the uncut network's norm pools by a 1/C in float32"""
NORMS = ("identity", "affine", "cln", "gln", "gln_pool", "cgln", "channel")
SMALL = Size(N=7, L=8, B=5, H=9, Sc=6, P=3, X=4, R=2, n_src=2)


def difference(
    variant: Variant, size: Size, length: int, *others: int, mask_activation: str = "relu", **bounds: object
) -> float:
    """How far a plan made for one length is at most from the network, on a signal of this length and of others."""
    trained = function_of_variant(variant, size, drawn(size), mask_activation)
    plan = planned(trained, length, **bounds)
    weights, run = doubles(trained), Modules(plan, trained)
    found = []
    for each in (length, *others):
        mix = noise(each, each)
        found.append(apart(separate(plan, weights, run, mix), uncut(variant, size, drawn(size), mix, mask_activation)))
    return max(found)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("activation", ["prelu", "prelu_maxmin", "leaky_relu", "relu"])
def test_every_norm_and_activation(norm: str, activation: str) -> None:
    variant = Variant(norm=norm, activation=activation)
    most = POOLED if norm == "gln_pool" else ROUNDING
    assert difference(variant, SMALL, 700, 1001, rows=9 * 60) < most


@pytest.mark.parametrize("kernel", [2, 3])
@pytest.mark.parametrize("norm", NORMS)
def test_every_norm_of_a_causal_network(norm: str, kernel: int) -> None:
    size, variant = replace(SMALL, P=kernel), Variant(norm=norm, activation="prelu", causal="pad")
    most = POOLED if norm == "gln_pool" else ROUNDING
    assert difference(variant, size, 700, 1001, rows=9 * 60) < most


@pytest.mark.parametrize("coders", ["host", "chip"])
@pytest.mark.parametrize("mask_activation", ["relu", "sigmoid"])
@pytest.mark.parametrize("max_blocks", [1, 3, None])
def test_every_depth_of_cut_with_encoder_and_decoder_on_either_side(
    coders: str, mask_activation: str, max_blocks: int | None
) -> None:
    bounds = {"coders": coders, "max_blocks": max_blocks, "rows": 9 * 80}
    variant = Variant(norm="cln", activation="prelu")
    assert difference(variant, SMALL, 900, mask_activation=mask_activation, **bounds) < ROUNDING


@pytest.mark.parametrize("norm", ["identity", "cln", "gln", "cgln"])
def test_observed_pieces_alone_with_everything_between_on_the_host(norm: str) -> None:
    # Channels past what was seen to compile, so that both sides of a convolution are cut.
    size = Size(N=300, L=8, B=20, H=260, Sc=18, P=3, X=2, R=1, n_src=2)
    variant = Variant(norm=norm, activation="prelu")
    assert difference(variant, size, 500, 611, mask_activation="sigmoid", observed=True) < ROUNDING


@st.composite
def sizes(draw: st.DrawFn) -> Size:
    few = st.integers(2, 8)
    return Size(
        N=draw(few),
        L=2 * draw(st.integers(1, 5)),
        B=draw(few),
        H=draw(few),
        Sc=draw(few),
        P=draw(st.sampled_from([1, 3, 5])),
        X=draw(st.integers(1, 5)),
        R=draw(st.integers(1, 2)),
        n_src=draw(st.integers(1, 3)),
    )


@settings(max_examples=30, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(st.data())
def test_drawn_sizes_bounds_and_lengths(data: st.DataObject) -> None:
    size = data.draw(sizes())
    norm = data.draw(st.sampled_from(["identity", "affine", "cln", "gln", "cgln"]))
    causal = data.draw(st.sampled_from(["off", "pad"]))
    variant = Variant(norm=norm, activation=data.draw(st.sampled_from(["prelu", "relu"])), causal=causal)
    frames = data.draw(st.integers(2, 150))
    bounds = {
        "rows": data.draw(st.integers(1, frames)) * max(size.N, size.H, size.B, size.Sc),
        "max_blocks": data.draw(st.sampled_from([None, 1, 2])),
        "max_height": data.draw(st.sampled_from([16, 1, 3])),
        "coders": data.draw(st.sampled_from(["host", "chip"])),
        "objective": data.draw(st.sampled_from(["time", "hefs", "macs"])),
    }
    length = (frames + 1) * size.stride + data.draw(st.integers(0, size.stride - 1))
    other = data.draw(st.integers(size.L, 2 * length))
    trained = function_of_variant(variant, size, drawn(size))
    try:
        plan = planned(trained, length, **bounds)
    except PlanError:
        assume(False)
    mix = noise(other, other)
    runner = Modules(plan, trained)
    got = separate(plan, doubles(trained), runner, mix)
    expected = uncut(variant, size, drawn(size), mix)
    assert np.abs(got - expected).max() <= ROUNDING * max(1.0, np.abs(expected).max())
    if other == length:
        assert runner.shapes, "the plan's own length runs on the chip"


def test_a_clip_shorter_than_a_window_is_the_hosts_and_right() -> None:
    variant = Variant(norm="cln", activation="prelu")
    trained = function_of_variant(variant, SMALL, drawn(SMALL))
    plan = planned(trained, 900, rows=9 * 80)
    runner = Modules(plan, trained)
    assert too_short(plan, SMALL.frames(60))
    for length in (8, 9, 12, 60):
        mix = noise(length)
        got = separate(plan, doubles(trained), runner, mix)
        assert apart(got, uncut(variant, SMALL, drawn(SMALL), mix)) < ROUNDING
    assert not runner.shapes


def test_a_long_signal_is_taken_in_spans_and_is_still_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasnet.plan.run.SPAN", 300)
    variant = Variant(norm="cln", activation="relu")
    trained = function_of_variant(variant, SMALL, drawn(SMALL))
    plan = planned(trained, 700, rows=9 * 60)
    mix = noise(4 * 1500 + 3)
    runner = Modules(plan, trained)
    got = separate(plan, doubles(trained), runner, mix)
    assert apart(got, uncut(variant, SMALL, drawn(SMALL), mix)) < ROUNDING
    assert len(spans(plan, SMALL.frames(len(mix)))) >= 5


def test_torchaudios_padding_is_zeros_around_the_wave_and_a_crop() -> None:
    variant = Variant(norm="gln", activation="prelu")
    trained = replace(function_of_variant(variant, SMALL, drawn(SMALL)), padding=SMALL.stride)
    plan = planned(trained, 700, rows=9 * 60)
    for length in (700, 701, 30):
        mix = noise(length)
        padded = uncut(variant, SMALL, drawn(SMALL), np.pad(mix, SMALL.stride))
        got = separate(plan, doubles(trained), Modules(plan, trained), mix)
        assert apart(got, padded[:, SMALL.stride : SMALL.stride + length]) < ROUNDING


def test_one_source_and_fewer_blocks_are_planned_as_the_functions_they_are() -> None:
    for variant in (Variant(sources="first", norm="affine"), Variant(blocks=3, norm="gln", activation="prelu")):
        assert difference(variant, SMALL, 700, 800, rows=9 * 60) < ROUNDING


@pytest.mark.parametrize(
    ("variant", "told"),
    [
        (Variant(mask="bypass"), "mask=bypass: without masks"),
        (Variant(skip="off"), "skip=off: plans are made"),
        (Variant(decoder="reduced_deconv_64"), "decoder=reduced_deconv_64: not the trained decoder"),
    ],
)
def test_what_is_no_trained_network_is_refused(variant: Variant, told: str) -> None:
    with pytest.raises(PlanError, match=told):
        function_of_variant(variant, SMALL, seeded_weights(SMALL))
