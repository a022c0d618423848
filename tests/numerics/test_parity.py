"""PyTorch = ONNX Runtime = HAR at the real size, and 8 bits as near as they were measured: 24 blocks, T=16000.

Every distinct graph of the profile with `-m numerics`; otherwise a sample that has each value of each axis. What is
measured is kept in the store, for `tasnet thresholds propose`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tasnet.network.variant import Size, Variant
from tasnet.suite.cases.case import Case
from tasnet.suite.cases.outcome import Stage
from tasnet.suite.history.run import ParityFigure
from tasnet.suite.numerics.float64_reference import first_departure, plain_form, reference_waveform
from tasnet.suite.numerics.kept_figures import keep_figures, weights_label
from tasnet.suite.numerics.measuring import stage_distances, stage_figures
from tasnet.suite.numerics.metrics import si_sdr
from tasnet.suite.numerics.stages import run_stages
from tasnet.suite.run.recipe_weights import RecipeWeights
from tests.numerics.conftest import mix_of
from tests.numerics.limits import EXACT_DB

if TYPE_CHECKING:
    from tasnet.suite.numerics.thresholds import Thresholds
    from tasnet.suite.run.pipeline import Pipeline

pytestmark = pytest.mark.numerics

_REFERENCES: dict[tuple[Variant, Size, int], np.ndarray] = {}


def _expected(case: Case, trained: RecipeWeights) -> np.ndarray:
    """The reference, once per function: its exact rewrites share it."""
    key = plain_form(case.variant, case.size), case.size, case.length
    if key not in _REFERENCES:
        _REFERENCES[key] = reference_waveform(
            case.variant, case.size, trained.weights, mix_of(case.length), mask_activation=trained.mask_activation
        )
    return _REFERENCES[key]


def test_all_stages_are_one_function(
    real_form: Case, pipeline: Pipeline, measured: Callable[[ParityFigure], None], limits: Thresholds
) -> None:
    case = pipeline.resolve(real_form)
    mix = mix_of(case.length)
    made = run_stages(case, pipeline, mix)
    if made.network is None:
        pytest.skip(f"no HAR: {made.missing['har']}")
    assert not made.missing
    distances = stage_distances(made, mix, _expected(case, made.trained))
    found = stage_figures(case, distances, weights_label(pipeline.recipe))
    keep_figures(pipeline.store, found)
    for each in found:
        # into the run's history too, which the report and the comparison of runs read
        measured(
            ParityFigure(
                case_id=each.case,
                stage=each.stage,
                form=each.form,
                length=each.length,
                snr_db=each.snr_db,
                of_peak=each.of_peak,
            )
        )
    if breaches := limits.check(found):
        model = pipeline.store.path(pipeline.run(case, until=Stage.EXPORT)[Stage.EXPORT].artifact)
        departure = first_departure(case.variant, case.size, model, made.network, mix, 80.0)
        told = [*map(str, breaches), str(departure or "no layer of the HAR departs from its ONNX node")]
        pytest.fail("\n".join(told), pytrace=False)
    assert si_sdr(made.waves["har"], made.waves["torch"]) > EXACT_DB
