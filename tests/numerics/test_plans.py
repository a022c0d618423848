"""A plan's segments, run in float, are the whole network: once for each network of the profile `plans`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tasnet.network import seeded_weights
from tasnet.plan.executors import OnnxRuntime, read_host_weights
from tasnet.plan.function import function_of_variant
from tasnet.plan.make import write_plan
from tasnet.plan.run import separate
from tasnet.suite.history import ParityFigure
from tasnet.suite.numerics.float64_reference import reference_waveform, torch_waveform
from tasnet.suite.numerics.kept_figures import weights_label
from tasnet.suite.numerics.metrics import distance
from tasnet.suite.numerics.thresholds import threshold_form
from tasnet.suite.plugin import conclude_plan
from tasnet.suite.run import KeptPlan, Pipeline, read_kept
from tests.numerics.conftest import mix_of

MOST = 5e-6
"""of the peak: float32's own noise in the whole network is as large"""


@pytest.mark.numerics
def test_the_plan_is_the_network(
    planned: KeptPlan,
    pipeline: Pipeline,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    measured: Callable[[ParityFigure], None],
) -> None:
    conclude_plan(planned, request)
    case = planned.network.whole
    weights, mix = seeded_weights(case.size), mix_of(case.length).astype(np.float32)
    plan, folder = read_kept(pipeline.store, planned.artifact), tmp_path / "plan"
    # Every segment's graph is written, and judged as it is.
    plan = write_plan(plan, function_of_variant(case.variant, case.size, weights), folder)
    whole = separate(plan, read_host_weights(plan, folder), OnnxRuntime(folder), mix[0])[None]
    exact = reference_waveform(case.variant, case.size, weights, mix)
    got = whole[:, :, : exact.shape[2]]
    found = distance(got, exact)
    of_peak = found.max_abs / found.peak
    measured(
        ParityFigure(
            case_id=case.id,
            stage="plan",
            form=threshold_form(case.variant, weights_label(pipeline.recipe)),
            length=case.length,
            snr_db=found.snr,
            of_peak=of_peak,
        )
    )
    torchs = distance(got, torch_waveform(case.variant, case.size, weights, mix))
    assert torchs.max_abs < MOST * torchs.peak
    assert of_peak < MOST
