"""What the parity page shows: every form at every stage, gLN's error over the length, 8 bits by layer and by cost.

Its figures come from `measuring`, `float64_reference` and `tasnet.hailo.quantize`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tasnet.common import TasnetError
from tasnet.hailo import Failure
from tasnet.hailo.files import Network
from tasnet.hailo.quantize import (
    PrecisionPoint,
    QuantizationFigures,
    choose_16_bit_layers,
    negative_slope_failures,
    quantization_figures,
    quantize_network,
    required_shifts,
)
from tasnet.network import Size
from tasnet.suite.cases import Case
from tasnet.suite.numerics.eight_bits import EightBitCosts, can_be_judged, eight_bit_costs
from tasnet.suite.numerics.float64_reference import GLN_FORMS, LENGTHS, NormErrorGrowth, error_growth
from tasnet.suite.numerics.kept_figures import layer_gains, weights_label
from tasnet.suite.numerics.measuring import stage_distances, stage_figures
from tasnet.suite.numerics.metrics import SignalDistance, si_sdr
from tasnet.suite.numerics.speech import mixtures, one_mix, voices_summary
from tasnet.suite.numerics.stages import CALIBRATED_ON, range_signals, run_stages
from tasnet.suite.numerics.thresholds import Breach, Thresholds, threshold_form
from tasnet.suite.numerics.waves import Signal, host_frames
from tasnet.suite.run import Pipeline

PUBLISHED_DB = (14.78, 14.23, 14.75)
"""SI-SDRi on Libri2Mix: float; trained for 8 bits throughout; the same with wider input and output"""

JUDGED_ON = 3
"""mixtures of speech that the 8-bit figures are of; none of them sets a range"""


class ParityReportError(TasnetError, RuntimeError):
    """There is nothing to show. One line: what is missing, what to do."""


@dataclass(frozen=True)
class CaseParity:
    """One case: its stages' distances from the float64 reference, those that gave none, and what breaks a limit."""

    case: Case
    form: str
    distances: dict[str, SignalDistance]
    missing: dict[str, str]
    predicted: frozenset[str]
    breaches: tuple[Breach, ...]


@dataclass(frozen=True)
class ShiftForecast:
    """What the hypothesis of `quantize.shift` says of one calibration: the largest shift that a layer needs, and where
    `negative_slope` would end the optimization. A guess: nobody has seen more than one message of it."""

    calibration: str
    needed: int
    failures: tuple[Failure, ...]


@dataclass(frozen=True)
class EightBitParity:
    """One case in 8 bits on mixtures of speech: its layers, and the curve of SI-SDR against float over mean bits."""

    case: Case
    layers: tuple[QuantizationFigures, ...]
    curve: tuple[PrecisionPoint, ...]
    slopes: tuple[ShiftForecast, ...]
    calibrated_on: int
    judged_on: int


@dataclass(frozen=True)
class ParityReport:
    """Everything on the page. `speech` says what was heard, `weights` where they come from.

    `costs` is what 8 bits cost in SI-SDRi; None without a trained network of two voices at the voices' rate.
    """

    rows: tuple[CaseParity, ...]
    growth: tuple[NormErrorGrowth, ...]
    eight: tuple[EightBitParity, ...]
    speech: str
    weights: str
    costs: EightBitCosts | None = None


def gather_parity(
    cases: Sequence[Case],
    eight: Sequence[Case],
    pipeline: Pipeline,
    *,
    thresholds: Thresholds | None = None,
    compiler: Pipeline | None = None,
    growth_size: Size | None = None,
    growth_norms: Sequence[str] = GLN_FORMS,
    growth_lengths: Sequence[int] = LENGTHS,
    costs: bool = True,
    points: int = 10,
    say: Callable[[str], None] = lambda _: None,
) -> ParityReport:
    """`cases` at every stage, those of `eight` layer by layer and over bits, and gLN's error over `growth_lengths`.

    With `costs`, what 8 bits cost a trained network in its own form. `say` is told what comes next. Raises what the
    pipeline raises, and ParityReportError for a case of `eight` that has no HAR.
    """
    rows, layers = [], []
    for number, case in enumerate(cases, 1):
        say(f"{number} of {len(cases)} cases at every stage: {case.id}")
        rows.append(_case_parity(case, pipeline, compiler, thresholds))
    for case in eight:
        alike = [row.missing["har8"] for row in rows if row.case == pipeline.resolve(case) and "har8" in row.missing]
        if alike:
            say(f"no 8 bits: {case.id}: {alike[0]}")
            continue
        say(f"8 bits, layer by layer and over bits: {case.id}")
        layers.append(in_eight_bits(case, pipeline, points, say))
    growth: tuple[NormErrorGrowth, ...] = ()
    if growth_norms:
        say(f"gLN's error at T={', '.join(map(str, growth_lengths))}")
        mix = long_mix(max(growth_lengths))
        growth = error_growth(mix, size=growth_size, norms=growth_norms, lengths=growth_lengths)
    judged = costs and can_be_judged(pipeline.recipe)
    return ParityReport(
        rows=tuple(rows),
        growth=growth,
        eight=tuple(layers),
        speech=voices_summary(),
        weights=weights_label(pipeline.recipe),
        costs=eight_bit_costs(pipeline.recipe, say=say) if judged else None,
    )


