"""PyTorch = ONNX Runtime = HAR at the real size: N512 B128 H512, up to 24 blocks, T=16000.

Every distinct graph of the profile with `-m numerics`; a sample of them otherwise.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from tasnet.hailo import har
from tasnet.network.variant import Size, Variant
from tasnet.network.weights import seeded, with_heads
from tasnet.suite.case import Case
from tasnet.suite.metrics import distance, si_sdr
from tasnet.suite.parity import (
    first_departure,
    har_waveform,
    onnx_waveform,
    plain,
    reference,
    torch_waveform,
)
from tasnet.suite.stage import Stage
from tests.numerics.conftest import mix_of
from tests.numerics.tolerance import EXACT_DB, least_db, most_of_peak

if TYPE_CHECKING:
    from tasnet.suite.pipeline import Pipeline

pytestmark = pytest.mark.numerics


@cache
def _trained(checkpoint: Path | None, size: Size) -> tuple[Any, str]:
    """The weights that the pipeline exports, and the activation of their masks."""
    if checkpoint is None:
        return seeded(size, 0), "relu"
    from tasnet.network.checkpoint import load

    loaded = load(checkpoint)
    return with_heads(loaded.weights, size, 0), loaded.mask_activation


_REFERENCES: dict[tuple[Variant, Size, int], np.ndarray] = {}


def _expected(case: Case, weights: Any, mask_activation: str) -> np.ndarray:
    """The reference, once per function: its exact rewrites share it."""
    key = plain(case.variant, case.size), case.size, case.length
    if key not in _REFERENCES:
        _REFERENCES[key] = reference(
            case.variant, case.size, weights, mix_of(case.length), mask_activation=mask_activation
        )
    return _REFERENCES[key]


def test_all_stages_are_one_function(real_form: Case, pipeline: Pipeline, tmp_path: Path) -> None:
    case = pipeline.resolve(real_form)
    outcomes = pipeline.run(case, until=Stage.TRANSLATE)
    translated = outcomes[Stage.TRANSLATE]
    if not translated.artifact:
        pytest.skip(f"no HAR: {translated.status.value} {translated.reason}")
    model = pipeline.store.path(outcomes[Stage.EXPORT].artifact)
    pipeline.store.get_har(translated.artifact, tmp_path / "net.har")
    network = har.read(tmp_path / "net.har")

    variant, size, mix = case.variant, case.size, mix_of(case.length)
    weights, mask_activation = _trained(pipeline.recipe.checkpoint, size)
    expected = _expected(case, weights, mask_activation)
    in_torch = torch_waveform(variant, size, weights, mix, mask_activation=mask_activation)
    found = {
        "torch": in_torch,
        "onnx": onnx_waveform(variant, size, model, mix, threads=torch.get_num_threads()),
        "har": har_waveform(variant, size, network, mix),
    }
    for stage, wave in found.items():
        off = distance(wave, expected)
        near = off.snr > least_db(variant, stage)
        if not near or off.max_abs > most_of_peak(variant, stage) * off.peak:
            departure = first_departure(variant, size, model, network, mix, 80.0) if stage == "har" else None
            pytest.fail(f"{case.id}: {stage}: {off}; {departure or 'no layer departs from its node'}", pytrace=False)
    assert si_sdr(found["har"], in_torch) > EXACT_DB
