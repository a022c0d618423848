"""The changed graphs at every stage, as this side computes them: against their limits, and against the base's.

Whether the stages are one function is held against thresholds.yaml. Whether it is the base's function is told and fails
nothing: a change may be meant to change it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

from tasnet.suite.cases import Case, Outcome, Provenance, Stage, Status
from tasnet.suite.gate.result import Distance
from tasnet.suite.numerics import (
    StageFigure,
    Thresholds,
    distance,
    measure_case,
    one_mix,
    onnx_waveform,
    run_stages,
    snr,
    stage_figures,
    weights_label,
)
from tasnet.suite.run import Pipeline


@dataclass(frozen=True)
class Graph:
    """A changed graph: its case on this side, its cause, and both ONNX files."""

    case: Case
    cause: tuple[str, ...]
    before: Path
    after: Path


def sample(pairs: Sequence[Graph], count: int) -> tuple[Graph, ...]:
    """At most `count` of the pairs: one of every cause before a second of any, spread over each cause's pairs."""
    causes: dict[tuple[str, ...], list[Graph]] = {}
    for pair in pairs:
        causes.setdefault(pair.cause, []).append(pair)
    queues = sorted((_spread(those) for those in causes.values()), key=len, reverse=True)
    rounds = max(map(len, queues), default=0)
    return tuple([queue[turn] for turn in range(rounds) for queue in queues if turn < len(queue)][:count])


def _spread(pairs: Sequence[Graph]) -> list[Graph]:
    """The pairs so that any first few lie far apart: the first, the last, the middle, then between."""
    order: dict[int, None] = dict.fromkeys((0, len(pairs) - 1))
    steps = len(pairs)
    while len(order) < len(pairs):
        steps = max(1, steps // 2)
        order.update(dict.fromkeys(range(0, len(pairs), steps)))
    return [pairs[index] for index in order]


def measured(
    pairs: Sequence[Graph],
    pipeline: Pipeline,
    limits: Thresholds | None,
    say: Callable[[str], None],
    compiler: Pipeline | None = None,
) -> tuple[Distance, ...]:
    """Every pair on one mixture of speech; ten seconds each for the whole network."""
    found = []
    for index, pair in enumerate(pairs, 1):
        say(f"parity: {index} of {len(pairs)}, {pair.case.id}")
        mix = one_mix(pair.case.length)
        told = measure_case(pair.case, pipeline, compiler=compiler)
        breaches = limits.check(told) if limits else ()
        beyond = [breach for breach in breaches if breach.limit]
        # Only then: it takes as long again.
        before = _at_base(pair, pipeline, mix) if beyond else {}
        old = [breach for breach in beyond if _no_news(breach.figure, before.get(breach.figure.stage), limits)]
        found.append(
            Distance(
                case=pair.case.id,
                cause=pair.cause,
                snr_db={each.stage: each.snr_db for each in told},
                to_base=_to_base(pair, mix),
                breaches=tuple(str(breach) for breach in beyond if breach not in old),
                known=tuple(str(breach) for breach in old),
                unlimited=tuple(breach.figure.stage for breach in breaches if not breach.limit),
            )
        )
    return tuple(found)


NOISE_DB = 1.0
"""so much worse than the base a stage that was beyond its limit there may be, and is no regression"""


@dataclass(frozen=True)
class _OfBase(Pipeline):
    """This side's pipeline on a graph that the base wrote."""

    exported: Outcome | None = None

    def run(
        self, case: Case, until: Stage = Stage.COMPILE, *, exported: Outcome | None = None, whole: bool = False
    ) -> dict[Stage, Outcome]:
        return super().run(case, until, exported=exported or self.exported, whole=whole)


def _at_base(pair: Graph, pipeline: Pipeline, mix: Any) -> dict[str, StageFigure]:
    """The base's HAR, in float and in 8 bits, against the base's own graph in ONNX Runtime.

    The base's PyTorch isn't in this process; its ONNX is as near to that as float32 is.
    """
    exported = Outcome(
        stage=Stage.EXPORT,
        status=Status.PASSED,
        provenance=Provenance(toolchain=Stage.EXPORT.value, version="", predicted=False, exhaustive=True),
        artifact=f"{pair.before.parent.name}/{pair.before.name}",
    )
    made = run_stages(pair.case, _OfBase(pipeline.store, pipeline.toolchain, pipeline.recipe, exported=exported), mix)
    off = {stage: distance(made.waves[stage], made.waves["onnx"]) for stage in ("har", "har8") if stage in made.waves}
    return {each.stage: each for each in stage_figures(pair.case, off, weights_label(pipeline.recipe))}


def _no_news(after: StageFigure, before: StageFigure | None, limits: Thresholds | None) -> bool:
    """Whether a stage beyond its limit was so at the base, and no nearer than it is now."""
    if before is None or limits is None or not limits.check([before]):
        return False
    return after.snr_db > before.snr_db - NOISE_DB


def _to_base(pair: Graph, mix: Any) -> float | None:
    """SNR in dB of this side's graph against the base's, both run by ONNX Runtime."""
    if _signature(pair.before) != _signature(pair.after):
        return None
    before, after = (onnx_waveform(pair.case.variant, pair.case.size, each, mix) for each in (pair.before, pair.after))
    return snr(after, before)


def _signature(path: Path) -> list[Any]:
    """Names and shapes of what the graph takes and gives."""
    graph = onnx.load(str(path), load_external_data=False).graph
    return [
        (value.name, [dim.dim_value for dim in value.type.tensor_type.shape.dim])
        for value in (*graph.input, *graph.output)
    ]
