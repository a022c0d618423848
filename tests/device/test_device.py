"""On a Hailo device: it is there, it runs each HEF on speech, and gives what PyTorch gives.

HEFs are files `<case id>.hef` in the folder that `--hef` or TASNET_HEF names.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tasnet.hailo.detect import Detection, detect
from tasnet.hailo.runtime import measure
from tasnet.hailo.runtime_failure import RuntimeFailure
from tasnet.network import checkpoint
from tasnet.network.weights import seeded, with_heads
from tasnet.suite.case import Case
from tasnet.suite.on_device import (
    DeviceError,
    broken,
    hefs,
    host_frames,
    keep_observed,
    outcome,
    parity,
    pytorch,
    separate,
    windows,
)
from tasnet.suite.plugin import RunsCases
from tasnet.suite.speech import mixtures
from tasnet.suite.store import Store

WINDOWS = 8
LEAST_DB = 10.0
"""SI-SDR to PyTorch. 8 bits cost a Conv-TasNet about a dB of separation; at 10 dB it is another signal."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "compiled_hef" not in metafunc.fixturenames:
        return
    config = metafunc.config
    folder = config.getoption("--hef", default=None) or os.environ.get("TASNET_HEF")
    try:
        found: list[tuple[Case, Path] | None] = [*hefs(Path(folder), config.getoption("--arch"))] if folder else []
    except DeviceError as error:
        raise pytest.UsageError(str(error)) from None
    # Without any there is one test still: it says why nothing runs.
    metafunc.parametrize(
        "compiled_hef", found or [None], ids=[each[0].id if each else "none" for each in found or [None]]
    )


@pytest.fixture(scope="session")
def detection(pytestconfig: pytest.Config) -> Detection:
    """The device; skips with what is missing."""
    found = detect(pytestconfig.getoption("--arch"))
    if not found.ready:
        pytest.skip(found.reason)
    if found.double:
        pytest.skip("device: hailo_platform is a test double here, no HailoRT")
    return found


@pytest.mark.device
def test_the_device_says_what_it_is(detection: Detection) -> None:
    for chip in detection.chips:
        assert chip.arch.startswith("hailo8")
        assert chip.firmware


@pytest.mark.device
def test_a_hef_runs_on_speech_and_agrees_with_pytorch(
    detection: Detection,
    compiled_hef: tuple[Case, Path] | None,
    pytestconfig: pytest.Config,
    pipeline: RunsCases,
    record_property: Callable[[str, object], None],
) -> None:
    if compiled_hef is None:
        pytest.skip("no HEF: name a folder of <case id>.hef files with --hef or TASNET_HEF")
    case, path = compiled_hef
    given = pytestconfig.getoption("--checkpoint")
    if given:
        loaded = checkpoint.load(Path(given))
        weights, activation = with_heads(loaded.weights, case.size), loaded.mask_activation
    else:
        weights, activation = seeded(case.size), "relu"
    wave = np.concatenate([each.mix for each in mixtures(WINDOWS, case.length)])
    store: Store | None = getattr(pipeline, "store", None)
    try:
        separated = separate(case, path, wave, detection)
        cut, _ = windows(wave, case.length)
        measured = measure(path, host_frames(case, cut), detection)
    except RuntimeFailure as error:
        if store:
            keep_observed(store, case, path, broken(case, path, error, detection))
        raise
    compared = parity(separated.waves, pytorch(case, cut, weights, activation))
    observed = outcome(case, path, separated, compared, measured, least_db=LEAST_DB)
    if store:
        keep_observed(store, case, path, observed)
    for name, value in observed.figures.items():
        record_property(name, value)
    assert not observed.failures, observed.failures[0].message
