"""A small suite in a folder of its own: its ledger, its conftest, and how pytest runs it."""

from __future__ import annotations

import pytest

from tests.doubles.repository import run_pytest

LEDGER = """\
schema: 1
budget: 1
entries:
  - id: super-deconv
    summary: a summary
    where: {decoder: grouped, sources: all}
    stage: compile
    family: unsupported_kernel
    message: "Super deconv"
    toolchain: {reference: "*"}
    arch: [hailo8]
    evidence: somewhere
    since: 2026-02-17
    review: 2126-02-17
"""

CONFTEST = """\
import datetime
import pytest
from tests.doubles.outcomes import *

pytest_plugins = ["tasnet.suite.plugin"]

OTHER = failure("memory_units", "Memory units capacity exceeded", "deconv1")
TOLD = {TOLD}

def tell(case):
    known = case.variant.decoder == "grouped" and case.variant.sources == "all"
    return TOLD.get(case.id) or outcomes(*([SUPER_DECONV] if known else []))

@pytest.fixture(scope="session")
def pipeline():
    return FakePipeline(tell)

@pytest.fixture(scope="session")
def today():
    return datetime.date({TODAY})
"""


def tells(suite: pytest.Pytester, told: str, today: str = "2026, 6, 1") -> None:
    suite.makeconftest(CONFTEST.replace("{TOLD}", told).replace("{TODAY}", today))


def run(suite: pytest.Pytester, *options: str) -> pytest.RunResult:
    # hypothesis' plugin imports it at a run's end, whoever runs.
    words = ("-m", "compile", "--tasnet-profile", "notes", "-ra", "-p", "no:hypothesispytest", *options)
    # In this process where it can be.
    return run_with_workers(suite, *words) if "-n" in options else suite.runpytest_inprocess(*words)


def run_with_workers(suite: pytest.Pytester, *words: str) -> pytest.RunResult:
    """pytest in the suite's folder, in a fork, whose workers are processes of their own."""
    ran = run_pytest(*words, folder=suite.path)
    return pytest.RunResult(ran.returncode, ran.stdout.splitlines(), ran.stderr.splitlines(), 0)
