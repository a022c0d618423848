"""A test for each network that is planned, and the records of the plans."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tasnet.suite.history import PlanRecord
from tasnet.suite.plugin.setup import MARKS, SETUP, repeat_command
from tasnet.suite.run import KeptPlan, Store, plan_record

PLAN_TEST_PREFIX = "plan-"
"""Before a network's id in the name of a test of its plan, which is no test of a case."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if _has_planned_fixture(metafunc.definition, metafunc.fixturenames):
        plans = metafunc.config.stash[SETUP].plans
        ids = [f"{PLAN_TEST_PREFIX}{each.network.whole.id}" for each in plans]
        metafunc.parametrize("planned", plans or [None], ids=ids or ["none"])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Cases of another profile come from no plan: there is no test then, nor one that is skipped."""
    items[:] = [each for each in items if not (isinstance(each, pytest.Function) and _without_a_plan(each))]


def _without_a_plan(item: pytest.Function) -> bool:
    return _has_planned_fixture(item, item.fixturenames) and item.callspec.params["planned"] is None


def _has_planned_fixture(test: pytest.Item, fixtures: Sequence[str]) -> bool:
    return "planned" in fixtures and any(test.get_closest_marker(mark) for mark in MARKS)


def conclude_plan(planned: KeptPlan, request: pytest.FixtureRequest) -> None:
    """Returns where there is a plan, and fails with the bound that no plan meets where there is none."""
    if planned.trouble:
        network = planned.network
        pytest.fail(
            f"{network.name}: {planned.trouble}\nnetwork   {network.whole.id}\n"
            f"repeat    {repeat_command(request.config, request.node.nodeid)}",
            pytrace=False,
        )


def plan_records(config: pytest.Config) -> tuple[PlanRecord, ...]:
    """The records of the plans that the run's cases come from."""
    setup = config.stash[SETUP]
    store = Store(setup.store)
    return tuple(plan_record(store, each) for each in setup.plans)
