"""Own runs of the compiler become evidence by themselves, and predictions are held against what is there."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tasnet.hailo.failures import Failure
from tasnet.network.variant import Size, Variant
from tasnet.suite.cases.case import Case
from tasnet.suite.cases.names import parse_case
from tasnet.suite.cases.outcome import Outcome, Stage, Status
from tasnet.suite.observed.confusions import Agreement, confusion_table
from tasnet.suite.observed.evidence import Evidence, all_evidence, evidence_of_cases, keep_evidence, keep_run_evidence
from tasnet.suite.observed.sweeping import run_graph as run_in_a_worker
from tasnet.suite.run.pipeline import Pipeline
from tasnet.suite.run.store import Store, open_store
from tests.doubles.outcomes import DFC, SUPER_DECONV, failure, outcomes
from tests.doubles.repository import run_pytest
from tests.doubles.scripted_toolchain import ScriptedToolchain
from tests.doubles.stored_runs import copy_store

ROOT = Path(__file__).resolve().parents[3]
HEAD = parse_case("project-bypass-conv1x1_head-k1")
GROUPED = parse_case("concat-normal-grouped-all")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def test_a_run_of_the_compiler_is_kept_once(store: Store) -> None:
    told = outcomes(SUPER_DECONV, by=DFC)
    assert keep_run_evidence(store, GROUPED, told)
    assert not keep_run_evidence(store, GROUPED, told)
    (kept,) = all_evidence(store)
    assert [outcome.stage for outcome in kept.outcomes] == [Stage.TRANSLATE, Stage.OPTIMIZE, Stage.COMPILE]
    assert kept.end.failures == (SUPER_DECONV,)
    assert kept.line.startswith("concat-normal-grouped-all: unsupported_kernel at compile [deconv1]: ")


def cut(end: str) -> Failure:
    """What was made of a compile that this side cut, as stores still have it."""
    return failure("resource_presolve", "Resources presolve failed").model_copy(update={"terminal_event": end})


@pytest.mark.parametrize(
    "told",
    [
        outcomes(SUPER_DECONV),
        outcomes(by=DFC.model_copy(update={"version": "3.33.1+double"})),
        outcomes(status=Status.INFRA, by=DFC, reason="killed"),
        outcomes(status=Status.UNCLASSIFIED, by=DFC, reason="NewError"),
        outcomes(failure("unclassified", "NewError").model_copy(update={"stage": "compile"}), by=DFC),
        outcomes(cut("time limit of 60 s"), by=DFC),
        outcomes(failure("model_script", "Layer conv9 not found in model"), by=DFC),
        outcomes(failure("calibration_shape", "Data shape"), by=DFC),
        {stage: each for stage, each in outcomes(by=DFC).items() if stage is not Stage.COMPILE},
    ],
    ids=[
        "predicted",
        "double",
        "infra",
        "unclassified",
        "no words",
        "an old cut",
        "script",
        "calibration",
        "no compile",
    ],
)
def test_what_tells_nothing_of_the_network_is_no_evidence(store: Store, told: dict[Stage, Outcome]) -> None:
    assert not keep_run_evidence(store, GROUPED, told)
    assert all_evidence(store) == ()


def test_a_checkpoint_with_sigmoid_masks_is_another_graph_and_no_evidence_of_the_case(store: Store) -> None:
    told = outcomes(SUPER_DECONV, by=DFC)
    exported = told[Stage.EXPORT].model_copy(update={"figures": {"onnx_bytes": 1, "mask_activation": "sigmoid"}})
    assert not keep_run_evidence(store, GROUPED, {**told, Stage.EXPORT: exported})
    assert all_evidence(store) == ()


def test_a_sweep_keeps_what_was_observed(store: Store, tmp_path: Path) -> None:
    case = Case(Variant(), Size(N=16, L=16, B=8, H=8, Sc=8, X=2, R=1), 400)
    for predicted in (True, False):
        tool = replace(
            ScriptedToolchain(tmp_path / "calls"), name="dfc", predicted=predicted, fingerprint=str(predicted)
        )
        run_in_a_worker(Pipeline(store, tool), case)
        assert len(all_evidence(store)) == (not predicted)


def said(case: Case, version: str, *failures: Failure) -> Evidence:
    told = outcomes(*failures, by=DFC.model_copy(update={"version": version}))
    return Evidence(case_id=case.id, tag=case.id, outcomes=tuple(told.values())[1:])


def test_of_a_graph_the_newest_version_speaks(store: Store) -> None:
    for version, failures in (("3.9.0", ()), ("unknown", ()), ("3.33.0", (SUPER_DECONV,)), ("3.33", (SUPER_DECONV,))):
        keep_evidence(store, said(GROUPED, version, *failures))
    keep_evidence(store, said(GROUPED, "3.34.0", failure("model_script")))
    keep_evidence(store, said(GROUPED, "3.35.0", cut("time limit of 60 s")))
    keep_evidence(store, said(HEAD, "3.31.0"))
    found = evidence_of_cases(store, [GROUPED])
    assert {each.end.provenance.version for each in found} == {"3.33.0", "3.33"}
    assert evidence_of_cases(store, [replace(GROUPED, arch="hailo8l")]) == ()
    # where the mask is bypassed, truncation changes nothing
    assert evidence_of_cases(store, [parse_case("project-bypass-conv1x1_head-k2")])[0].case_id == HEAD.id


def test_what_ran_on_a_chip_was_compiled_and_a_wrong_set_up_says_nothing() -> None:
    by = DFC.model_copy(update={"toolchain": "hailort", "version": "4.23.0"})
    poor = Outcome(stage=Stage.INFER, status=Status.FAILED, provenance=by, failures=(failure("unclassified"),))
    ran = Evidence(case_id=HEAD.id, tag="", outcomes=(poor,))
    assert confusion_table({HEAD.id: outcomes()}, [ran]).compared[0].agreement is Agreement.AGREES
    assert confusion_table({HEAD.id: outcomes(SUPER_DECONV)}, [ran]).compared[0].agreement is Agreement.REFUTED
    strange = failure("unclassified", "NewError").model_copy(update={"stage": "compile"})
    for says_nothing in (failure("model_script"), strange):
        wrong = said(HEAD, "3.33.0", says_nothing)
        assert confusion_table({HEAD.id: outcomes()}, [wrong]).compared[0].agreement is Agreement.SILENT


def compile_tests(tmp_path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    words = ["-m", "compile", "tests/compile/test_evidence.py", "--tasnet-profile", "notes", "-ra"]
    words += ["-p", "no:cacheprovider", "--tasnet-store", str(tmp_path / "store"), *options]
    return run_pytest(*words, COLUMNS="160")


def test_the_suite_holds_its_predictions_against_the_evidence(store: Store, tmp_path: Path, notes_store: Path) -> None:
    copy_store(notes_store, store.root)
    told = compile_tests(tmp_path)
    assert "tasnet import-runs brings what it said before" in told.stdout
    assert told.returncode == 0

    reshape = failure("reshape_insertion", "Reshape is needed for layers: conv2, conv3, but", "conv2", "conv3")
    keep_evidence(store, said(HEAD, "3.33.0", reshape))
    told = compile_tests(tmp_path)
    assert told.returncode == 0, told.stdout
    assert "predicted by reference, against the evidence in the store" in told.stdout
    assert "1 agrees" in told.stdout
    assert "entry prime-row-reshape: observed in 1 run" in told.stdout

    keep_evidence(store, said(GROUPED, "3.34.0"))
    told = compile_tests(tmp_path)
    assert told.returncode == 1
    assert "concat-normal-grouped-all: predicted blocked (" in told.stdout
    assert "evidence  concat-normal-grouped-all: compile passed; dfc 3.34.0, hailo8" in told.stdout
    assert "1 agrees, 1 refuted" in told.stdout
    assert "Traceback" not in told.stdout
