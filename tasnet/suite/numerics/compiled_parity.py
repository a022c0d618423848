"""A case through the compiler's own contexts, held against the float64 reference and the limits of thresholds.yaml."""

from __future__ import annotations

from dataclasses import dataclass

from tasnet.suite.cases import Case
from tasnet.suite.numerics.emulated import CONTEXTS, Aligned, aligned
from tasnet.suite.numerics.kept_figures import weights_of
from tasnet.suite.numerics.metrics import Distance
from tasnet.suite.numerics.parity import reference
from tasnet.suite.numerics.speech import mixtures
from tasnet.suite.numerics.stages import staged
from tasnet.suite.numerics.thresholds import Measured, Thresholds, form_of
from tasnet.suite.run import Pipeline

NO_COMPILER = "no compiler: --toolchain dfc with calibration recordings runs its contexts"
"""the reason of the one test that is skipped without one"""


@dataclass(frozen=True)
class Compiled:
    """What the compiler's contexts made of a case: distances by stage, and every complaint in a line.

    `measured` is for limits to be proposed from; nothing, where a double gave the waves.
    """

    case: Case
    found: dict[str, Aligned]
    measured: tuple[Measured, ...]
    complaints: tuple[str, ...]

    def distance(self, stage: str) -> Distance:
        """The distance of one stage from the reference."""
        return self.found[stage].distance


def compiled_parity(case: Case, pipeline: Pipeline, compiler: Pipeline, thresholds: Thresholds) -> Compiled:
    """`case` on one mixture of speech through CONTEXTS of `compiler`'s Dfc; `pipeline` has the embedded toolchain.

    A complaint is a context that gave nothing, a shift in time that nobody undoes, or a figure beyond its limit.
    """
    mix = mixtures(1, case.length)[0].mix[None]
    made = staged(case, pipeline, mix, compiler=compiler, eight=False)
    trained = made.trained
    expected = reference(
        made.case.variant, made.case.size, trained.weights, mix, mask_activation=trained.mask_activation
    )
    found: dict[str, Aligned] = {}
    complaints, figures = [], []
    weights = weights_of(pipeline.recipe)
    for stage in CONTEXTS:
        if stage in made.missing:
            complaints.append(f"{made.case.id}: {stage}: gave nothing: {made.missing[stage]}")
            continue
        each = found[stage] = aligned(made.waves[stage], expected)
        if each.offset:
            complaints.append(
                f"{made.case.id}: {stage}: {each.missing} samples short and shifted by {each.offset}: the compiler "
                "crops its deconvolution elsewhere than at the end; shift its waves back"
            )
        off = each.distance
        figure = Measured(
            stage, form_of(made.case.variant), made.case.length, off.snr, off.max_abs / off.peak, made.case.id, weights
        )
        complaints += [str(breach) for breach in thresholds.check([figure])]
        if stage not in made.predicted:
            figures.append(figure)
    return Compiled(made.case, found, tuple(figures), tuple(complaints))
