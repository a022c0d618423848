"""A test for each case of the profile, the case's judgement, and pytest's verdict on it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import pytest

from tasnet.common import TasnetError, error_line, named_error_line, utc_today
from tasnet.suite.cases import AnyCase, Case, Outcome, Provenance, Stage, Status
from tasnet.suite.history import CaseRecord, ParityFigure, case_record
from tasnet.suite.ledger import PASSING_KINDS, Entry, Judgement, JudgementKind, Ledger, due_for_review, judge
from tasnet.suite.observed import keep_run_evidence
from tasnet.suite.plugin.ci_properties import tags
from tasnet.suite.plugin.options import in_pytest
from tasnet.suite.plugin.pairs import generate_pairs
from tasnet.suite.plugin.setup import MARKS, SETUP, RunsCases, repeat_command, run_head, uncaptured_printer
from tasnet.suite.plugin.worker_reports import MEASURE_PROPERTY, PROPERTIES, RECORD_PROPERTY, ReviewDue
from tasnet.suite.report import failing_lines
from tasnet.suite.run import Store, open_pipeline
from tasnet.suite.upkeep import FlakyHistory, flaky_history, history_of_case


@dataclass(frozen=True)
class Judged:
    """A case's judgement, and the text of a failure of it."""

    judgement: Judgement
    text: str
    predicted: bool
    traced: bool = False
    """whether the suite's own traceback was asked for, by --tb=long"""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if not any(metafunc.definition.get_closest_marker(mark) for mark in MARKS):
        return
    setup = metafunc.config.stash[SETUP]
    if "pair" in metafunc.fixturenames:
        generate_pairs(metafunc, setup)
    elif "case" in metafunc.fixturenames:
        metafunc.parametrize("case", setup.cases, ids=[case.id for case in setup.cases])
    if "entry" in metafunc.fixturenames:
        metafunc.parametrize("entry", setup.ledger.entries, ids=[entry.id for entry in setup.ledger.entries])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """What an earlier try of the test said, before pytest-rerunfailures ran it again, doesn't count."""
    item.user_properties[:] = [each for each in item.user_properties if each[0] not in PROPERTIES]


@pytest.fixture(scope="session")
def ledger(pytestconfig: pytest.Config) -> Ledger:
    """The expected failures."""
    return pytestconfig.stash[SETUP].ledger


@pytest.fixture(scope="session")
def today() -> date:
    """The day on which an entry's `review` is past or not."""
    return utc_today()


@pytest.fixture(scope="session")
def past_runs(pytestconfig: pytest.Config) -> FlakyHistory:
    """What the stored runs before this one showed of flaky entries."""
    setup = pytestconfig.stash[SETUP]
    return flaky_history(setup.store, setup.ledger.entries, run_head(pytestconfig))


@pytest.fixture(scope="session")
def entries_due(ledger: Ledger, today: date) -> tuple[Entry, ...]:
    """The entries whose day of review is at most a week away. pytest warns of them, once a process."""
    found = due_for_review(ledger.entries, today)
    for entry in found:
        text = f"{entry.place}: entry {entry.id} is to be reviewed by {entry.review}"
        owner = f", by {entry.owner}" if entry.owner else ""
        warnings.warn(ReviewDue(f"{text}{owner}; after that day it fails the run"), stacklevel=1)
    return found


@pytest.fixture(scope="session")
def pipeline(pytestconfig: pytest.Config) -> RunsCases:
    """Takes cases through the stages with the toolchain of the options."""
    # Only now: it loads numpy, and who collects needs none.
    from tasnet.hailo.predict import Reference

    setup = pytestconfig.stash[SETUP]
    tool = setup.compiler or Reference(setup.known)
    return open_pipeline(
        setup.store, setup.choice, setup.recipe, toolchain=tool, notify=uncaptured_printer(pytestconfig)
    )


@pytest.fixture
def judged_until(
    request: pytest.FixtureRequest,
    case: AnyCase,
    pipeline: RunsCases,
    today: date,
    past_runs: FlakyHistory,
    entries_due: tuple[Entry, ...],
) -> Callable[[Stage], Judged]:
    """Judges the case as far as a stage."""
    return lambda until: _judged(request, case, pipeline, today, past_runs, until)


@pytest.fixture
def translated(judged_until: Callable[[Stage], Judged]) -> Judged:
    """The case judged as far as its translation."""
    return judged_until(Stage.TRANSLATE)


@pytest.fixture
def compiled(judged_until: Callable[[Stage], Judged]) -> Judged:
    """The case judged as far as its compile."""
    return judged_until(Stage.COMPILE)


