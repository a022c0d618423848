"""How long a compile takes: by this store's own times where there are any, else by the layers at work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from tasnet.common import counted
from tasnet.hailo.predict import Demands
from tasnet.suite.ask.replies import TimedReply

SMALL = 40.0
"""seconds: what the public small pieces took, about each"""
WHOLE, WHOLE_LAYERS = 1902.0, 151
"""seconds of the public notes' whole network until it was given up (31 min 42 s), and its layers at work"""


@dataclass(frozen=True)
class Expected:
    """Seconds of a compile, and where they come from."""

    seconds: float
    source: str


def expected(graphs: Iterable[Demands], told: Iterable[TimedReply]) -> list[Expected]:
    """What each graph is expected to take: its own times, else all own times by layers, else the public figures."""
    own: dict[Demands, list[float]] = {}
    for each in told:
        if each.seconds > 0:
            own.setdefault(each.reply.demands, []).append(each.seconds)
    shares = [seconds / _by_layers(graph) for graph, times in own.items() for seconds in times]
    factor, many = (median(shares), len(shares)) if shares else (1.0, 0)
    source = f"by layers, after {many} own compiles" if many else "by layers, after public figures"
    return [
        Expected(median(own[graph]), f"its own {counted(len(own[graph]), 'compile')}")
        if graph in own
        else Expected(_by_layers(graph) * factor, source)
        for graph in graphs
    ]


def _by_layers(graph: Demands) -> float:
    """A straight line through the public figures."""
    return SMALL + (WHOLE - SMALL) * (graph.layers_at_work - 1) / (WHOLE_LAYERS - 1)
