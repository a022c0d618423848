"""From options to a toolchain: what each option becomes, and what each wrong one says."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasnet.hailo.compiler.dfc import Dfc
from tasnet.hailo.compiler.find import DfcNotFound
from tasnet.hailo.compiler.limits import LimitsError
from tasnet.hailo.failures import Certainty
from tasnet.hailo.predict.reference import Reference
from tasnet.network.variant import Size, Variant
from tasnet.suite.cases.case import Case
from tasnet.suite.cases.outcome import Stage, Status
from tasnet.suite.run.pipeline import Pipeline
from tasnet.suite.run.recordings import CalibrationError
from tasnet.suite.run.store import open_store
from tasnet.suite.run.toolchains import (
    CalibrationWarning,
    CaseCalibration,
    ToolchainError,
    open_compiler,
    open_toolchain,
    toolchain_options,
)
from tests.doubles.dfc_python import dfc_python
from tests.doubles.scripted_toolchain import ScriptedToolchain

SMALL = Size(N=16, L=16, B=8, H=8, Sc=8, X=1, R=1)
CASE = Case(Variant(), SMALL, 400)


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TASNET_CALIBRATION", "TASNET_DFC_PYTHON"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    """Half a second that comes and goes."""
    time = np.arange(4000) / 8000
    wave = 0.3 * np.sin(2 * np.pi * 440 * time) * (np.sin(2 * np.pi * 6 * time) > 0)
    np.savez(tmp_path / "speech.npz", speech=wave[None].astype(np.float32), rate=8000)
    return tmp_path / "speech.npz"


def dfc_of(tmp_path: Path, speech: Path, **options: Any) -> Dfc:
    python = dfc_python(tmp_path / "bin")
    return open_compiler(toolchain_options("dfc", "hailo8", dfc_python=str(python), calibration=speech, **options))


def test_the_embedded_one_needs_nothing() -> None:
    assert open_toolchain(toolchain_options("reference", "hailo8l")) == Reference()


def test_every_option_reaches_the_compiler(tmp_path: Path, speech: Path) -> None:
    script = tmp_path / "model.alls"
    script.write_text("performance_param(compiler_optimization_level=max)\n")
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text('[tool.tasnet.limits.compile]\nseconds = 60\nmemory = "2 GiB"\n')
    limit = ["compile.seconds=3600", "optimize.memory=8 GiB"]
    dfc = dfc_of(tmp_path, speech, script=script, quick=True, limit=limit, pyproject=pyproject)
    assert dfc.script == script.read_text()
    assert dfc.quick
    assert (dfc.limits.compile.seconds, dfc.limits.compile.memory) == (3600, 2 << 30)
    assert dfc.limits.optimize.memory == 8 << 30
    assert (dfc.version, dfc.predicted) == ("3.33.0+double", True)


def test_variables_stand_in_for_options(tmp_path: Path, speech: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASNET_CALIBRATION", str(speech))
    monkeypatch.setenv("TASNET_DFC_PYTHON", str(dfc_python(tmp_path / "bin")))
    choice = toolchain_options("dfc", "hailo8")
    assert choice.calibration == speech
    assert open_compiler(choice).python == tmp_path / "bin" / "python3"


WRONG = {
    "unknown": ({"name": "gcc"}, ToolchainError, "--toolchain gcc: unknown; one of reference, dfc"),
    "idle": ({"name": "reference", "quick": True}, ToolchainError, "--quick: only the compiler has it"),
    "no recordings": ({"calibration": "none"}, ToolchainError, "--calibration none: no such folder or file"),
    "no script": ({"script": "none.alls"}, ToolchainError, "--script none.alls: no such file"),
    "no compiler": ({"dfc_python": "none"}, DfcNotFound, r"looked at none \(given\): there is no such file"),
    "a limit of nothing": ({"limit": ["link.seconds=3"]}, LimitsError, "there is no 'link'"),
    "a limit without a value": ({"limit": ["compile.seconds"]}, ToolchainError, "write STAGE.WHAT=VALUE"),
    "a limit that is none": ({"limit": ["compile.seconds=soon"]}, LimitsError, "compile.seconds = 'soon'"),
    "a negative limit": ({"limit": ["compile.seconds=-1"]}, LimitsError, "compile.seconds = -1"),
}


@pytest.mark.parametrize(("options", "kind", "said"), WRONG.values(), ids=WRONG)
def test_wrong_options_are_one_line(options: dict[str, Any], kind: type[Exception], said: str, tmp_path: Path) -> None:
    options = dict(options)
    with pytest.raises(kind, match=said) as error:
        open_toolchain(toolchain_options(options.pop("name", "dfc"), "hailo8", **options))
    assert "\n" not in str(error.value)


def test_without_recordings_the_compiler_is_found_first(tmp_path: Path) -> None:
    with pytest.raises(DfcNotFound):
        open_compiler(toolchain_options("dfc", "hailo8", dfc_python="none"))
    with pytest.raises(ToolchainError, match="no calibration; name recordings with --calibration"):
        open_compiler(toolchain_options("dfc", "hailo8", dfc_python=str(dfc_python(tmp_path / "bin"))))


def test_a_script_that_is_no_text_is_an_error(tmp_path: Path, speech: Path) -> None:
    (tmp_path / "model.alls").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ToolchainError, match="name a model script of text"):
        dfc_of(tmp_path, speech, script=tmp_path / "model.alls")


# --- calibration per case


def test_cases_that_hear_the_same_share_their_data(tmp_path: Path, speech: Path) -> None:
    dfc = dfc_of(tmp_path, speech)
    fit = CaseCalibration(speech, tmp_path / "store")
    first = fit(dfc, CASE)
    other = fit(dfc, replace(CASE, variant=Variant(decoder="conv1x1_head", mask="bypass")))
    shorter = fit(dfc, replace(CASE, length=200))
    assert isinstance(first, Dfc)
    assert first.calibration is not None
    assert np.load(first.calibration).shape == (10, 1, 400, 1)
    assert first == other
    assert isinstance(shorter, Dfc)
    assert shorter.calibration is not None
    assert np.load(shorter.calibration).shape == (20, 1, 200, 1)
    assert shorter.fingerprint != first.fingerprint


def test_other_toolchains_are_left_alone(tmp_path: Path, speech: Path) -> None:
    tool = ScriptedToolchain(tmp_path / "calls")
    assert CaseCalibration(speech, tmp_path / "store")(tool, CASE) is tool


def test_what_is_to_be_known_of_recordings_is_a_warning(tmp_path: Path, speech: Path) -> None:
    np.savez(tmp_path / "noise.npz", noise=np.random.default_rng(0).normal(0, 0.1, (1, 4000)).astype("f4"), rate=8000)
    fit = CaseCalibration(tmp_path / "noise.npz", tmp_path / "store")
    with pytest.warns(CalibrationWarning, match=r"calibration noise.npz: looks like white noise"):
        fit(dfc_of(tmp_path, speech), replace(CASE, length=800))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        CaseCalibration(speech, tmp_path / "store")(dfc_of(tmp_path, speech), replace(CASE, length=800))


def test_too_short_recordings_are_an_error(tmp_path: Path, speech: Path) -> None:
    with pytest.raises(CalibrationError, match="too short"):
        CaseCalibration(speech, tmp_path / "store")(dfc_of(tmp_path, speech), replace(CASE, length=5000))


def test_new_recordings_optimize_again_and_translate_no_more(tmp_path: Path, speech: Path) -> None:
    """The calibration is in the key of the optimization alone."""
    dfc = dfc_of(tmp_path, speech, limit=["optimize.memory=1 GiB", "compile.memory=1 GiB", "translate.memory=1 GiB"])
    store = open_store(tmp_path / "store")
    first = Pipeline(store, dfc, fit=CaseCalibration(speech, store.root)).run(CASE)
    assert {outcome.status for outcome in first.values()} == {Status.PASSED}
    assert first[Stage.COMPILE].certainty is Certainty.EXTRAPOLATED
    assert first[Stage.COMPILE].provenance.predicted
    with np.load(speech) as arrays:
        np.savez(tmp_path / "louder.npz", speech=2 * arrays["speech"], rate=8000)
    louder = CaseCalibration(tmp_path / "louder.npz", store.root)
    second = Pipeline(store, dfc, fit=louder).run(CASE, until=Stage.OPTIMIZE)
    assert second[Stage.TRANSLATE] == first[Stage.TRANSLATE]
    assert second[Stage.OPTIMIZE].seconds != first[Stage.OPTIMIZE].seconds
