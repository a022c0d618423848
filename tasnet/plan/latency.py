"""How late a stream's estimates are: a block is heard, then computed while the next one is heard.

A plan runs in real time if computing a block takes no longer than the block lasts (load <= 1). Latency counts from when
a block's first sample is heard to when the last of its estimates is there: the block, one stride more (the half of its
last frame that the next block overlaps), and its computing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil

from tasnet.plan.function import LOCAL_NORMS, Function, PlanError, TrainedFunction
from tasnet.plan.search import PlanProblem, Route, front, total_seconds

MAX_BLOCK = 1 << 16
"""frames: a minute at 8 kHz, which nobody would call a stream"""
DOUBLINGS = 4
"""of the shortest block that runs in real time: what longer ones bring is on the Pareto front, too"""

STREAMED_NORMS = LOCAL_NORMS | {"cgln"}
"""norms that look at no later frame"""


@dataclass(frozen=True)
class StreamRoute:
    """A route of a stream in blocks: how long a block is in frames and seconds, and how long computing it takes."""

    block: int
    route: Route
    block_seconds: float
    compute_seconds: float
    latency_seconds: float

    @property
    def load(self) -> float:
        """The real-time factor: above 1 the stream is not kept up with."""
        return self.compute_seconds / self.block_seconds


def check_streams(trained: TrainedFunction) -> None:
    """Raises PlanError for a function that can't be computed from what was heard so far."""
    function = trained.function
    if function.norm not in STREAMED_NORMS:
        raise PlanError(
            f"norm={function.norm} spans the whole signal, and a stream has no end: stream a causal network with "
            f"{', '.join(sorted(STREAMED_NORMS))}, or plan whole clips without --block and --latency"
        )
    if not function.causal and function.reach[1]:
        raise PlanError(
            f"a network that looks {function.reach[1]:,} frames ahead can't stream: use one that was trained with "
            "causal=True, or plan whole clips without --block and --latency"
        )
    if trained.padding:
        raise PlanError("torchaudio's zeros around the wave are no stream's; use a checkpoint of Asteroid's")


def block_seconds(function: Function, block: int, rate: float) -> float:
    """How long a block lasts."""
    return block * function.size.stride / rate


def options(search: PlanProblem, rate: float) -> list[StreamRoute]:
    """The Pareto front of routes for the search's block, in seconds."""
    lasts = block_seconds(search.function, search.frames, rate)
    # A frame overlaps the next one by half, which is a stride.
    stride = block_seconds(search.function, 1, rate)
    return [
        StreamRoute(search.frames, route, lasts, spent, lasts + stride + spent)
        for route in front(search)
        for spent in [total_seconds(search, route)]
    ]


def least_latency(of_block: Callable[[int], PlanProblem], rate: float, most: float | None = None) -> list[StreamRoute]:
    """The options of the block with the least latency, the quickest first; or of the largest within `most` seconds.

    Compute time grows with the block's length, but more slowly. So, from one frame up, the next block is as long as
    computing the last one took, until load <= 1: the shortest block that runs in real time. Raises PlanError where none
    does.
    """
    block, quickest = 1, _quickest(of_block(1), rate)
    while quickest.load > 1:
        stride = quickest.block_seconds / quickest.block
        block = max(block + 1, ceil(quickest.compute_seconds / stride - 1e-9))
        if block > MAX_BLOCK:
            raise PlanError(
                f"no block keeps up: one of {quickest.block_seconds:.3g} s takes {quickest.compute_seconds:.3g} s by "
                "the model; allow wider rows or more layers, or name other --hardware"
            )
        quickest = _quickest(of_block(block), rate)
    if most is None:
        return _sorted(of_block(block), rate)
    if quickest.latency_seconds > most:
        raise PlanError(
            f"--latency {1e3 * most:g}: the least is {1e3 * quickest.latency_seconds:.0f} ms by the model, with blocks "
            f"of {block} frames; allow that"
        )
    low, high = block, MAX_BLOCK + 1
    while high - low > 1:
        middle = min((low + high) // 2, 2 * low)
        low, high = (middle, high) if _quickest(of_block(middle), rate).latency_seconds <= most else (low, middle)
    return _sorted(of_block(low), rate)


def larger_blocks(of_block: Callable[[int], PlanProblem], rate: float, chosen: list[StreamRoute]) -> list[StreamRoute]:
    """The Pareto front (latency, load, HEFs, MACs) over larger blocks, too. The least latency first."""
    block = chosen[0].block
    found = list(chosen)
    for times in range(1, DOUBLINGS + 1):
        if block << times <= MAX_BLOCK:
            found += options(of_block(block << times), rate)
    return list(_undominated([each for each in found if each.load <= 1] or chosen))


def _undominated(found: list[StreamRoute]) -> Iterator[StreamRoute]:
    values = {
        id(each): (each.latency_seconds, each.load, each.route.hefs, each.route.macs / each.block) for each in found
    }
    for each in sorted(found, key=lambda one: values[id(one)]):
        own = values[id(each)]
        if not any(other != own and all(a <= b for a, b in zip(other, own, strict=True)) for other in values.values()):
            yield each


def _quickest(search: PlanProblem, rate: float) -> StreamRoute:
    return min(options(search, rate), key=lambda each: each.compute_seconds)


def _sorted(search: PlanProblem, rate: float) -> list[StreamRoute]:
    return sorted(options(search, rate), key=lambda each: each.compute_seconds)
