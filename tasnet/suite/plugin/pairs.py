"""The compiler's word beside the prediction: a test for each distinct graph, and one for all evidence in the store."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from tasnet.common import TasnetError, error_line
from tasnet.suite.cases import graph_key, parse_case
from tasnet.suite.observed import of_cases
from tasnet.suite.plugin.aloud import aloud
from tasnet.suite.plugin.setup import SETUP, Setup, repeated
from tasnet.suite.plugin.worker_reports import PAIR_PROPERTY, RECALLED_PROPERTY
from tasnet.suite.run import Store

if TYPE_CHECKING:
    from tasnet.suite.observed import Compared, Confusion, Pair
    from tasnet.suite.plugin.cases import RunsCases

PAIR_ID = "pair-"
"""Before a case's id in the name of a test that compares two toolchains, and judges nothing."""


def generate_pairs(metafunc: pytest.Metafunc, setup: Setup) -> None:
    """One pair per distinct graph; without a compiler one that is skipped, for there is nothing to compare."""
    if setup.compiler is None:
        metafunc.parametrize("pair", [None], ids=["none"], indirect=True)
        return
    cases = {graph_key(case): case for case in reversed(setup.cases)}
    chosen = [case for case in setup.cases if cases[graph_key(case)] is case]
    metafunc.parametrize("pair", chosen, ids=[f"{PAIR_ID}{case.id}" for case in chosen], indirect=True)


@pytest.fixture
def pair(request: pytest.FixtureRequest, pipeline: RunsCases) -> Pair:
    """What the compiler and the embedded toolchain say of a case. Skips without a compiler."""
    from tasnet.suite.observed import NO_COMPILER, Pair

    setup = request.config.stash[SETUP]
    if setup.compiler is None:
        pytest.skip(NO_COMPILER)
    from tasnet.hailo.predict import Reference
    from tasnet.suite.run import Pipeline, open_store

    store = open_store(setup.store, aloud(request.config))
    try:
        open_one = Pipeline(store, Reference(), setup.recipe)
        predicted, observed = open_one.run(request.param, whole=True), pipeline.run(request.param, whole=True)
    except TasnetError as error:
        pytest.fail(f"{error_line(error)}\nrepeat    {repeated(request.node.nodeid, setup)}", pytrace=False)
    return Pair(request.param, predicted, observed, setup.compiler, store)


@pytest.fixture
def verdicts(request: pytest.FixtureRequest, pair: Pair) -> Compared:
    """The prediction beside the compiler's verdict; it goes into the table at the end of the run."""
    from tasnet.suite.observed import compared

    found = compared(pair)
    request.node.user_properties.append((PAIR_PROPERTY, json.dumps(asdict(found))))
    return found


def conclude_prediction(found: Compared, pair: Pair) -> None:
    """Fails where the compiler contradicts the prediction, with the evidence to add; skips where it says nothing."""
    from tasnet.suite.observed import Agreement, told_of_refutation

    if found.agreement in (Agreement.REFUTED, Agreement.MISSED):
        pytest.fail(told_of_refutation(found, pair.compiler), pytrace=False)
    if found.agreement is Agreement.SILENT:
        pytest.skip(f"predicted {found.predicted}, and the compiler ended {found.observed}")


@pytest.fixture
def recalled(request: pytest.FixtureRequest, pipeline: RunsCases) -> Confusion:
    """The predictions for the profile's cases beside the evidence in the store. Skips where there is none."""
    from tasnet.hailo.predict import Reference
    from tasnet.suite.observed import confusion
    from tasnet.suite.run import Pipeline

    setup = request.config.stash[SETUP]
    store = Store(setup.store)
    cases = {graph_key(case): case for case in map(pipeline.resolve, setup.cases)}
    known = of_cases(store, cases.values())
    if not known:
        pytest.skip("no observed run of these cases in the store: import-runs brings some, and --toolchain dfc")
    seen = {graph_key(parse_case(each.case_id)) for each in known}
    predicts = Pipeline(store, Reference(), setup.recipe)
    found = confusion({case.id: predicts.run(case) for key, case in cases.items() if key in seen}, known)
    request.node.user_properties.append((RECALLED_PROPERTY, json.dumps([asdict(each) for each in found.compared])))
    return found


def conclude_evidence(found: Confusion) -> None:
    """Fails where evidence contradicts a prediction, with what to add."""
    from tasnet.suite.observed import listed, refutation, refuted

    if against := refuted(found):
        pytest.fail(listed([refutation(each) for each in against]), pytrace=False)


def conclude_differences(differences: Callable[[Pair], Sequence[str]], pair: Pair) -> None:
    """Fails with the differences if there are any; skips where there are no two things to compare."""
    from tasnet.suite.observed import NothingToCompare, listed

    try:
        lines = differences(pair)
    except NothingToCompare as reason:
        pytest.skip(str(reason))
    except TasnetError as error:
        pytest.fail(f"{pair.case.id}: {error_line(error)}", pytrace=False)
    if lines:
        pytest.fail(f"{pair.case.id}: {len(lines)} differences\n{listed(lines)}", pytrace=False)
