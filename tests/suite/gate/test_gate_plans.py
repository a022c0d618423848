"""The gate and plans: what a plan costs on both sides, by each side's own planner, and what is a regression."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tasnet.suite.gate.answers import SideAnswers, SideGraphs
from tasnet.suite.gate.checkout import GateError, Revision
from tasnet.suite.gate.judging import GateContext, GateRequest
from tasnet.suite.gate.markdown import markdown_lines
from tasnet.suite.gate.result import GateResult, result_json
from tasnet.suite.gate.run import _compared
from tasnet.suite.gate.sides import ExportRequest, Side, export_both
from tasnet.suite.history.plans import PlanRecord
from tasnet.suite.run import Recipe, ToolchainOptions
from tests.doubles.forked_sides import forked_sides
from tests.doubles.stored_runs import plan_record
from tests.suite.run.small_plans import SMALL

ROOT = Path(__file__).resolve().parents[3]
PLAN = plan_record(SMALL.whole.id, "small", hefs=4, invocations=8, macs=2_000_000, seconds=0.1)
RESULT = GateResult(Revision("0" * 40, "main"), "here", "plans", "hailo8", "reference 0.1.0", "predicted", 0.05, 1)


def compared(tmp_path: Path, before: tuple[PlanRecord, ...], after: tuple[PlanRecord, ...]) -> GateResult:
    """The result of two sides that differ in what their plans cost alone."""
    request = GateRequest(ROOT, "main", "plans", ToolchainOptions(), tmp_path / "store", Recipe())
    context = GateContext(request)
    context.__dict__["cases"] = {SMALL.whole.id: SMALL.whole}
    sides = (
        SideGraphs({SMALL.whole.id: "g"}, {SMALL.whole.id: "onnx/a.onnx"}, {}, {plan.network: plan for plan in plans})
        for plans in (before, after)
    )
    return _compared(RESULT, context, *sides, lambda text: None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seconds": 0.11}, "small: dearer: 100.0 -> 110.0 ms modelled (+10.0%)"),
        ({"seconds": 0.09, "hefs": 5}, "small: dearer: 100.0 -> 90.0 ms modelled (-10.0%), 4 -> 5 HEFs (+25.0%)"),
        ({"invocations": 9}, "small: dearer: 8 -> 9 invocations (+12.5%)"),
        ({"macs": 3_000_000}, "small: dearer: 2 -> 3 million MACs (+50.0%)"),
        ({"trouble": "block 3 binds", "hefs": 0}, "small: no plan any more: block 3 binds"),
    ],
)
def test_a_dearer_plan_or_none_is_a_regression_with_its_figures(tmp_path: Path, change: dict, words: str) -> None:
    result = compared(tmp_path, (PLAN,), (PLAN.model_copy(update=change),))
    assert not result.passed
    (group,) = result.found
    assert (group.regression.reason.value, group.regression.what) == ("plan", words)
    assert group.cases == (SMALL.whole.id,)
    told = list(markdown_lines(result))
    assert f"| plan | {words.replace('->', '→')} | 1 | `{SMALL.whole.id}` |" in told
    assert result_json(result)["regressions"][0]["reason"] == "plan"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({}, {"seconds": 0.09}, "cheaper: 100.0 → 90.0 ms modelled (-10.0%)"),
        ({"trouble": "it binds"}, {}, "a plan, where there was none: 4 HEFs, 100.0 ms modelled"),
    ],
)
def test_a_cheaper_plan_is_said_and_passes(tmp_path: Path, before: dict, after: dict, words: str) -> None:
    result = compared(tmp_path, (PLAN.model_copy(update=before),), (PLAN.model_copy(update=after),))
    assert result.passed
    told = list(markdown_lines(result))
    assert f"| small | {words} |" in told
    assert told[0] == "## tasnet gate: ✅ no graph changed, and plans cost less"
    assert result_json(result)["plans"][0]["worse"] is False


def test_a_new_network_that_no_plan_fits_fails_and_one_that_is_planned_does_not(tmp_path: Path) -> None:
    other = PLAN.model_copy(update={"network": "other", "name": "other"})
    assert compared(tmp_path, (PLAN,), (PLAN, other)).passed
    without = other.model_copy(update={"trouble": "it binds"})
    (group,) = compared(tmp_path, (PLAN,), (PLAN, without)).found
    assert group.regression.what == "other: a new network, and no plan: it binds"


def test_a_base_without_plans_is_said(tmp_path: Path) -> None:
    assert any("the base has no plans" in note for note in compared(tmp_path, (), (PLAN,)).notes)
    gone = compared(tmp_path, (PLAN, PLAN.model_copy(update={"network": "b", "name": "b"})), (PLAN,))
    assert "planned no more: b" in gone.notes


FIGURES = PLAN.model_dump(exclude={"plan"})


@pytest.mark.parametrize(
    "plan",
    [
        {**FIGURES, "seconds": float("nan")},
        {**FIGURES, "hefs": -1},
        {**FIGURES, "hefs": "4"},
        {**FIGURES, "name": "small\n## passed"},
        {**FIGURES, "verdict": "clear"},
        {"network": "small"},
    ],
)
def test_figures_that_cannot_be_are_not_believed(plan: dict) -> None:
    answers = SideAnswers("the base", lambda text: None)
    with pytest.raises(GateError, match="the base's code is not to be believed"):
        answers.add({"plans": [plan]})


SMALLER = """
PLANNED = (PlannedNetwork("small", _as_trained(Size(N=14, L=8, B=12, H=16, Sc=10, X=2, R=1), 2000), 8000),)
"""


def revision(folder: Path, *without: str) -> Path:
    """A copy of the package that plans one small network, without some of its files."""
    shutil.copytree(ROOT / "tasnet", folder / "tasnet", ignore=shutil.ignore_patterns("__pycache__", *without))
    with (folder / "tasnet/suite/cases/profiles.py").open("a") as file:
        file.write(SMALLER)
    return folder


def test_each_side_plans_with_its_own_code_and_one_without_plans_has_no_case(tmp_path: Path) -> None:
    older, here = revision(tmp_path / "older", "plans.py"), revision(tmp_path / "here")
    sides = Side(older, "the base", tmp_path / "one"), Side(here, "this side", tmp_path / "two")
    with forked_sides():
        before, after = export_both(*sides, ExportRequest("plans", "hailo8", Recipe(), 300), lambda text: None)
    assert not before.graphs
    assert not before.plans
    ((network, plan),) = after.plans.items()
    assert plan.hefs == 2
    assert len(after.files) == len(after.graphs) == 3
    assert network in after.files
