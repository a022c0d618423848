"""The suite as a pytest plugin: options, marks, the `case` of a test, its judgement, and the run's report.

A test of the suite carries one of the marks `compile`, `numerics`, `device` and asks for `case`, or for a fixture
that does; it is then run for each case of the profile. `compiled` and `translated` are the judgements of its case,
and `conclude` turns a judgement into pytest's verdict.

    options.py       their values and names (early_options.py, beside this room, has them for pytest)
    setup.py         what they mean, and the run's head for its history
    collection.py    which test files a run opens
    cases.py         a test for each case, and its judgement
    device.py        the device, the compiled files that it runs, and what is kept of it
    pairs.py         predictions compared with the compiler
    plans.py         a test for each network that is planned
    worker_reports.py what a test's report carries from a worker to the process that reports
    run_reporter.py  that process: records, progress, the run's end
    case_progress.py how many of the cases are done
    distribution.py  which worker gets which case
"""

from importlib import import_module
from typing import Any

from tasnet.suite.plugin.cases import Judged, conclude
from tasnet.suite.plugin.pairs import (
    conclude_differences,
    conclude_evidence,
    conclude_prediction,
    skip_without_compiler,
)
from tasnet.suite.plugin.plans import conclude_plan
from tasnet.suite.plugin.setup import RunsCases

__all__ = [
    "Judged",
    "RunsCases",
    "conclude",
    "conclude_differences",
    "conclude_evidence",
    "conclude_plan",
    "conclude_prediction",
    "skip_without_compiler",
]

_PARTS = ("setup", "collection", "cases", "pairs", "plans", "device", "run_reporter", "distribution")
"""where the hooks and fixtures are"""


def pytest_addoption(pluginmanager: Any) -> None:
    """Parts that pytest is told of by name it looks for, one by one, among what every installed package offers."""
    for part in (f"{__name__}.{each}" for each in _PARTS):
        if not pluginmanager.has_plugin(part):
            pluginmanager.register(import_module(part), part)
