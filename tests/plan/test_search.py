"""The search finds the least, keeps its bounds, and names what binds where nothing fits."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product

import pytest

from tasnet.network import Size
from tasnet.plan.candidates import Bounds, candidates
from tasnet.plan.cost import runs, seconds
from tasnet.plan.cut import CHIP, Refused
from tasnet.plan.function import Function, PlanError
from tasnet.plan.search import PlanProblem, Step, choose, front, total_seconds
from tests.plan.running import HARDWARE

PAPER = Size()
LOCAL = Function(PAPER, 24, "cln", "prelu", "relu")


def search(function: Function = LOCAL, length: int = 16000, **bounds: object) -> PlanProblem:
    return PlanProblem(function, function.size.frames(length), "hailo8", Bounds(**bounds), HARDWARE)


def test_at_most_four_blocks_a_segment_is_six_hefs_for_the_papers_best_network() -> None:
    path, _ = choose(search(max_blocks=4), "time")
    assert path.hefs == 6
    assert sum(step.candidate.invocations for step in path.steps if step.candidate) <= 30
    assert all(step.candidate is None or step.candidate.facts.widest_row <= 384_000 for step in path.steps)


def test_the_papers_small_network_is_one_hef_without_a_window() -> None:
    small = Size(N=128, L=40, B=128, H=256, Sc=128, P=3, X=7, R=2)
    function = Function(small, 14, "cln", "prelu", "relu")
    path, _ = choose(search(function), "hefs")
    (step,) = [each for each in path.steps if each.candidate]
    assert path.hefs == 1
    assert (step.candidate.cut.width, step.candidate.count) == (small.frames(16000), 1)


def test_the_least_is_the_least_of_all_ways_to_cut() -> None:
    size = Size(N=8, L=8, B=8, H=16, Sc=8, P=3, X=3, R=1)
    function = Function(size, 3, "affine", "relu", "relu")
    asked = search(function, 2000, rows=16 * 120, coders=CHIP)
    best = {"time": float("inf"), "macs": float("inf"), "hefs": float("inf")}
    for ends in product([True, False], repeat=function.stages - 1):
        marks = [0, *(index + 1 for index, cut in enumerate(ends) if cut), function.stages]
        spent, macs, whole = 0.0, 0, True
        for start, stop in pairwise(marks):
            found = candidates(function, start, stop, asked.frames, asked.arch, asked.bounds)
            whole = whole and bool(found)
            if not whole:
                break
            costs = [
                (
                    seconds(function, each.cut, each.facts, each.invocations, asked.frames, HARDWARE).total,
                    each.facts.macs * each.invocations * runs(each.cut.form),
                )
                for each in found
            ]
            spent, macs = spent + min(costs)[0], macs + min(cost[1] for cost in costs)
        if whole:
            best["time"], best["macs"] = min(best["time"], spent), min(best["macs"], macs)
            best["hefs"] = min(best["hefs"], len(marks) - 1)
    # The host may take the ends: then there is less on the chip, and more time.
    assert choose(asked, "time")[0].seconds == pytest.approx(best["time"])
    assert choose(asked, "macs")[0].macs <= best["macs"]
    assert choose(asked, "hefs")[0].hefs <= best["hefs"]


def test_nothing_on_the_front_is_worse_than_another_in_all() -> None:
    paths = front(search(max_blocks=6))
    for one in paths:
        for other in paths:
            worse = (one.seconds >= other.seconds, one.macs >= other.macs, one.hefs >= other.hefs)
            assert one is other or not all(worse)


def test_bounds_are_kept() -> None:
    for bounds in ({"max_layers": 40}, {"max_blocks": 2}, {"max_height": 1}, {"rows": 262_144}):
        path, _ = choose(search(**bounds), "time")
        for step in path.steps:
            if step.candidate:
                assert step.candidate.facts.layers <= bounds.get("max_layers", 10**6)
                assert len(step.candidate.cut.blocks(LOCAL)) <= bounds.get("max_blocks", 24)
                assert step.candidate.cut.height <= bounds.get("max_height", 10**6)
                assert step.candidate.facts.widest_row <= bounds.get("rows", 384_000)


@pytest.mark.parametrize(
    ("bounds", "told"),
    [
        ({"max_layers": 5}, r"block 1 \(dilation 1\) alone takes 19 layers, 5 are allowed"),
        ({"rows": 1000}, r"block 1 \(dilation 1\) alone takes 1,536 elements of a row, 1,000 are allowed"),
    ],
)
def test_where_nothing_fits_it_says_what_binds(bounds: dict[str, int], told: str) -> None:
    with pytest.raises(PlanError, match=told):
        front(search(**bounds))


def test_a_network_too_wide_for_any_row_is_refused_by_its_row() -> None:
    wide = replace(PAPER, H=8192, X=1, R=2)
    with pytest.raises(PlanError, match="elements of a row"):
        front(search(Function(wide, 2, "cln", "relu", "relu"), rows=8192))


@pytest.mark.parametrize("norm", ["cln", "gln", "channel"])
def test_a_plan_of_observed_pieces_is_1x1s_of_the_size_that_compiled_one_at_a_time(norm: str) -> None:
    path, _ = choose(search(replace(LOCAL, norm=norm), observed=True), "time")
    # By hand: 512 -> 128 is 2 pieces, 128 -> 512 is 2, 512 -> 256 is 2, 128 -> 1024 is 4.
    assert path.hefs == 2 + 24 * (2 + 2) + 4
    for step in path.steps:
        cut = step.candidate.cut
        assert (cut.height, step.candidate.facts.layers) == (1, 1)
        assert cut.width <= 1024
        assert max(cut.takes[1] - cut.takes[0], cut.gives[1] - cut.gives[0]) <= 256


def test_nothing_was_observed_on_another_chip() -> None:
    with pytest.raises(PlanError, match="no plan of observed pieces for hailo8l"):
        front(replace(search(observed=True), arch="hailo8l"))


def test_gln_costs_more_than_a_local_norm_and_less_than_the_host_in_between() -> None:
    gln = search(replace(LOCAL, norm="gln"))
    by_scalars, paths = choose(gln, "time")
    assert {step.candidate.cut.form for step in by_scalars.steps if step.candidate and step.start < 25} == {"scaled"}
    assert total_seconds(gln, by_scalars) > total_seconds(search(), choose(search(), "time")[0])
    forms = {path: {step.candidate.cut.form for step in path.steps if step.candidate} for path in paths}
    (by_norms,) = [path for path, found in forms.items() if "pointwise" in found]
    assert by_norms.seconds > by_scalars.seconds


def dilations(function: Function, step: Step) -> list[int]:
    """Those of a step's blocks, as its graph has them."""
    assert step.candidate is not None
    cut = step.candidate.cut
    return [function.dilation(block) // cut.phase for block in cut.blocks(function)]


def test_a_refused_segment_is_in_no_later_plan_nor_anywhere_else_in_the_network() -> None:
    asked = search(max_blocks=4, max_height=1)
    path, _ = choose(asked, "time")
    inner = [each for each in path.steps if each.start and each.stop < LOCAL.stages - 1]
    step = max(inner, key=lambda each: len(dilations(LOCAL, each)))
    assert step.candidate is not None
    for stage, anywhere in (("compile", True), ("optimize", False)):
        refused = Refused(step.candidate.cut, stage, "agent_infeasible", "dfc 3.33.0")
        later, _ = choose(replace(asked, bounds=replace(asked.bounds, refused=(refused,))), "time")
        assert later.seconds >= path.seconds
        alike = [
            each
            for each in later.steps
            # the last block has a layer less
            if each.candidate
            and each.stop < LOCAL.stages - 1
            and dilations(LOCAL, each) == dilations(LOCAL, step)
            and each.candidate.cut.width * 2 > step.candidate.cut.width
        ]
        # Weights decide a quantization: the same layers elsewhere are another try.
        assert bool(alike) is not anywhere
        assert all((each.start, each.stop) != (step.start, step.stop) for each in alike)


def test_what_no_parser_takes_is_in_no_plan_at_any_width() -> None:
    path, _ = choose(search(), "time")
    refused = tuple(
        Refused(each.candidate.cut, "translate", "unsupported_op", "dfc 3.33.0")
        for each in path.steps
        if each.candidate
    )
    single = search().bounds
    later, _ = choose(replace(search(), bounds=replace(single, refused=refused)), "time")
    for each in later.steps:
        for gone in refused:
            if each.candidate and each.candidate.cut.phase == gone.cut.phase:
                assert not (each.start <= gone.cut.start and gone.cut.stop <= each.stop)
