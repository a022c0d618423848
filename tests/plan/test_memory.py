"""What a run keeps in memory: as the plan says where norms span the signal, and no more for a longer one elsewhere."""

from __future__ import annotations

import tracemalloc
from collections.abc import Collection, Mapping

import numpy as np
import pytest

from tasnet.network import Size, Variant, seeded_weights
from tasnet.plan.cuts import Plan, Segment
from tasnet.plan.function import TrainedFunction, function_of_variant
from tasnet.plan.run import estimates
from tasnet.plan.table import kept_bytes
from tests.plan.running import planned

SIZE = Size(N=32, L=16, B=8, H=32, Sc=8, P=3, X=4, R=2, n_src=2)


def silent(segment: Segment, inputs: Mapping[str, np.ndarray], wanted: Collection[str]) -> dict[str, np.ndarray]:
    shape = next(iter(inputs.values())).shape[2:]
    return {port.role: np.zeros((1, port.channels, *shape), np.float32) for port in segment.outputs}


def most(plan: Plan, trained: TrainedFunction, samples: int) -> int:
    """Bytes at the worst moment; the wave itself is made as it is read."""
    weights = {name: trained.weights[name].numpy() for name in trained.weights}
    tracemalloc.start()
    try:
        for _ in estimates(plan, weights, silent, lambda _, count: np.ones(count, np.float32), samples):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("objective", ["time", "macs"])
@pytest.mark.parametrize("norm", ["gln", "cgln"])
def test_a_run_keeps_as_much_as_the_plan_says(norm: str, objective: str) -> None:
    trained = function_of_variant(Variant(norm=norm, activation="prelu"), SIZE, seeded_weights(SIZE, 3))
    plan = planned(trained, 16_000, objective, rows=8000)
    short, long = (most(plan, trained, samples) for samples in (50_000, 100_000))
    assert (long - short) / 50_000 == pytest.approx(kept_bytes(plan), rel=0.2)


def test_local_norms_keep_no_more_for_ten_minutes_than_for_one() -> None:
    trained = function_of_variant(Variant(norm="cln", activation="prelu"), SIZE, seeded_weights(SIZE, 3))
    plan = planned(trained, 16_000, rows=8000)
    minute, ten = (most(plan, trained, 60 * 8000 * minutes) for minutes in (1, 10))
    assert ten < 1.01 * minute
