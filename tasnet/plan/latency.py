"""How late a stream's estimates are: a block is heard, then computed while the next one is heard.

A plan keeps up where a block takes no longer than it lasts. Latency counts from when a block's first sample is heard
to when the last of its estimates is there: the block, the half frame that overlaps the next one, and its computing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil

from tasnet.plan.function import LOCAL_NORMS, Function, PlanError, TrainedFunction
from tasnet.plan.search import PlanProblem, Route, front, total_seconds

MAX_BLOCK = 1 << 16
"""frames: a minute at 8 kHz, which nobody would call a stream"""
LARGER = 4
"""times that the front's blocks are doubled"""

STREAMED_NORMS = LOCAL_NORMS | {"cgln"}
"""norms that look at no later frame"""


@dataclass(frozen=True)
class Option:
    """A path of a stream in blocks of so many frames: seconds of a block as it is heard and as it is computed."""

    block: int
    route: Route
    heard: float
    computed: float
    latency: float

    @property
    def load(self) -> float:
        """The real-time factor: of more than 1 nothing keeps up."""
        return self.computed / self.heard


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


def heard_seconds(function: Function, block: int, rate: float) -> float:
    """How long a block lasts."""
    return block * function.size.stride / rate


def options(search: PlanProblem, rate: float) -> list[Option]:
    """The front of the search's block, as seconds."""
    heard = heard_seconds(search.function, search.frames, rate)
    late = heard_seconds(search.function, 1, rate)
    return [
        Option(search.frames, route, heard, spent, heard + late + spent)
        for route in front(search)
        for spent in [total_seconds(search, route)]
    ]


def least_latency(of_block: Callable[[int], PlanProblem], rate: float, most: float | None = None) -> list[Option]:
    """The options of the block with the least latency, the quickest first; or of the largest within `most` seconds.

    A block takes longer the longer it is, if by less than it lasts: from one frame up, the first block that lasts as
    long as the quickest plan takes for it is the shortest that keeps up. Raises PlanError where none does.
    """
    block, quickest = 1, _quickest(of_block(1), rate)
    while quickest.load > 1:
        stride = quickest.heard / quickest.block
        block = max(block + 1, ceil(quickest.computed / stride - 1e-9))
        if block > MAX_BLOCK:
            raise PlanError(
                f"no block keeps up: one of {quickest.heard:.3g} s takes {quickest.computed:.3g} s by the model; "
                "allow wider rows or more layers, or name other --hardware"
            )
        quickest = _quickest(of_block(block), rate)
    if most is None:
        return _sorted(of_block(block), rate)
    if quickest.latency > most:
        raise PlanError(
            f"--latency {1e3 * most:g}: the least is {1e3 * quickest.latency:.0f} ms by the model, with blocks of "
            f"{block} frames; allow that"
        )
    low, high = block, MAX_BLOCK + 1
    while high - low > 1:
        middle = min((low + high) // 2, 2 * low)
        low, high = (middle, high) if _quickest(of_block(middle), rate).latency <= most else (low, middle)
    return _sorted(of_block(low), rate)


def larger_blocks(of_block: Callable[[int], PlanProblem], rate: float, chosen: list[Option]) -> list[Option]:
    """The front over larger blocks too: nothing is better in latency, load, HEFs and MACs. The least latency first."""
    block = chosen[0].block
    found = list(chosen)
    for times in range(1, LARGER + 1):
        if block << times <= MAX_BLOCK:
            found += options(of_block(block << times), rate)
    return list(_undominated([each for each in found if each.load <= 1] or chosen))


def _undominated(found: list[Option]) -> Iterator[Option]:
    values = {id(each): (each.latency, each.load, each.route.hefs, each.route.macs / each.block) for each in found}
    for each in sorted(found, key=lambda one: values[id(one)]):
        own = values[id(each)]
        if not any(other != own and all(a <= b for a, b in zip(other, own, strict=True)) for other in values.values()):
            yield each


def _quickest(search: PlanProblem, rate: float) -> Option:
    return min(options(search, rate), key=lambda each: each.computed)


def _sorted(search: PlanProblem, rate: float) -> list[Option]:
    return sorted(options(search, rate), key=lambda each: each.computed)
