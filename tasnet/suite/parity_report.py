"""What the parity page shows: every form at every stage, gLN's error over the length, 8 bits by layer and by cost.

`small()` takes seconds and is for tests; `real()` is the paper's network on all that the page needs, and takes
minutes. The figures are those of `parity`, `measure` and `tasnet.hailo.quantize`: none is computed here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tasnet.hailo.quantize import LayerFigures, Point, keep_16, layer_figures
from tasnet.network.variant import Size, Variant
from tasnet.suite.case import Case
from tasnet.suite.measure import distances
from tasnet.suite.metrics import Distance, si_sdr
from tasnet.suite.parity import LENGTHS, Growth, error_growth
from tasnet.suite.pipeline import Pipeline
from tasnet.suite.speech import Mixture, mixtures, voices
from tasnet.suite.staged import Staged, calibration_signals, host, staged
from tasnet.suite.thresholds import Breach, Measured, Thresholds, form_of

Signal = npt.NDArray[Any]

PUBLISHED_DB = (14.78, 14.23, 14.75)
"""SI-SDRi on Libri2Mix: float; trained for 8 bits throughout; the same with wider input and output"""


class ParityReportError(RuntimeError):
    """There is nothing to show. One line: what is missing, what to do."""


@dataclass(frozen=True)
class Row:
    """One case: its stages' distances from the float64 reference, those that gave none, and what breaks a limit."""

    case: Case
    form: str
    distances: dict[str, Distance]
    missing: dict[str, str]
    predicted: frozenset[str]
    breaches: tuple[Breach, ...]


@dataclass(frozen=True)
class Eight:
    """One case in 8 bits on a mixture of speech: its layers, the curve over mean bits, and its SI-SDR against float."""

    case: Case
    layers: tuple[LayerFigures, ...]
    curve: tuple[Point, ...]
    calibrated_on: int


@dataclass(frozen=True)
class ParityReport:
    """Everything on the page. `speech` says what was heard, `weights` where they come from."""

    rows: tuple[Row, ...]
    growth: tuple[Growth, ...]
    eight: tuple[Eight, ...]
    speech: str
    weights: str


def gather(
    cases: Iterable[Case],
    eight: Sequence[Case],
    pipeline: Pipeline,
    *,
    thresholds: Thresholds | None = None,
    compiler: Pipeline | None = None,
    growth_size: Size | None = None,
    growth_lengths: Sequence[int] = LENGTHS,
    points: int = 10,
) -> ParityReport:
    """`cases` at every stage, those of `eight` layer by layer and over bits, and gLN's error over `growth_lengths`.

    Raises what the pipeline raises, and ParityReportError for a case of `eight` that has no HAR.
    """
    rows = tuple(_row(case, pipeline, compiler, thresholds) for case in cases)
    return ParityReport(
        rows=rows,
        growth=error_growth(long_mix(max(growth_lengths)), size=growth_size, lengths=growth_lengths),
        eight=tuple(in_eight_bits(case, pipeline, points) for case in eight),
        speech=heard(),
        weights=str(pipeline.recipe.checkpoint.name) if pipeline.recipe.checkpoint else f"seed {pipeline.recipe.seed}",
    )


def real(
    cases: Iterable[Case],
    pipeline: Pipeline,
    *,
    thresholds: Thresholds | None = None,
    compiler: Pipeline | None = None,
) -> ParityReport:
    """`cases` at the paper's size, and the trained model's form and the notes' in 8 bits. Some seconds a case, some
    minutes for the rest on two cores."""
    eight = (
        Case(Variant("split", decoder="polyphase", activation="prelu", norm="gln")),
        Case(Variant("project", decoder="grouped")),
    )
    return gather(cases, eight, pipeline, thresholds=thresholds, compiler=compiler)


def small(pipeline: Pipeline, thresholds: Thresholds | None = None) -> ParityReport:
    """Three forms of a tiny network, for tests: seconds."""
    size = Size(N=12, L=8, B=6, H=10, Sc=6, X=2, R=1)
    faithful = Case(Variant("split", decoder="polyphase", activation="prelu", norm="gln"), size, 400)
    cases = (Case(Variant(), size, 400), faithful, Case(Variant(mask="bypass"), size, 400))
    return gather(
        cases, (faithful,), pipeline, thresholds=thresholds, growth_size=size, growth_lengths=(400, 1600), points=4
    )


def in_eight_bits(case: Case, pipeline: Pipeline, points: int = 10) -> Eight:
    """A case's layers in 8 bits, and which to keep at 16. Raises ParityReportError where it has no HAR."""
    mix = mixtures(1, case.length)[0].mix[None]
    made = staged(case, pipeline, mix)
    if made.quantized is None:
        raise ParityReportError(f"case {case.id}: {made.missing.get('har8', 'no HAR')}; take another case")
    signals = host(made.case, mix)
    return Eight(
        made.case,
        layer_figures(made.quantized, signals),
        keep_16(made.quantized, signals, _score, points=points),
        len(calibration_signals(made.case)),
    )


def published() -> tuple[float, float]:
    """SI-SDR in dB against float that would cost what the published 8-bit networks lost: the worse, the better.

    By hypothesis that quantization's error is independent of the separation's: an estimate at s dB from its source
    and q dB from float lands at -10 log10(10^(-s/10) + 10^(-q/10)). A bracket, and no goal: those networks were
    trained for 8 bits.
    """
    whole, *lossy = (10 ** (-figure / 10) for figure in PUBLISHED_DB)
    worse, better = (-10 * math.log10(each - whole) for each in lossy)
    return worse, better


def long_mix(length: int) -> Signal:
    """`length` samples [T] of mixed speech, one mixture after the other: a voice repeated would be periodic."""
    parts: list[Signal] = []
    while (total := sum(map(len, parts))) < length:
        made: Mixture = mixtures(1, min(16000, length - total), skip=len(parts))[0]
        parts.append(made.mix)
    return np.concatenate(parts)


def heard() -> str:
    """What the mixtures are made of."""
    known = voices()
    return f"{len(known)} {'recorded' if known[0].real else 'synthetic'} voices"


def _row(case: Case, pipeline: Pipeline, compiler: Pipeline | None, thresholds: Thresholds | None) -> Row:
    mix = mixtures(1, case.length)[0].mix[None]
    made: Staged = staged(case, pipeline, mix, compiler=compiler)
    found = dict(distances(made, mix))
    form = form_of(made.case.variant)
    measured = [
        Measured(stage, form, made.case.length, off.snr, off.max_abs / off.peak, made.case.id)
        for stage, off in found.items()
    ]
    breaches = thresholds.check(measured) if thresholds else ()
    return Row(made.case, form, found, dict(made.missing), made.predicted, breaches)


def _score(found: tuple[Signal, ...], exact: tuple[Signal, ...]) -> float:
    """SI-SDR in dB over all outputs as one signal."""
    return si_sdr(np.concatenate([each.ravel() for each in found]), np.concatenate([each.ravel() for each in exact]))
