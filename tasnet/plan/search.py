"""The search: the cheapest way through the stages, by dynamic programming over depth cuts.

Segments don't depend on one another, so the best plan is a shortest path from the first stage to the last, with one
edge for each stretch of stages: its best segment, or the host. The path is kept for each count of HEFs, which is what
the Pareto front is read off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from tasnet.plan.candidates import Bounds, Candidate, candidates, nearest_miss, pieces, pointwise
from tasnet.plan.cost import around, on_host, runs, seconds, switch_seconds
from tasnet.plan.cut import PIECE_IN, PIECE_OUT
from tasnet.plan.function import LOCAL_NORMS, SPANNING_NORMS, Function, PlanError
from tasnet.plan.hardware import Hardware

OBJECTIVES = ("time", "hefs", "macs", "latency")
"""What is made least; of equals the quicker. Latency is a stream's: of one block it is the time."""


@dataclass(frozen=True)
class Step:
    """A stretch of stages in one segment, or on the host (`candidate` None)."""

    start: int
    stop: int
    candidate: Candidate | None
    seconds: float
    macs: int


@dataclass(frozen=True)
class Route:
    """Steps through all stages. Seconds are of the steps alone."""

    steps: tuple[Step, ...]
    seconds: float
    hefs: int
    macs: int


ANY_ROWS = 1 << 40
"""elements: as if any row were trusted"""

Key = Callable[[float, int, int], tuple[float, ...]]
"""(seconds, HEFs, MACs) -> what is compared"""

_KEYS: dict[str, Key] = {
    "time": lambda spent, hefs, macs: (spent, hefs, macs),
    "hefs": lambda spent, hefs, macs: (hefs, spent, macs),
    "macs": lambda spent, hefs, macs: (macs, spent, hefs),
}
_KEYS["latency"] = _KEYS["time"]


@dataclass(frozen=True)
class PlanProblem:
    """What a plan is searched for: a function, a signal's frames, an architecture, bounds, a profile."""

    function: Function
    frames: int
    arch: str
    bounds: Bounds
    hardware: Hardware

    def step(self, start: int, stop: int, candidate: Candidate | None) -> Step:
        """These stages in that segment, or on the host, at this hardware's prices."""
        if candidate is None:
            return Step(start, stop, None, on_host(self.function, start, stop, self.frames, self.hardware).total, 0)
        cut, found, times = candidate.cut, candidate.facts, candidate.invocations
        spent = seconds(self.function, cut, found, times, self.frames, self.hardware).total
        return Step(start, stop, candidate, spent, found.macs * times * runs(cut.form))

    def route(self, steps: tuple[Step, ...]) -> Route:
        """The steps as one path. A stream's only HEF is loaded once, before it begins."""
        chosen = [step.candidate for step in steps if step.candidate]
        spent = sum(step.seconds for step in steps)
        if self.bounds.stream and len(chosen) == 1:
            spent -= switch_seconds(chosen[0].facts, self.hardware)
        return Route(steps, spent, len(chosen), sum(step.macs for step in steps))


@lru_cache(maxsize=64)
def front(search: PlanProblem) -> tuple[Route, ...]:
    """For each count of HEFs the quickest path and that of the fewest MACs, without those that another beats in all.

    The fewest HEFs come first. Raises PlanError where nothing fits.
    """
    if search.bounds.observed:
        routes = [route for route in [_observed(search)] if route]
    else:
        stretches = list(_stretches(search))
        routes = [route for objective in ("time", "macs") for route in _by_hefs(search, objective, stretches)]
    found = [search.route(route.steps) for route in routes]
    if not found:
        raise PlanError(_why_no_plan_fits(search))
    best: list[Route] = []
    for route in sorted(found, key=lambda each: (each.hefs, each.seconds, each.macs)):
        if all(route.seconds < other.seconds or route.macs < other.macs for other in best):
            best.append(route)
    return tuple(best)


def choose(search: PlanProblem, objective: str) -> tuple[Route, tuple[Route, ...]]:
    """The path that makes the objective least, and the front that it is of. Raises PlanError."""
    paths, key = front(search), _KEYS[objective]
    return min(paths, key=lambda each: key(each.seconds, each.hefs, each.macs)), paths


def _by_hefs(search: PlanProblem, objective: str, stretches: list[list[Step]]) -> Iterator[Route]:
    """The best path for each count of HEFs."""
    function, key = search.function, _KEYS[objective]
    # best[stage][hefs]: a path to that stage with that many
    best: list[dict[int, Route]] = [{} for _ in range(function.stages + 1)]
    best[0][0] = Route((), 0.0, 0, 0)
    for ways in stretches:
        step = _best(ways, key)
        assert step is not None
        for before in best[step.start].values():
            after = _append_step(before, step)
            known = best[step.stop].get(after.hefs)
            if known is None or _objective_value(after, key) < _objective_value(known, key):
                best[step.stop][after.hefs] = after
    # A path without any HEF is the null plan, which stands beside every plan.
    yield from (route for hefs, route in sorted(best[-1].items()) if hefs)
    if function.norm not in LOCAL_NORMS and (route := _pointwise(search, key)):
        yield route


