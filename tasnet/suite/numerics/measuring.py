"""The runs that limits are checked against and proposed from: cases at every stage, against the float64 reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tasnet.suite.cases import Case
from tasnet.suite.numerics.emulated import CONTEXTS, aligned
from tasnet.suite.numerics.kept_figures import weights_of
from tasnet.suite.numerics.metrics import Distance, distance
from tasnet.suite.numerics.parity import reference
from tasnet.suite.numerics.speech import mixtures
from tasnet.suite.numerics.stages import Signal, Staged, staged
from tasnet.suite.numerics.thresholds import Measured, form_of
from tasnet.suite.run import Pipeline


def measure(case: Case, pipeline: Pipeline, *, compiler: Pipeline | None = None) -> tuple[Measured, ...]:
    """Every stage of `case` on one mixture of speech. Stages that gave nothing are left out."""
    mix = mixtures(1, case.length)[0].mix[None]
    made = staged(case, pipeline, mix, compiler=compiler)
    return tuple(figures(made, mix, weights_of(pipeline.recipe)))


def figures(made: Staged, mix: Signal, weights: str, expected: Signal | None = None) -> Iterator[Measured]:
    """The stages' distances from what the case should make of a mix [B, T]; `expected` if that is known already."""
    for stage, off in distances(made, mix, expected).items():
        yield Measured(
            stage, form_of(made.case.variant), made.case.length, off.snr, off.max_abs / off.peak, made.case.id, weights
        )


def distances(made: Staged, mix: Signal, expected: Signal | None = None) -> Mapping[str, Distance]:
    """Stage -> its distance from the reference; the compiler's stages where they are nearest (see `aligned`)."""
    case, trained = made.case, made.trained
    if expected is None:
        expected = reference(case.variant, case.size, trained.weights, mix, mask_activation=trained.mask_activation)
    return {
        stage: aligned(wave, expected).distance if stage in CONTEXTS else distance(wave, expected)
        for stage, wave in made.waves.items()
    }
