"""The device in pytest's words: what must be there, which compiled files are run, and what is kept of each run."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from tasnet.suite.cases import Case, Outcome, Status
from tasnet.suite.history import DeviceCheck, DeviceRecord
from tasnet.suite.plugin.options import in_pytest
from tasnet.suite.plugin.setup import SETUP
from tasnet.suite.plugin.worker_reports import DEVICE_PROPERTY
from tasnet.suite.run import Store

if TYPE_CHECKING:
    from tasnet.hailo.chip import Detection

CompiledHef = tuple[Case, Path]

NO_FOLDER = "no HEF: name a folder of <case id>.hef files with --tasnet-hef or TASNET_HEF"

Keep = Callable[[DeviceCheck, CompiledHef, Outcome], Outcome]
"""Keeps how a check ended and returns it; a run that broke down ends the test here, as an ERROR of its setup."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each `<case id>.hef` of the folder; without any there is one still, which says why nothing runs."""
    if "compiled_hef" not in metafunc.fixturenames:
        return
    # Only now: a run without a device needs none of it.
    from tasnet.suite.observed import DeviceError, hefs_by_case

    config = metafunc.config
    folder = config.getoption("--tasnet-hef") or os.environ.get("TASNET_HEF")
    try:
        found = hefs_by_case(Path(folder), config.getoption("--tasnet-arch")) if folder else []
    except DeviceError as error:
        raise pytest.Collector.CollectError(str(error)) from None
    none = f"{folder}: no .hef in it; copy <case id>.hef files there" if folder else NO_FOLDER
    params: list[CompiledHef | str] = [*found] or [none]
    metafunc.parametrize(
        "compiled_hef", params, ids=["none" if isinstance(each, str) else each[0].id for each in params], indirect=True
    )


@pytest.fixture(scope="session")
def detection(pytestconfig: pytest.Config) -> Detection:
    """The device. Skips with what is missing, or fails with it where --tasnet-require-device says that it is there."""
    from tasnet.hailo.chip import detect_chip

    found = detect_chip(pytestconfig.getoption("--tasnet-arch"))
    if not found.ready:
        _missing(pytestconfig, in_pytest(found.reason))
    if found.double and pytestconfig.getoption("--tasnet-require-device"):
        _missing(pytestconfig, "device: hailo_platform is a test double here, no HailoRT")
    return found


@pytest.fixture
def compiled_hef(request: pytest.FixtureRequest, detection: Detection) -> CompiledHef:
    """A case and its compiled file. Skips without one, or fails under --tasnet-require-device."""
    if isinstance(request.param, str):
        _missing(request.config, request.param)
    compiled: CompiledHef = request.param
    return compiled


@pytest.fixture
def keep_ran(request: pytest.FixtureRequest) -> Keep:
    """Keeps the end of a check in the run's history, its figures in the reports, what was observed as evidence."""
    setup, node = request.config.stash[SETUP], request.node

    def keep(check: DeviceCheck, compiled: CompiledHef, outcome: Outcome) -> Outcome:
        case, path = compiled
        ran = DeviceRecord(case_id=case.id, hef=path.name, check=check, outcome=outcome)
        node.user_properties.append((DEVICE_PROPERTY, ran.model_dump_json(exclude_defaults=True)))
        node.user_properties.extend(outcome.figures.items())
        if outcome.status is Status.INFRA:
            pytest.fail(f"{case.id}: {in_pytest(outcome.reason)}", pytrace=False)
        from tasnet.suite.observed import keep_device_outcome

        keep_device_outcome(Store(setup.store), case, path, outcome)
        return outcome

    return keep


def conclude_ran(outcome: Outcome) -> None:
    """Returns where the device did as it should, and fails with what differs."""
    if outcome.failures:
        pytest.fail(outcome.failures[0].message, pytrace=False)


def _missing(config: pytest.Config, reason: str) -> NoReturn:
    if config.getoption("--tasnet-require-device"):
        pytest.fail(f"{reason} (--tasnet-require-device)", pytrace=False)
    pytest.skip(reason)
