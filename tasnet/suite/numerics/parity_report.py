"""What the parity page shows: every form at every stage, gLN's error over the length, 8 bits by layer and by cost.

`small()` takes seconds and is for tests; `real()` is the paper's network on all that the page needs, and takes
minutes. The figures are those of `parity`, `measure` and `tasnet.hailo.quantize`: none is computed here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tasnet.common import TasnetError
from tasnet.hailo import Failure
from tasnet.hailo.execute import run_network
from tasnet.hailo.files import Network
from tasnet.hailo.quantize import (
    PrecisionPoint,
    QuantizationFigures,
    Scheme,
    choose_16_bit_layers,
    negative_slope_failures,
    quantization_figures,
    quantize_network,
    required_shifts,
    run_quantized,
)
from tasnet.network import Size, Variant
from tasnet.suite.cases import Case
from tasnet.suite.numerics.gains import gains_of
from tasnet.suite.numerics.kept_figures import weights_of
from tasnet.suite.numerics.measuring import distances
from tasnet.suite.numerics.metrics import Distance, si_sdr
from tasnet.suite.numerics.parity import LENGTHS, Growth, error_growth
from tasnet.suite.numerics.speech import Mixture, heard, mixtures
from tasnet.suite.numerics.stages import CALIBRATED_ON, Staged, calibration_signals, host, staged
from tasnet.suite.numerics.thresholds import Breach, Measured, Thresholds, form_of
from tasnet.suite.run import Pipeline

Signal = npt.NDArray[Any]

PUBLISHED_DB = (14.78, 14.23, 14.75)
"""SI-SDRi on Libri2Mix: float; trained for 8 bits throughout; the same with wider input and output"""

JUDGED_ON = 3
"""mixtures of speech that the 8-bit figures are of; none of them sets a range"""


class ParityReportError(TasnetError, RuntimeError):
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
class Slope:
    """What the hypothesis of `quantize.shift` says of one calibration: the largest shift that a layer needs, and where
    `negative_slope` would end the optimization. A guess: nobody has seen more than one message of it."""

    calibration: str
    needed: int
    failures: tuple[Failure, ...]


@dataclass(frozen=True)
class Eight:
    """One case in 8 bits on mixtures of speech: its layers, the curve over mean bits, and its SI-SDR against float by
    scheme, in dB."""

    case: Case
    layers: tuple[QuantizationFigures, ...]
    curve: tuple[PrecisionPoint, ...]
    schemes: tuple[tuple[str, float], ...]
    slopes: tuple[Slope, ...]
    calibrated_on: int
    judged_on: int


@dataclass(frozen=True)
class ParityReport:
    """Everything on the page. `speech` says what was heard, `weights` where they come from."""

    rows: tuple[Row, ...]
    growth: tuple[Growth, ...]
    eight: tuple[Eight, ...]
    speech: str
    weights: str


def gather(
    cases: Sequence[Case],
    eight: Sequence[Case],
    pipeline: Pipeline,
    *,
    thresholds: Thresholds | None = None,
    compiler: Pipeline | None = None,
    growth_size: Size | None = None,
    growth_lengths: Sequence[int] = LENGTHS,
    points: int = 10,
    say: Callable[[str], None] = lambda _: None,
) -> ParityReport:
    """`cases` at every stage, those of `eight` layer by layer and over bits, and gLN's error over `growth_lengths`.

    `say` is told what comes next. Raises what the pipeline raises, and ParityReportError for a case of `eight` that has
    no HAR.
    """
    rows, layers = [], []
    for number, case in enumerate(cases, 1):
        say(f"{number} of {len(cases)} cases at every stage: {case.id}")
        rows.append(_row(case, pipeline, compiler, thresholds))
    for case in eight:
        say(f"8 bits, layer by layer and over bits: {case.id}")
        layers.append(in_eight_bits(case, pipeline, points, say))
    say(f"gLN's error at T={', '.join(map(str, growth_lengths))}")
    return ParityReport(
        rows=tuple(rows),
        growth=error_growth(long_mix(max(growth_lengths)), size=growth_size, lengths=growth_lengths),
        eight=tuple(layers),
        speech=heard(),
        weights=weights_of(pipeline.recipe),
    )


def real(
    cases: Sequence[Case],
    pipeline: Pipeline,
    *,
    thresholds: Thresholds | None = None,
    compiler: Pipeline | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> ParityReport:
    """`cases` at the paper's size, and the trained model's form and the notes' in 8 bits. Some seconds a case, some
    minutes for the rest on two cores."""
    eight = (
        Case(Variant("split", decoder="polyphase", activation="prelu", norm="gln")),
        Case(Variant("project", decoder="grouped")),
    )
    return gather(cases, eight, pipeline, thresholds=thresholds, compiler=compiler, say=say)


def small(pipeline: Pipeline, thresholds: Thresholds | None = None) -> ParityReport:
    """Three forms of a tiny network, for tests: seconds."""
    size = Size(N=12, L=8, B=6, H=10, Sc=6, X=2, R=1)
    faithful = Case(Variant("split", decoder="polyphase", activation="prelu", norm="gln"), size, 400)
    cases = (Case(Variant(), size, 400), faithful, Case(Variant(mask="bypass"), size, 400))
    return gather(
        cases, (faithful,), pipeline, thresholds=thresholds, growth_size=size, growth_lengths=(400, 1600), points=4
    )


def in_eight_bits(
    case: Case, pipeline: Pipeline, points: int = 10, say: Callable[[str], None] = lambda _: None
) -> Eight:
    """A case's layers in 8 bits, and which to keep at 16. Raises ParityReportError where it has no HAR."""
    # the first sets no range: it is what `measure` judges by; those behind the calibration set neither
    judged = [0, *range(CALIBRATED_ON + 1, CALIBRATED_ON + JUDGED_ON)]
    mixes = np.stack([each.mix for each in mixtures(CALIBRATED_ON + JUDGED_ON, case.length)])[judged]
    made = staged(case, pipeline, mixes[:1])
    if made.quantized is None or made.network is None:
        raise ParityReportError(f"case {case.id}: {made.missing.get('har8', 'no HAR')}; take another case")
    signals, calibrated_on = host(made.case, mixes), calibration_signals(made.case)
    return Eight(
        made.case,
        quantization_figures(made.quantized, signals),
        choose_16_bit_layers(
            made.quantized,
            signals,
            _score,
            points=points,
            chosen_on=host(made.case, calibrated_on[:1]),
            gains=gains_of(made.case, pipeline),
            say=say,
        ),
        tuple(schemes(made.network, host(made.case, calibrated_on), signals)),
        tuple(slopes(made.case, made.network)),
        len(calibrated_on),
        len(mixes),
    )


