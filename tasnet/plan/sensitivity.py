"""What the choice would be if a figure of the hardware profile were another: every figure at both ends of its range."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tasnet.plan.cost import network_macs
from tasnet.plan.hardware import FIGURES, Hardware
from tasnet.plan.search import PlanProblem, Route, choose, total_seconds


@dataclass(frozen=True)
class SensitivityRow:
    """One figure at another value: what the plan would take, what a plan chosen there would, and the host alone."""

    figure: str
    value: float
    kept_seconds: float
    best_seconds: float
    best_hefs: int
    same: bool
    """whether the plan chosen there has the same segments"""
    null_seconds: float


def sensitivities(search: PlanProblem, objective: str, chosen: Route) -> Iterator[SensitivityRow]:
    """Each figure of the profile at the ends of its range, the others as they are."""
    for name in FIGURES:
        figure = getattr(search.hardware, name)
        for value in sorted({figure.low, figure.high} - {figure.value}):
            hardware: Hardware = replace(search.hardware, **{name: replace(figure, value=value)})
            there = replace(search, hardware=hardware)
            best, _ = choose(there, objective)
            yield SensitivityRow(
                figure=name,
                value=value,
                kept_seconds=total_seconds(there, route_with_costs_of(there, chosen)),
                best_seconds=total_seconds(there, best),
                best_hefs=best.hefs,
                same=_cuts(best) == _cuts(chosen),
                null_seconds=network_macs(search.function, search.frames) / hardware.host_macs_per_second.value,
            )


def route_with_costs_of(search: PlanProblem, route: Route) -> Route:
    """The path's steps at the prices of this search."""
    return search.route(tuple(search.step(step.start, step.stop, step.candidate) for step in route.steps))


def _cuts(route: Route) -> list[object]:
    return [step.candidate.cut if step.candidate else (step.start, step.stop) for step in route.steps]
