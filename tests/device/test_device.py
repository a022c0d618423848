"""On a Hailo device: it is there, runs each HEF on speech, gives what PyTorch gives, and bit for bit the emulation.

HEFs are files `<case id>.hef` in the folder that `--hef` or TASNET_HEF names.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tasnet.hailo.detect import Detection, detect
from tasnet.hailo.dfc import Dfc
from tasnet.hailo.hailortcli import CliError
from tasnet.hailo.hailortcli import measured as measured_by_cli
from tasnet.hailo.hef import read as read_hef
from tasnet.hailo.runtime import infer, measure
from tasnet.hailo.runtime_failure import RuntimeFailure
from tasnet.suite.case import Case
from tasnet.suite.numerics.emulated import EmulationError
from tasnet.suite.numerics.speech import mixtures
from tasnet.suite.numerics.trained import trained
from tasnet.suite.observed.bit_exact import EMULATED_WINDOWS, SUFFIX, Emulation, beside, compare, emulated
from tasnet.suite.observed.on_device import (
    DeviceError,
    against,
    broken,
    exactness_outcome,
    hefs,
    host_frames,
    keep_observed,
    outcome,
    pytorch,
    separate,
    windows,
)
from tasnet.suite.pipeline import Pipeline
from tasnet.suite.plugin import RunsCases
from tasnet.suite.plugin.setup import SETUP
from tasnet.suite.stage import Outcome

NO_HEF = "no HEF: name a folder of <case id>.hef files with --hef or TASNET_HEF"
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
        pytest.skip(NO_HEF)
    case, path = compiled_hef
    given = trained(pytestconfig.stash[SETUP].recipe, case.size)
    wave = np.concatenate([each.mix for each in mixtures(WINDOWS, case.length)])
    try:
        separated = separate(case, path, wave, detection)
        cut, _ = windows(wave, case.length)
        measured = measure(path, host_frames(case, cut), detection)
    except RuntimeFailure as error:
        _keep(pipeline, case, path, broken(case, path, error, detection), record_property)
        raise
    compared = against(separated, pytorch(case, cut, given.weights, given.mask_activation))
    latency = _chip_latency(path, record_property)
    observed = outcome(case, path, separated, compared, measured, least_db=LEAST_DB, chip_latency_ms=latency)
    _keep(pipeline, case, path, observed, record_property)
    assert not observed.failures, observed.failures[0].message


@pytest.mark.device
def test_a_hef_gives_what_the_compiler_emulates_bit_for_bit(
    detection: Detection,
    compiled_hef: tuple[Case, Path] | None,
    pipeline: RunsCases,
    record_property: Callable[[str, object], None],
) -> None:
    if compiled_hef is None:
        pytest.skip(NO_HEF)
    case, path = compiled_hef
    emulation = _emulation(case, path, pipeline)
    try:
        ran = infer(path, emulation.frames, detection)
    except RuntimeFailure as error:
        _keep(pipeline, case, path, broken(case, path, error, detection), record_property)
        raise
    found = compare(read_hef(path), emulation, ran.outputs)
    observed = exactness_outcome(case, path, ran, found)
    _keep(pipeline, case, path, observed, record_property)
    if found.differing:
        pytest.fail(f"{case.id}: {found}", pytrace=False)


def _keep(
    pipeline: RunsCases, case: Case, path: Path, observed: Outcome, record_property: Callable[[str, object], None]
) -> None:
    """The outcome into the evidence, its figures into the report."""
    if store := getattr(pipeline, "store", None):
        keep_observed(store, case, path, observed)
    for name, value in observed.figures.items():
        record_property(name, value)


def _emulation(case: Case, path: Path, pipeline: RunsCases) -> Emulation:
    """The file beside the HEF, or this machine's own compiler; skips with what is missing."""
    found = beside(path)
    if found is None:
        if not isinstance(pipeline, Pipeline) or not isinstance(pipeline.toolchain, Dfc):
            pytest.skip(f"no emulation: no {path.stem}{SUFFIX}; `tasnet emulate` writes it where the compiler is")
        waves = np.stack([each.mix for each in mixtures(EMULATED_WINDOWS, case.length)])
        try:
            found = emulated(pipeline, case, path, host_frames(case, waves))
        except EmulationError as error:
            pytest.skip(f"the compiler doesn't offer it: {error}")
    if found.double:
        pytest.skip(f"emulated by {found.by}, a test double: no chip is held against it")
    return found


def _chip_latency(path: Path, record_property: Callable[[str, object], None]) -> float | None:
    """The chip's own latency, where hailortcli is there to tell; what it says instead is no failure of the case."""
    try:
        told = measured_by_cli(path)
    except CliError as error:
        record_property("hailortcli", str(error))
        return None
    return told.hw_latency_ms if told else None
