"""Parity of changed graphs: every stage as this side computes it, against the limits and against the base's graph.

thresholds.yaml limits how far the stages may be apart. The distance to the base's graph is reported and fails nothing:
a change may be meant to change the function.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

from tasnet.common import Notify
from tasnet.suite.cases import AnyCase, Case, Outcome, Stage
from tasnet.suite.gate.judging import export_outcome
from tasnet.suite.gate.result import GraphParity
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
class ParityPair:
    """A changed graph: its case on this side, its cause, and both ONNX files."""

    case: Case
    cause: tuple[str, ...]
    before: Path
    after: Path


def sample_pairs(pairs: Sequence[ParityPair], count: int) -> tuple[ParityPair, ...]:
    """At most `count` of the pairs: one of each cause before a second of any, spread over the pairs of a cause."""
    causes: dict[tuple[str, ...], list[ParityPair]] = {}
    for pair in pairs:
        causes.setdefault(pair.cause, []).append(pair)
    queues = sorted((_spread(those) for those in causes.values()), key=len, reverse=True)
    rounds = max(map(len, queues), default=0)
    return tuple([queue[turn] for turn in range(rounds) for queue in queues if turn < len(queue)][:count])


def _spread(pairs: Sequence[ParityPair]) -> list[ParityPair]:
    """The pairs in an order in which any first few lie far apart: the first, the last, the middle, then between."""
    order: dict[int, None] = dict.fromkeys((0, len(pairs) - 1))
    steps = len(pairs)
    while len(order) < len(pairs):
        steps = max(1, steps // 2)
        order.update(dict.fromkeys(range(0, len(pairs), steps)))
    return [pairs[index] for index in order]


def measure_parity(
    pairs: Sequence[ParityPair],
    pipeline: Pipeline,
    limits: Thresholds | None,
    say: Notify,
    compiler: Pipeline | None = None,
) -> tuple[GraphParity, ...]:
    """The parity of every pair on one mixture of speech; ten seconds each for the whole network."""
    found = []
    for index, pair in enumerate(pairs, 1):
        say(f"parity: {index} of {len(pairs)}, {pair.case.id}")
        mix = one_mix(pair.case.length)
        figures = measure_case(pair.case, pipeline, compiler=compiler)
        breaches = limits.check(figures) if limits else ()
        beyond = [breach for breach in breaches if breach.limit]
        # Only then: it takes as long again.
        before = _base_figures(pair, pipeline, mix) if beyond else {}
        old = [breach for breach in beyond if _already_beyond(breach.figure, before.get(breach.figure.stage), limits)]
        found.append(
            GraphParity(
                case=pair.case.id,
                cause=pair.cause,
                snr_db={each.stage: each.snr_db for each in figures},
                to_base=_to_base(pair, mix),
                breaches=tuple(str(breach) for breach in beyond if breach not in old),
                known=tuple(str(breach) for breach in old),
                unlimited=tuple(breach.figure.stage for breach in breaches if not breach.limit),
            )
        )
    return tuple(found)


NOISE_DB = 1.0
"""a stage that was beyond its limit at the base may be worse by this much without being a regression"""


@dataclass(frozen=True)
class _BasePipeline(Pipeline):
    """This side's pipeline, on a graph that the base exported."""

    exported: Outcome | None = None

    def run(
        self, case: AnyCase, until: Stage = Stage.COMPILE, *, exported: Outcome | None = None, whole: bool = False
    ) -> dict[Stage, Outcome]:
        return super().run(case, until, exported=exported or self.exported, whole=whole)


def _base_figures(pair: ParityPair, pipeline: Pipeline, mix: Any) -> dict[str, StageFigure]:
    """The base's HAR, in float and in 8 bits, against the base's own graph in ONNX Runtime.

    The base's PyTorch isn't in this process; its ONNX is as near to that as float32 is.
    """
    exported = export_outcome(pipeline.store, f"{pair.before.parent.name}/{pair.before.name}")
    made = run_stages(
        pair.case, _BasePipeline(pipeline.store, pipeline.toolchain, pipeline.recipe, exported=exported), mix
    )
    off = {stage: distance(made.waves[stage], made.waves["onnx"]) for stage in ("har", "har8") if stage in made.waves}
    return {each.stage: each for each in stage_figures(pair.case, off, weights_label(pipeline.recipe))}


def _already_beyond(after: StageFigure, before: StageFigure | None, limits: Thresholds | None) -> bool:
    """Whether a stage was beyond its limit at the base too, and not clearly better than now."""
    if before is None or limits is None or not limits.check([before]):
        return False
    return after.snr_db > before.snr_db - NOISE_DB


def _to_base(pair: ParityPair, mix: Any) -> float | None:
    """SNR in dB of this side's graph against the base's, both run by ONNX Runtime."""
    if _signature(pair.before) != _signature(pair.after):
        return None
    before, after = (onnx_waveform(pair.case.variant, pair.case.size, each, mix) for each in (pair.before, pair.after))
    return snr(after, before)


def _signature(path: Path) -> list[Any]:
    """Names and shapes of the graph's inputs and outputs."""
    graph = onnx.load(str(path), load_external_data=False).graph
    return [
        (value.name, [dim.dim_value for dim in value.type.tensor_type.shape.dim])
        for value in (*graph.input, *graph.output)
    ]
