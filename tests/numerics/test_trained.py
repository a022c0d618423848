"""The network that ships: one function at every stage, 8 bits as near as they were measured, and it still separates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tasnet.network import SMALL, checkpoint_file
from tasnet.network.variant import Variant
from tasnet.suite.cases.case import Case
from tasnet.suite.history.run import ParityFigure
from tasnet.suite.numerics.kept_figures import keep_figures, weights_label
from tasnet.suite.numerics.measuring import stage_distances, stage_figures
from tasnet.suite.numerics.metrics import si_sdr
from tasnet.suite.numerics.separation import improvement, judged_mixtures
from tasnet.suite.numerics.stages import run_stages
from tasnet.suite.run.recipe import Recipe
from tests.numerics.limits import EXACT_DB

if TYPE_CHECKING:
    from tasnet.suite.numerics.thresholds import Thresholds
    from tasnet.suite.run.pipeline import Pipeline

pytestmark = pytest.mark.numerics

FORMS = {
    norm: Case(Variant(expansion, decoder=decoder, activation="prelu", norm=norm))
    for norm, expansion, decoder in (("gln", "split", "polyphase"), ("gln_pool", "concat", "grouped"))
}

LEAST_DB = {"torch": 8.0, "onnx": 8.0, "har": 8.0, "har8": 5.0}
"""SI-SDRi on a mixture of known voices; what it gives in 8 bits has a limit of its own beside it"""


@pytest.mark.parametrize("norm", FORMS)
def test_a_trained_network_separates_at_every_stage(
    norm: str, pipeline: Pipeline, measured: Callable[[ParityFigure], None], limits: Thresholds
) -> None:
    form = FORMS[norm]
    small = replace(pipeline, recipe=Recipe(checkpoint_file(SMALL)))
    spoken = judged_mixtures()[0]
    mix = spoken.mix[None]
    made = run_stages(form, small, mix)
    assert not made.missing
    found = stage_figures(made.case, stage_distances(made, mix), weights_label(small.recipe))
    keep_figures(small.store, found)
    for each in found:
        figures = {"snr_db": each.snr_db, "of_peak": each.of_peak}
        measured(ParityFigure(case_id=form.id, stage=each.stage, form=each.form, length=each.length, **figures))
    assert not limits.check(found)
    assert si_sdr(made.waves["har"], made.waves["torch"]) > EXACT_DB
    for stage, waves in made.waves.items():
        length = waves.shape[2]
        assert improvement(waves[0], spoken.mix[:length], spoken.sources[:, :length]) > LEAST_DB[stage], stage