def _judged(
    request: pytest.FixtureRequest,
    case: AnyCase,
    pipeline: RunsCases,
    today: date,
    past_runs: FlakyHistory,
    until: Stage,
) -> Judged:
    """Runs and judges the case. A tool that broke down ends here: an ERROR of the setup, no FAILED of the test."""
    setup = request.config.stash[SETUP]
    sized = case
    try:
        sized = pipeline.resolve(case)
        outcomes = pipeline.run(case, until=until)
    except TasnetError as error:
        _keep_record(request, case, sized, until, _broken_down(request, until, error_line(error)), today, past_runs)
        repeat = repeat_command(request.config, request.node.nodeid)
        pytest.fail(f"{in_pytest(error_line(error))}\nrepeat    {repeat}", pytrace=False)
    except Exception as error:
        # A bug: it is shown with its traceback, and its case as one of which nothing was learned.
        broken = _broken_down(request, until, named_error_line(error))
        _keep_record(request, case, sized, until, broken, today, past_runs)
        raise
    if setup.compiler and isinstance(sized, Case):
        keep_run_evidence(Store(setup.store), sized, outcomes)
    record, judgement = _keep_record(request, case, sized, until, outcomes, today, past_runs)
    shown = record.model_copy(update={"repeat": repeat_command(request.config, request.node.nodeid)})
    text = in_pytest("\n".join(failing_lines(shown, setup.ledger.entries)))
    traced = request.config.option.tbstyle == "long"
    if judgement.kind in (JudgementKind.INFRA, JudgementKind.UNCLASSIFIED):
        pytest.fail(text, pytrace=traced)
    if judgement.kind is JudgementKind.FLAKY:
        # Not strict: it shows as xfailed or as xpassed, and as neither passed nor failed.
        names = ", ".join(name for name in judgement.entries)
        request.applymarker(pytest.mark.xfail(reason=f"flaky: {_xfail_reason(record.predicted, names)}", strict=False))
    return Judged(judgement, text, record.predicted, traced)


def _keep_record(
    request: pytest.FixtureRequest,
    case: AnyCase,
    sized: AnyCase,
    until: Stage,
    outcomes: Mapping[Stage, Outcome],
    today: date,
    past_runs: FlakyHistory,
) -> tuple[CaseRecord, Judgement]:
    """Judges the outcomes; the record goes with the test's report."""
    setup = request.config.stash[SETUP]
    seen = history_of_case(past_runs, case.id, setup.ledger.entries)
    judgement = judge(sized.axes(), outcomes, setup.ledger.entries, today, seen)
    record = case_record(
        case.id,
        sized,
        setup.profile,
        until,
        outcomes,
        judgement,
        repeat_command(request.config, request.node.nodeid, kept=True),
        trained=setup.trained,
    )
    request.node.user_properties.append((RECORD_PROPERTY, record.model_dump_json(exclude_defaults=True)))
    _tag(request, record)
    return record, judgement


def _broken_down(request: pytest.FixtureRequest, until: Stage, reason: str) -> dict[Stage, Outcome]:
    """The outcomes of a case of which nothing was learned: its last stage broke down."""
    by = run_head(request.config)
    provenance = Provenance(
        toolchain=by.toolchain, version=by.version, predicted=by.known == "predicted", exhaustive=False, arch=by.arch
    )
    return {until: Outcome(stage=until, status=Status.INFRA, provenance=provenance, reason=reason)}


def _tag(request: pytest.FixtureRequest, record: CaseRecord) -> None:
    """Into the CTRF report, where pytest-json-ctrf writes one: its fixture is what it knows of the test."""
    if getattr(request.config.option, "ctrf", None):
        known = request.getfixturevalue("ctrf_json_metadata")
        known["tags"] = [*known["tags"], *tags(record)]
        known["parameters"] = {"case": record.case_id}


def conclude(judged: Judged) -> None:
    """Returns for a pass, and ends the test as xfailed, skipped or failed otherwise."""
    judgement = judged.judgement
    failed = bool(judgement.blockers)
    if judgement.kind is JudgementKind.EXPECTED_FAILURE or (judgement.kind is JudgementKind.FLAKY and failed):
        # Imperative, for strictness is the judgement's: a case that passes against its entry never comes here.
        flaky = "flaky: " if judgement.kind is JudgementKind.FLAKY else ""
        blocked = "".join(f"; {each.stage.value} blocked by {each.by.value}" for each in judgement.upstream)
        reason = f"{flaky}{_xfail_reason(judged.predicted, ', '.join(judgement.entries))}{blocked}"
        raise pytest.xfail.Exception(reason, pytrace=False)
    if judgement.kind is JudgementKind.UNKNOWN:
        pytest.skip(in_pytest(judgement.happened))
    if judgement.kind not in PASSING_KINDS:
        pytest.fail(judged.text, pytrace=judged.traced)


def _xfail_reason(predicted: bool, entries: str) -> str:
    return f"{'predicted: ' if predicted else ''}{entries}"


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Callable[[ParityFigure], None]:
    """Keeps a measurement in the run's history."""

    def keep(measure: ParityFigure) -> None:
        request.node.user_properties.append((MEASURE_PROPERTY, measure.model_dump_json()))

    return keep
