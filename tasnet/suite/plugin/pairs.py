"""Predictions compared with the compiler: a test for each distinct graph, and one for all evidence in the store."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, NoReturn

import pytest

from tasnet.common import TasnetError, counted, error_line
from tasnet.suite.cases import graph_key, parse_any_case
from tasnet.suite.observed import evidence_of_cases
from tasnet.suite.plugin.options import in_pytest
from tasnet.suite.plugin.setup import SETUP, RunsCases, Setup, repeat_command, uncaptured_printer
from tasnet.suite.plugin.worker_reports import PAIR_PROPERTY, RECALLED_PROPERTY
from tasnet.suite.run import Store

if TYPE_CHECKING:
    from tasnet.suite.observed import ConfusionTable, ToolchainPair, VerdictComparison

PAIR_ID = "pair-"
"""Before a case's id in the name of a test that compares two toolchains, and judges nothing."""


class _NoCompiler(pytest.skip.Exception):  # type: ignore[misc, name-defined]
    """Of all tests that need a compiler the same skip, in one line at the end of the run."""


def skip_without_compiler() -> NoReturn:
    """Skips a test that compares what is predicted with what a compiler says."""
    raise _NoCompiler(
        "no Dataflow Compiler: with --tasnet-toolchain dfc its word is compared with what is predicted, and "
        "tasnet import-runs brings what it said before"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """pytest folds skips of one reason into a line where their place is one: here that of the skip, not of the test."""
    report = yield
    if call.excinfo and isinstance(call.excinfo.value, _NoCompiler):
        raised = call.excinfo.traceback[-1]
        report.longrepr = (str(raised.path), raised.lineno + 1, f"Skipped: {call.excinfo.value.msg}")
    return report


def generate_pairs(metafunc: pytest.Metafunc, setup: Setup) -> None:
    """One pair per distinct graph; without a compiler one that is skipped, for there is nothing to compare."""
    if setup.compiler is None:
        metafunc.parametrize("pair", [None], ids=["none"], indirect=True)
        return
    cases = {graph_key(case): case for case in reversed(setup.cases)}
    chosen = [case for case in setup.cases if cases[graph_key(case)] is case]
    metafunc.parametrize("pair", chosen, ids=[f"{PAIR_ID}{case.id}" for case in chosen], indirect=True)


@pytest.fixture
def pair(request: pytest.FixtureRequest, pipeline: RunsCases) -> ToolchainPair:
    """What the compiler and the embedded toolchain say of a case. Skips without a compiler."""
    from tasnet.suite.observed import ToolchainPair

    setup = request.config.stash[SETUP]
    if setup.compiler is None:
        skip_without_compiler()
    from tasnet.hailo.predict import Reference
    from tasnet.suite.run import Pipeline, open_store

    store = open_store(setup.store, uncaptured_printer(request.config))
    try:
        open_one = Pipeline(store, Reference(), setup.recipe)
        predicted, observed = open_one.run(request.param, whole=True), pipeline.run(request.param, whole=True)
    except TasnetError as error:
        pytest.fail(
            f"{in_pytest(error_line(error))}\nrepeat    {repeat_command(request.config, request.node.nodeid)}",
            pytrace=False,
        )
    return ToolchainPair(request.param, predicted, observed, setup.compiler, store)


@pytest.fixture
def verdicts(request: pytest.FixtureRequest, pair: ToolchainPair) -> VerdictComparison:
    """The prediction beside the compiler's verdict; it goes into the table at the end of the run."""
    from tasnet.suite.observed import compare_verdicts

    found = compare_verdicts(pair)
    request.node.user_properties.append((PAIR_PROPERTY, json.dumps(asdict(found))))
    return found


def conclude_prediction(found: VerdictComparison, pair: ToolchainPair) -> None:
    """Fails where the compiler contradicts the prediction, with the evidence to add; skips where it says nothing."""
    from tasnet.suite.observed import Agreement, refutation_by

    if found.agreement in (Agreement.REFUTED, Agreement.MISSED):
        pytest.fail(refutation_by(found, pair.compiler), pytrace=False)
    if found.agreement is Agreement.SILENT:
        pytest.skip(f"predicted {found.predicted}, and the compiler ended {found.observed}")


@pytest.fixture
def recalled(request: pytest.FixtureRequest, pipeline: RunsCases) -> ConfusionTable:
    """The predictions for the profile's cases beside the evidence in the store. Skips where there is none."""
    from tasnet.hailo.predict import Reference
    from tasnet.suite.observed import confusion_table
    from tasnet.suite.run import Pipeline

    setup = request.config.stash[SETUP]
    store = Store(setup.store)
    cases = {graph_key(case): case for case in map(pipeline.resolve, setup.cases)}
    known = evidence_of_cases(store, cases.values())
    if not known and setup.compiler is None:
        skip_without_compiler()
    if not known:
        pytest.skip("no observed run of these cases in the store: import-runs brings some")
    seen = {graph_key(parse_any_case(each.case_id)) for each in known}
    predicts = Pipeline(store, Reference(), setup.recipe)
    found = confusion_table({case.id: predicts.run(case) for key, case in cases.items() if key in seen}, known)
    request.node.user_properties.append((RECALLED_PROPERTY, json.dumps([asdict(each) for each in found.compared])))
    return found


def conclude_evidence(found: ConfusionTable) -> None:
    """Fails where evidence contradicts a prediction, with what to add."""
    from tasnet.suite.observed import first_lines, refutation_text, refuted_predictions

    if against := refuted_predictions(found):
        pytest.fail(first_lines([refutation_text(each) for each in against]), pytrace=False)


def conclude_differences(differences: Callable[[ToolchainPair], Sequence[str]], pair: ToolchainPair) -> None:
    """Fails with the differences if there are any; skips where there are no two things to compare."""
    from tasnet.suite.observed import NothingToCompare, first_lines

    try:
        lines = differences(pair)
    except NothingToCompare as reason:
        pytest.skip(str(reason))
    except TasnetError as error:
        pytest.fail(f"{pair.case.id}: {in_pytest(error_line(error))}", pytrace=False)
    if lines:
        pytest.fail(f"{pair.case.id}: {counted(len(lines), 'difference')}\n{first_lines(lines)}", pytrace=False)
