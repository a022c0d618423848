"""A case's figures: the waves of its stages, or of the compiler's contexts, against the float64 reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tasnet.suite.cases import Case
from tasnet.suite.numerics.emulated import CONTEXTS, AlignedDistance, aligned_distance
from tasnet.suite.numerics.float64_reference import reference_waveform
from tasnet.suite.numerics.kept_figures import weights_label
from tasnet.suite.numerics.metrics import SignalDistance, distance
from tasnet.suite.numerics.speech import one_mix
from tasnet.suite.numerics.stages import StageWaves, run_stages
from tasnet.suite.numerics.thresholds import StageFigure, Thresholds, threshold_form
from tasnet.suite.numerics.waves import Signal
from tasnet.suite.run import Pipeline


@dataclass(frozen=True)
class ContextParity:
    """What the compiler's contexts made of a case: distances by stage, and every complaint in a line.

    `figures` is for limits to be proposed from; it is empty where a test double gave the waves.
    """

    case: Case
    found: Mapping[str, AlignedDistance]
    figures: tuple[StageFigure, ...]
    complaints: tuple[str, ...]

    def distance(self, stage: str) -> SignalDistance:
        """The distance of one stage from the reference."""
        return self.found[stage].distance


def measure_case(case: Case, pipeline: Pipeline, *, compiler: Pipeline | None = None) -> tuple[StageFigure, ...]:
    """Every stage of `case` on one mixture of speech. Stages that gave nothing are left out."""
    mix = one_mix(case.length)
    made = run_stages(case, pipeline, mix, compiler=compiler)
    return stage_figures(made.case, stage_distances(made, mix), weights_label(pipeline.recipe))


def measure_contexts(case: Case, pipeline: Pipeline, compiler: Pipeline, thresholds: Thresholds) -> ContextParity:
    """`case` on one mixture of speech through CONTEXTS of `compiler`'s Dfc; `pipeline` has the embedded toolchain.

    A complaint is a context that gave nothing, a shift in time that nobody undoes, or a figure beyond its limit.
    """
    mix = one_mix(case.length)
    made = run_stages(case, pipeline, mix, compiler=compiler, eight_bits=False)
    expected = expected_waves(made, mix)
    found = {stage: aligned_distance(made.waves[stage], expected) for stage in CONTEXTS if stage not in made.missing}
    distances = {stage: each.distance for stage, each in found.items()}
    figures = {each.stage: each for each in stage_figures(made.case, distances, weights_label(pipeline.recipe))}
    complaints = []
    for stage in CONTEXTS:
        if stage not in found:
            complaints.append(f"{made.case.id}: {stage}: gave nothing: {made.missing[stage]}")
            continue
        if found[stage].offset:
            complaints.append(
                f"{made.case.id}: {stage}: {found[stage].missing} samples short and shifted by {found[stage].offset}: "
                "the compiler crops its deconvolution elsewhere than at the end; shift its waves back"
            )
        complaints += [str(breach) for breach in thresholds.check([figures[stage]])]
    observed = tuple(figure for stage, figure in figures.items() if stage not in made.predicted)
    return ContextParity(made.case, found, observed, tuple(complaints))


def expected_waves(made: StageWaves, mix: Signal) -> Signal:
    """The float64 reference of a case on a mix [B, T], with the weights that its stages ran with."""
    case, trained = made.case, made.trained
    return reference_waveform(case.variant, case.size, trained.weights, mix, mask_activation=trained.mask_activation)


def stage_distances(made: StageWaves, mix: Signal, expected: Signal | None = None) -> Mapping[str, SignalDistance]:
    """Stage -> its distance from what the case should make of a mix [B, T], `expected` if that is known already.

    The compiler's stages are compared where they are nearest (see `aligned_distance`).
    """
    target = expected_waves(made, mix) if expected is None else expected
    return distances_from(target, made.waves)


def distances_from(expected: Signal, waves: Mapping[str, Signal]) -> Mapping[str, SignalDistance]:
    """Stage -> the distance of its waves from the expected ones [B, sources, T]."""
    return {
        stage: aligned_distance(wave, expected).distance if stage in CONTEXTS else distance(wave, expected)
        for stage, wave in waves.items()
    }


def stage_figures(case: Case, distances: Mapping[str, SignalDistance], weights: str) -> tuple[StageFigure, ...]:
    """The figures that limits are checked against, of a case's distances by stage; `weights` by `weights_label`."""
    form = threshold_form(case.variant, weights)
    return tuple(
        StageFigure(stage, form, case.length, each.snr, each.max_abs / each.peak, case.id, weights)
        for stage, each in distances.items()
    )
