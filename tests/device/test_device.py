"""On a Hailo device: it is there, runs each HEF on speech, gives what PyTorch gives, and bit for bit the emulation.

HEFs are files `<case id>.hef` in the folder that `--hef` or TASNET_HEF names. The device runs in a test's setup: where
it is busy, or doesn't answer in time, that is an ERROR of the run and says nothing of the network.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tasnet.common.errors import TasnetError
from tasnet.hailo.chip.detection import Detection
from tasnet.hailo.chip.hailortcli import HailortcliError, measure_with_hailortcli
from tasnet.hailo.chip.runtime import infer_on_chip, measure_on_chip
from tasnet.hailo.compiler.dfc import Dfc
from tasnet.hailo.files.hef import read_hef
from tasnet.suite.cases.case import Case
from tasnet.suite.cases.outcome import Outcome
from tasnet.suite.numerics.emulated import EmulationError
from tasnet.suite.numerics.speech import mixtures
from tasnet.suite.numerics.waves import host_frames
from tasnet.suite.observed.bit_exact import (
    EMULATED_WINDOWS,
    EMULATION_SUFFIX,
    Emulation,
    compare_bit_exact,
    emulate_bit_exact,
    read_emulation,
)
from tasnet.suite.observed.on_device import (
    aligned_parity,
    broken_outcome,
    cut_windows,
    exactness_outcome,
    parity_outcome,
    pytorch_waves,
    separate_on_device,
)
from tasnet.suite.plugin import RunsCases
from tasnet.suite.plugin.device import CompiledHef, Keep, conclude_ran
from tasnet.suite.plugin.setup import SETUP
from tasnet.suite.run.pipeline import Pipeline
from tasnet.suite.run.recipe_weights import load_weights

WINDOWS = 8
LEAST_DB = 10.0
"""SI-SDR to PyTorch. 8 bits cost a Conv-TasNet about a dB of separation; at 10 dB it is another signal."""


@pytest.fixture
def parity(
    detection: Detection,
    compiled_hef: CompiledHef,
    pytestconfig: pytest.Config,
    keep_ran: Keep,
    record_property: Callable[[str, object], None],
) -> Outcome:
    """Speech through the device beside PyTorch, and what was measured meanwhile."""
    case, path = compiled_hef
    given = load_weights(pytestconfig.stash[SETUP].recipe, case.size)
    wave = np.concatenate([each.mix for each in mixtures(WINDOWS, case.length)])
    try:
        separated = separate_on_device(case, path, wave, detection)
        cut, _ = cut_windows(wave, case.length)
        measured = measure_on_chip(path, host_frames(case.variant, case.size, cut), detection)
        compared = aligned_parity(separated, pytorch_waves(case, cut, given.weights, given.mask_activation))
    except TasnetError as error:
        ended = broken_outcome(case, path, error, detection)
    else:
        latency = None if detection.double else _chip_latency(path, record_property)
        ended = parity_outcome(case, path, separated, compared, measured, least_db=LEAST_DB, chip_latency_ms=latency)
    return keep_ran("parity", compiled_hef, ended)


@pytest.fixture
def exactness(detection: Detection, compiled_hef: CompiledHef, pipeline: RunsCases, keep_ran: Keep) -> Outcome:
    """The device beside the compiler's emulation of it."""
    case, path = compiled_hef
    try:
        emulation = _emulation(case, path, pipeline, detection)
        ran = infer_on_chip(path, emulation.frames, detection)
        found = compare_bit_exact(read_hef(path), emulation, ran.outputs)
    except TasnetError as error:
        ended = broken_outcome(case, path, error, detection)
    else:
        ended = exactness_outcome(case, path, ran, found)
    return keep_ran("bit_exact", compiled_hef, ended)


@pytest.mark.device
def test_the_device_says_what_it_is(detection: Detection) -> None:
    for chip in detection.chips:
        assert chip.arch.startswith("hailo8")
        assert chip.firmware


@pytest.mark.device
def test_a_hef_runs_on_speech_and_agrees_with_pytorch(parity: Outcome) -> None:
    conclude_ran(parity)


@pytest.mark.device
def test_a_hef_gives_what_the_compiler_emulates_bit_for_bit(exactness: Outcome) -> None:
    conclude_ran(exactness)


def _emulation(case: Case, path: Path, pipeline: RunsCases, detection: Detection) -> Emulation:
    """The file beside the HEF, or this machine's own compiler; skips with what is missing."""
    found = read_emulation(path)
    if found is None:
        if not isinstance(pipeline, Pipeline) or not isinstance(pipeline.toolchain, Dfc):
            pytest.skip(
                f"no emulation: no {path.stem}{EMULATION_SUFFIX}; `tasnet emulate` writes it where the compiler is"
            )
        waves = np.stack([each.mix for each in mixtures(EMULATED_WINDOWS, case.length)])
        try:
            found = emulate_bit_exact(pipeline, case, path, host_frames(case.variant, case.size, waves))
        except EmulationError as error:
            pytest.skip(f"the compiler doesn't offer it: {error}")
    if found.double and not detection.double:
        pytest.skip(f"emulated by {found.by}, a test double: no chip is held against it")
    return found


def _chip_latency(path: Path, record_property: Callable[[str, object], None]) -> float | None:
    """The chip's own latency, where hailortcli is there to tell; what it says instead is no failure of the case."""
    try:
        told = measure_with_hailortcli(path)
    except HailortcliError as error:
        record_property("hailortcli", str(error))
        return None
    return told.hw_latency_ms if told else None