SCHEMES: Mapping[str, Scheme] = {
    "a8_w8, nothing switched on": Scheme(),
    "weights per channel": Scheme(per_channel=True),
    "equalized": Scheme(equalize=True),
    "biases corrected": Scheme(correct_bias=True),
    "equalized, biases corrected": Scheme(equalize=True, correct_bias=True),
    "ranges of least squared error": Scheme(clipping="mse"),
}
"""what the page compares, all at 8 bits"""


def schemes(network: Network, calibration: Signal, signals: Signal) -> Iterator[tuple[str, float]]:
    """SI-SDR in dB of each of SCHEMES against float, on `signals` [B, H, W, C]."""
    exact = run_network(network, signals)
    for name, scheme in SCHEMES.items():
        yield name, _score(run_quantized(quantize_network(network, calibration, scheme), signals), exact)


def slopes(case: Case, network: Network) -> Iterator[Slope]:
    """Where `negative_slope` is expected, by what the ranges come from: speech, or noise."""
    noise = np.random.default_rng(0).uniform(0, 1, (1, case.length))
    for name, waves in {
        "speech": calibration_signals(case),
        "uniform noise from -1 to 1": 2 * noise - 1,
        "uniform noise from 0 to 1": noise,
    }.items():
        quantized = quantize_network(network, host(case, waves))
        needed = max((each.needed for each in required_shifts(quantized)), default=0)
        yield Slope(name, needed, negative_slope_failures(quantized))


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


def _row(case: Case, pipeline: Pipeline, compiler: Pipeline | None, thresholds: Thresholds | None) -> Row:
    mix = mixtures(1, case.length)[0].mix[None]
    made: Staged = staged(case, pipeline, mix, compiler=compiler)
    found = dict(distances(made, mix))
    form, weights = form_of(made.case.variant), weights_of(pipeline.recipe)
    measured = [
        Measured(stage, form, made.case.length, off.snr, off.max_abs / off.peak, made.case.id, weights)
        for stage, off in found.items()
    ]
    breaches = thresholds.check(measured) if thresholds else ()
    return Row(made.case, form, found, dict(made.missing), made.predicted, breaches)


def _score(found: tuple[Signal, ...], exact: tuple[Signal, ...]) -> float:
    """SI-SDR in dB over all outputs as one signal."""
    return si_sdr(np.concatenate([each.ravel() for each in found]), np.concatenate([each.ravel() for each in exact]))
