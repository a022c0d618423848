"""How late a stream is by the model, which block is chosen for that, and what a plan for streams says of itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tasnet.network import Size
from tasnet.plan.candidates import Bounds
from tasnet.plan.compiled import plan_without, refused_of
from tasnet.plan.function import Function, PlanError, TrainedFunction
from tasnet.plan.latency import StreamRoute, least_latency, options
from tasnet.plan.search import PlanProblem
from tests.plan.running import HARDWARE, made_of

PAPER = TrainedFunction(Function(Size(), 24, "cln", "prelu", "relu", True), {}, 8000.0)
PAPER.__dict__["digest"] = ""
"""the notes' network, causal, on shapes alone"""


def model_of(switch: float, function: Function = PAPER.function, **bounds: Any) -> StreamRoute:
    """The least latency at a switch of so many seconds."""
    hardware = replace(HARDWARE, switch_seconds=replace(HARDWARE.switch_seconds, value=switch))
    return least_latency(
        lambda block: PlanProblem(function, block, "hailo8", Bounds(stream=True, **bounds), hardware), 8000
    )[0]


@pytest.mark.parametrize(
    ("bounds", "hefs", "milliseconds"),
    [
        # switch 1, 3 and 10 ms: a prototype's figures for 4, 7 and 26 HEFs, which are to be beaten
        ({}, 4, (30, 46, 102)),
        ({"max_blocks": 4}, 7, (36, 65, 164)),
        ({"max_blocks": 1}, 26, (98, 232, 700)),
    ],
)
def test_the_real_network_is_less_late_than_a_prototype_and_of_fewer_hefs(
    bounds: dict[str, int], hefs: int, milliseconds: tuple[float, ...]
) -> None:
    for switch, most in zip((1e-3, 3e-3, 10e-3), milliseconds, strict=True):
        found = model_of(switch, **bounds)
        assert found.route.hefs <= hefs
        assert 1e3 * found.latency_seconds <= most
        assert found.load <= 1


def test_cumulative_norms_are_less_late_than_a_prototype_whose_host_computed_them() -> None:
    # 26 HEFs: 232 and 700 ms at a switch of 3 and 10 ms
    for switch, most in ((3e-3, 232), (10e-3, 700)):
        found = model_of(switch, replace(PAPER.function, norm="cgln"))
        assert found.route.hefs <= 24
        assert 1e3 * found.latency_seconds <= most


def test_the_least_latency_is_the_shortest_block_that_keeps_up() -> None:
    found = model_of(3e-3)
    search = PlanProblem(PAPER.function, found.block, "hailo8", Bounds(stream=True), HARDWARE)
    assert found.compute_seconds == min(each.compute_seconds for each in options(search, 8000))
    assert found.latency_seconds == pytest.approx((found.block + 1) * 8 / 8000 + found.compute_seconds)
    for block in range(max(1, found.block - 6), found.block):
        shorter = options(replace(search, frames=block), 8000)
        assert min(each.compute_seconds for each in shorter) > block * 8 / 8000


def test_within_a_latency_the_largest_block_is_taken_and_the_plan_says_the_same() -> None:
    made = made_of(PAPER, latency=0.2)
    (own, *_) = [each for each in made.options if each.block == made.plan.block]
    assert own.latency_seconds <= 0.2
    assert own.compute_seconds == pytest.approx(made.plan.seconds.total)
    assert own.route.hefs == len(made.plan.on_chip)
    assert made.plan.block is not None
    after = options(replace(made.search, frames=made.plan.block + 1), 8000)
    assert min(each.latency_seconds for each in after) > 0.2
    with pytest.raises(PlanError, match=r"--latency 20: the least is \d+ ms by the model, with blocks of \d+ frames"):
        made_of(PAPER, latency=0.02)


def test_the_front_over_blocks_holds_nothing_that_another_beats_in_all() -> None:
    found = made_of(PAPER).options
    values = [(each.latency_seconds, each.load, each.route.hefs, each.route.macs / each.block) for each in found]
    assert len({each.block for each in found}) > 2
    for one in values:
        assert not any(all(a <= b for a, b in zip(two, one, strict=True)) for two in values if two != one)
        assert one[1] <= 1


def test_a_single_hef_stays_loaded_while_the_stream_lasts() -> None:
    small = Size(N=128, L=40, B=128, H=256, Sc=128, P=3, X=7, R=2)
    trained = TrainedFunction(Function(small, 14, "cln", "prelu", "relu", True), {}, 8000.0)
    trained.__dict__["digest"] = ""
    plan = made_of(trained, 40).plan
    assert len(plan.on_chip) == 1
    assert plan.seconds.switch == 0
    assert all(each.seconds.switch > 0 for each in made_of(trained, 40, max_blocks=5).plan.on_chip)


def test_state_is_what_the_depthwise_convolutions_look_back_at_where_the_host_computes_them() -> None:
    # 2 frames x dilation of 512 channels in 3 x 8 blocks, and three sums of each of 49 cgLN, and the half frames
    cumulative = TrainedFunction(replace(PAPER.function, norm="cgln"), {}, 8000.0)
    cumulative.__dict__["digest"] = ""
    assert made_of(cumulative, 400, observed=True).plan.state == 783_360 + 3 * 49 + 3 * 8


def test_without_a_refused_segment_the_stream_has_the_same_blocks() -> None:
    made = made_of(PAPER, 20)
    refused = (refused_of(made.plan, made.plan.on_chip[0], "compile", "too deep", "a test"),)
    again = plan_without(made.plan, PAPER, refused)
    assert again.block == 20
    assert len(again.on_chip) > len(made.plan.on_chip)
