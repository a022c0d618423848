"""Plans through the plugin: one failure where none fits, none where none is asked for, and what they can't take."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasnet.suite.history.run import find_run
from tests.suite.plugin.small_suite import run
from tests.suite.run.small_plans import NONE_FITS, SMALL

ROOT = Path(__file__).parents[3]
pytest_plugins = "pytester"


@pytest.fixture
def planned(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """The suite with two networks to plan: a small one, and one that is too short for its reach."""
    monkeypatch.setattr("tasnet.suite.run.plans.PLANNED", (SMALL, NONE_FITS))
    (suite.path / "compile" / "test_plans.py").write_text((ROOT / "tests" / "compile" / "test_plans.py").read_text())
    return suite


def test_a_network_that_no_plan_fits_is_one_failure_that_says_what_binds(planned: pytest.Pytester) -> None:
    result = planned.runpytest_inprocess("-m", "compile", "--tasnet-profile", "plans", "-ra")
    assert result.ret == 1
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines(
        [
            "too short: no plan fits: block 8 (dilation 128) alone takes 384 frames, 149 are allowed*",
            "repeat    pytest \"compile/test_plans.py::test_plan[[]plan-split-normal-*[]]\" --tasnet-profile 'plans'",
            "*plans, predicted; times modelled for Raspberry Pi 5, Gen3 x1*",
            "small * 4 *",
            "too short * no plan: no plan fits: block 8*",
        ]
    )
    assert "Traceback" not in result.stdout.str()
    stored = find_run(planned.path / ".tasnet", "last")
    assert [plan.name for plan in stored.plans] == ["small", "too short"]
    assert stored.plans[0].hefs == 4
    assert stored.plans[1].trouble
    assert len([record for record in stored.records if "segment" in record.axes]) == stored.head.cases - 2 > 0


def test_a_profile_without_plans_has_no_test_of_them(planned: pytest.Pytester) -> None:
    result = run(planned, "compile/test_plans.py", "compile/test_ledger.py")
    result.assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--checkpoint", "compile/test_ledger.py"), "tasnet plan make --checkpoint"),
        (("--toolchain", "dfc"), "tasnet plan compile"),
    ],
)
def test_what_plans_cannot_take_is_a_usage_error(suite: pytest.Pytester, options: tuple[str, ...], words: str) -> None:
    result = suite.runpytest_inprocess("-m", "compile", "--tasnet-profile", "plans", *options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert words in result.stderr.str()