def _append_step(route: Route, step: Step) -> Route:
    hefs = route.hefs + (step.candidate is not None)
    return Route((*route.steps, step), route.seconds + step.seconds, hefs, route.macs + step.macs)


def _objective_value(route: Route, key: Key) -> tuple[float, ...]:
    return key(route.seconds, route.hefs, route.macs)


def _stretches(search: PlanProblem) -> Iterator[list[Step]]:
    """Every way to compute each stretch of stages that has one, and the host's of every end, in their order."""
    function = search.function
    for start in range(function.stages):
        # Where the host takes a block too, no count of HEFs would tell plans apart: it takes the ends alone.
        if start in (0, function.stages - 1):
            yield [search.step(start, start + 1, None)]
        for stop in range(start + 1, function.stages + 1):
            if found := _chip_steps(search, start, stop):
                yield found
            elif function.norm in SPANNING_NORMS and stop > start + 2:
                break


def _chip_steps(search: PlanProblem, start: int, stop: int) -> list[Step]:
    found = candidates(search.function, start, stop, search.frames, search.arch, search.bounds)
    return [search.step(start, stop, each) for each in found]


def _best(ways: list[Step], key: Key) -> Step | None:
    return min(ways, key=lambda step: key(step.seconds, 1, step.macs), default=None)


def _pointwise(search: PlanProblem, key: Key) -> Route | None:
    """The 1x1 convolutions on the chip and everything between them on the host: any norm."""
    function, route = search.function, Route((), 0.0, 0, 0)
    last = function.stages - 1
    for stage in range(last):
        found = pointwise(function, stage, search.frames, search.arch, search.bounds)
        step = _best([search.step(stage, stage + 1, each) for each in found], key)
        if step is None:
            return None
        route = _append_step(route, step)
    tail = [_best(_chip_steps(search, last, last + 1), key), search.step(last, last + 1, None)]
    return min((_append_step(route, step) for step in tail if step), key=lambda each: _objective_value(each, key))


def _observed(search: PlanProblem) -> Route | None:
    """All 1x1 convolutions in pieces that were seen to compile, everything else on the host: any norm."""
    function, route = search.function, Route((), 0.0, 0, 0)
    for stage in range(function.stages):
        for form in (PIECE_IN, PIECE_OUT) if 0 < stage <= function.blocks else (PIECE_IN,):
            found = pieces(function, form, stage, search.frames, search.arch, search.bounds)
            if not found:
                return None
            for each in found:
                route = _append_step(route, search.step(stage, stage + 1, each))
    return route


def total_seconds(search: PlanProblem, route: Route) -> float:
    """A path's seconds with what the host does around it."""
    return route.seconds + around(search.function, search.bounds.coders, search.frames, search.hardware).total


def _why_no_plan_fits(search: PlanProblem) -> str:
    """Where no path goes through, and what binds there."""
    function = search.function
    if search.bounds.observed and search.bounds.refused:
        return "no plan of observed pieces is left without what was refused; use --certainty extrapolated"
    bounds = search.bounds
    on_any_rows = replace(bounds, rows=ANY_ROWS)
    if bounds.observed and pieces(function, PIECE_IN, 0, search.frames, search.arch, on_any_rows):
        rows = f"{bounds.rows:,} elements"
        return f"no plan of observed pieces on rows of {rows}; allow more, or use --certainty extrapolated"
    if search.bounds.observed:
        return (
            f"no plan of observed pieces for {search.arch}: what was seen to compile are 1x1 convolutions on hailo8; "
            "use --certainty extrapolated"
        )
    for stage in range(function.stages):
        reached = any(
            candidates(function, start, stop, search.frames, search.arch, search.bounds)
            for start in range(stage + 1)
            for stop in range(stage + 1, function.stages + 1)
        )
        if not reached and search.bounds.refused:
            return f"no plan is left without what was refused: nothing computes stage {stage + 1} of {function.stages}"
        if not reached and stage not in (0, function.stages - 1):
            miss = nearest_miss(function, stage, search.frames, search.arch, search.bounds)
            where = f"block {stage} (dilation {function.dilation(stage - 1)})"
            return (
                f"no plan fits: {where} alone takes {miss.needed:,} {miss.what}, {miss.allowed:,} are allowed; "
                f"allow more{'' if search.bounds.stream else ', or plan a longer signal'}"
            )
    return "no plan fits these bounds; allow more layers, blocks or elements of a row"