def full_parity_report(
    cases: Sequence[Case],
    pipeline: Pipeline,
    *,
    thresholds: Thresholds | None = None,
    compiler: Pipeline | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> ParityReport:
    """Everything about `cases` and nothing else: each at every stage and in 8 bits, a minute or more for a case.

    The error over the length is that of the forms of gLN among them; what 8 bits cost in dB of separation is told where
    one of them is the trained network's own function.
    """
    sized = [pipeline.resolve(each) for each in cases]
    with_gln = [each for each in sized if each.variant.norm in GLN_FORMS and each.variant.mask != "bypass"]
    return gather_parity(
        cases,
        cases,
        pipeline,
        thresholds=thresholds,
        compiler=compiler,
        growth_size=with_gln[0].size if with_gln else None,
        growth_norms=tuple(dict.fromkeys(each.variant.norm for each in with_gln)),
        costs=any(each.variant.keeps_function(each.size, pipeline.trained) for each in sized),
        say=say,
    )


def in_eight_bits(
    case: Case, pipeline: Pipeline, points: int = 10, say: Callable[[str], None] = lambda _: None
) -> EightBitParity:
    """A case's layers in 8 bits, and which to keep at 16. Raises ParityReportError where it has no HAR."""
    # none of these sets a range: the first is what a case is measured on, the others follow those of the calibration
    judged = [0, *range(CALIBRATED_ON + 1, CALIBRATED_ON + JUDGED_ON)]
    mixes = np.stack([each.mix for each in mixtures(CALIBRATED_ON + JUDGED_ON, case.length)])[judged]
    made = run_stages(case, pipeline, mixes[:1])
    if made.quantized is None or made.network is None:
        raise ParityReportError(f"case {case.id}: {made.missing.get('har8', 'no HAR')}; take another case")
    form = (made.case.variant, made.case.size)
    signals, calibrated_on = host_frames(*form, mixes), range_signals(made.case, pipeline.recipe)
    return EightBitParity(
        made.case,
        quantization_figures(made.quantized, signals),
        choose_16_bit_layers(
            made.quantized,
            signals,
            _score,
            points=points,
            chosen_on=host_frames(*form, calibrated_on[:1]),
            gains=layer_gains(made.case, pipeline),
            say=say,
        ),
        tuple(shift_forecasts(made.case, made.network, calibrated_on)),
        len(calibrated_on),
        len(mixes),
    )


def shift_forecasts(case: Case, network: Network, speech: Signal) -> Iterator[ShiftForecast]:
    """Where `negative_slope` is expected, by what the ranges come from: mixtures of speech [count, T], or noise."""
    noise = np.random.default_rng(0).uniform(0, 1, (1, case.length))
    for name, waves in {
        "speech": speech,
        "uniform noise from -1 to 1": 2 * noise - 1,
        "uniform noise from 0 to 1": noise,
    }.items():
        quantized = quantize_network(network, host_frames(case.variant, case.size, waves))
        needed = max((each.needed for each in required_shifts(quantized)), default=0)
        yield ShiftForecast(name, needed, negative_slope_failures(quantized))


def published_loss() -> tuple[float, float]:
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
        made = mixtures(1, min(16000, length - total), skip=len(parts))[0]
        parts.append(made.mix)
    return np.concatenate(parts)


def _case_parity(
    case: Case, pipeline: Pipeline, compiler: Pipeline | None, thresholds: Thresholds | None
) -> CaseParity:
    mix = one_mix(case.length)
    made = run_stages(case, pipeline, mix, compiler=compiler)
    distances = dict(stage_distances(made, mix))
    figures = stage_figures(made.case, distances, weights_label(pipeline.recipe))
    return CaseParity(
        made.case,
        threshold_form(made.case.variant, weights_label(pipeline.recipe)),
        distances,
        dict(made.missing),
        made.predicted,
        thresholds.check(figures) if thresholds else (),
    )


def _score(found: tuple[Signal, ...], exact: tuple[Signal, ...]) -> float:
    """SI-SDR in dB over all outputs as one signal."""
    return si_sdr(np.concatenate([each.ravel() for each in found]), np.concatenate([each.ravel() for each in exact]))
