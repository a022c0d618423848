"""The suite in pytest's words: options, marks, the `case` of a test, its judgement, and the run's report.

A test of the suite carries one of the marks `compile`, `numerics`, `device` and asks for `case`, or for a fixture
that does; it is then run for each case of the profile. `compiled` and `translated` are the judgements of its case,
and `conclude` turns a judgement into pytest's verdict.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import pytest

from tasnet.suite.case import BASE_ARCH, Case, CaseError, graph_key, profile
from tasnet.suite.errors import one_line, own_errors
from tasnet.suite.judge import PASSING, Judgement, Kind, judge
from tasnet.suite.ledger import TOOLCHAINS, Ledger, LedgerError, read
from tasnet.suite.report.picture import svg
from tasnet.suite.report.progress import Bar, Lines
from tasnet.suite.report.record import Record, record
from tasnet.suite.report.summary_tsv import write_summary
from tasnet.suite.report.terminal import ending, title
from tasnet.suite.stage import ORDER, Outcome, Stage

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

MARKS: Mapping[str, str] = {
    "compile": "HAR translation and HEF compile against the ledger",
    "numerics": "parity at every stage",
    "device": "on a Hailo-8",
}
PROPERTY = "tasnet"
"""The user property of a test report that carries a case's record as JSON."""

DEFAULT_PROFILE = "matrix"


class RunsCases(Protocol):
    """What the fixture `pipeline` must be: a Pipeline, or a double of it."""

    def resolve(self, case: Case) -> Case:
        """The case at the size of the checkpoint, if there is one."""

    def run(self, case: Case, until: Stage = Stage.COMPILE) -> Mapping[Stage, Outcome]:
        """The outcomes of the case at every stage up to `until`."""


@dataclass(frozen=True)
class Setup:
    """What the options mean, read once per process."""

    profile: str
    arch: str
    toolchain: str
    checkpoint: Path | None
    store: Path
    ledger: Ledger
    cases: tuple[Case, ...]


@dataclass(frozen=True)
class Judged:
    """A case's judgement, and the text of a failure of it."""

    judgement: Judgement
    text: str
    predicted: bool


_SETUP = pytest.StashKey[Setup]()


# --- options -----------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("tasnet", "Conv-TasNet on Hailo-8")
    group.addoption("--profile", default=DEFAULT_PROFILE, help="cases: matrix (default), notes, probes, faithful")
    group.addoption("--arch", default=BASE_ARCH, help="architecture: hailo8 (default), hailo8l, hailo8r")
    group.addoption("--toolchain", default=TOOLCHAINS[0], help="reference (default; embedded, predicts) or dfc")
    group.addoption("--checkpoint", metavar="FILE", help="weights to export; default: random ones from a fixed seed")
    group.addoption("--store", metavar="DIR", help="artifacts and outcomes; default: $TASNET_STORE, else .tasnet")
    group.addoption("--ledger", metavar="FILE", help="expected failures; default: expected_failures.yaml")


def pytest_configure(config: pytest.Config) -> None:
    for name, meaning in MARKS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    config.stash[_SETUP] = _setup(config)
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Watch(config), "tasnet-watch")


def _setup(config: pytest.Config) -> Setup:
    """Reads the options. Raises UsageError, one line."""
    option = config.option
    try:
        cases = profile(option.profile, option.arch)
        ledger = read(Path(option.ledger) if option.ledger else config.rootpath / "expected_failures.yaml")
    except (CaseError, LedgerError) as error:
        raise pytest.UsageError(str(error)) from None
    if option.toolchain not in TOOLCHAINS:
        raise pytest.UsageError(f"--toolchain {option.toolchain}: unknown; one of {', '.join(TOOLCHAINS)}")
    if option.toolchain != TOOLCHAINS[0]:
        raise pytest.UsageError(f"--toolchain {option.toolchain}: not installed; use --toolchain {TOOLCHAINS[0]}")
    checkpoint = Path(option.checkpoint) if option.checkpoint else None
    if checkpoint and not checkpoint.is_file():
        raise pytest.UsageError(f"--checkpoint {checkpoint}: no such file; name a checkpoint")
    store = Path(option.store or os.environ.get("TASNET_STORE") or config.rootpath / ".tasnet")
    if store.exists() and not store.is_dir():
        raise pytest.UsageError(f"--store {store}: not a directory; name one, it is made where it is missing")
    return Setup(option.profile, option.arch, option.toolchain, checkpoint, store.absolute(), ledger, cases)


# --- tests -------------------------------------------------------------------------------------------------


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if not any(metafunc.definition.get_closest_marker(mark) for mark in MARKS):
        return
    setup = metafunc.config.stash[_SETUP]
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", setup.cases, ids=[case.id for case in setup.cases])
    if "entry" in metafunc.fixturenames:
        metafunc.parametrize("entry", setup.ledger.entries, ids=[entry.id for entry in setup.ledger.entries])


@pytest.fixture(scope="session")
def ledger(pytestconfig: pytest.Config) -> Ledger:
    """The expected failures."""
    return pytestconfig.stash[_SETUP].ledger


@pytest.fixture(scope="session")
def today() -> date:
    """The day on which an entry's `review` is past or not."""
    return datetime.now(timezone.utc).date()


@pytest.fixture(scope="session")
def pipeline(pytestconfig: pytest.Config) -> RunsCases:
    """Takes cases through the stages with the toolchain of the options."""
    # torch comes with it, and a run without cases needs none
    from tasnet.hailo.reference import Reference
    from tasnet.suite.pipeline import Pipeline, Recipe
    from tasnet.suite.store import open_store

    setup = pytestconfig.stash[_SETUP]
    return Pipeline(open_store(setup.store), Reference(), Recipe(checkpoint=setup.checkpoint))


@pytest.fixture
def translated(request: pytest.FixtureRequest, case: Case, pipeline: RunsCases, today: date) -> Judged:
    """The case judged as far as its translation."""
    return _judged(request, case, pipeline, today, Stage.TRANSLATE)


@pytest.fixture
def compiled(request: pytest.FixtureRequest, case: Case, pipeline: RunsCases, today: date) -> Judged:
    """The case judged as far as its compile."""
    return _judged(request, case, pipeline, today, Stage.COMPILE)


def _judged(request: pytest.FixtureRequest, case: Case, pipeline: RunsCases, today: date, until: Stage) -> Judged:
    """Runs and judges the case. A tool that broke down ends here: an ERROR of the setup, no FAILED of the test."""
    setup = request.config.stash[_SETUP]
    try:
        sized = pipeline.resolve(case)
        outcomes = pipeline.run(case, until=until)
    except own_errors() as error:
        pytest.fail(f"{one_line(error)}\nrepeat    {_repeat(request.node.nodeid, setup)}", pytrace=False)
    judgement = judge(sized.axes(), outcomes, setup.ledger.entries, today)
    told = record(case.id, sized, setup.profile, until, outcomes, judgement)
    request.node.user_properties.append((PROPERTY, told.model_dump_json()))
    text = _failure_text(told, _repeat(request.node.nodeid, setup))
    if judgement.kind is Kind.INFRA:
        pytest.fail(text, pytrace=False)
    return Judged(judgement, text, told.predicted)


def conclude(judged: Judged) -> None:
    """Returns for a pass, and ends the test as xfailed, skipped or failed otherwise."""
    judgement = judged.judgement
    if judgement.kind is Kind.EXPECTED_FAILURE:
        # Imperative, for strictness is the judgement's: a case that passes against its entry never comes here.
        reason = f"{'predicted: ' if judged.predicted else ''}{', '.join(judgement.entries)}"
        raise pytest.xfail.Exception(reason, pytrace=False)
    if judgement.kind is Kind.UNKNOWN:
        pytest.skip(judgement.happened)
    if judgement.kind not in PASSING:
        pytest.fail(judged.text, pytrace=False)


def _failure_text(told: Record, repeat: str) -> str:
    entries = [f"entry     {name}" for name in told.entries]
    return "\n".join(
        [
            f"{told.kind.value.replace('_', ' ')}: {told.case_id}",
            "expected  " + told.expected.replace("; ", "\n          "),
            f"happened  {told.happened}",
            *entries,
            f"to do     {told.hint}",
            f"repeat    {repeat}",
        ]
    )


def _repeat(nodeid: str, setup: Setup) -> str:
    """The command that runs this test alone. A node id: `-k` can't tell k1 from k12, nor read a `=`."""
    options = [("--profile", setup.profile, DEFAULT_PROFILE), ("--arch", setup.arch, BASE_ARCH)]
    options += [("--toolchain", setup.toolchain, TOOLCHAINS[0]), ("--checkpoint", str(setup.checkpoint or ""), "")]
    given = "".join(f" {name} '{value}'" for name, value, usual in options if value != usual)
    return f'pytest "{nodeid}"{given}'


# --- many processes ----------------------------------------------------------------------------------------


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """All cases of one graph go to one worker: it does the work once, and the others wait for no lock."""
    if config.getoption("dist") != "load":
        return None
    from xdist.scheduler import LoadScopeScheduling

    graphs = {f"[{case.id}]": graph_key(case) for case in config.stash[_SETUP].cases}

    class ByGraph(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            _, bracket, name = nodeid.partition("[")
            return graphs.get(bracket + name, nodeid)

    return ByGraph(config, log)


# --- the report --------------------------------------------------------------------------------------------


Status = tuple[str, str, str]
"""pytest's category, letter and word"""


def _record_json(report: pytest.TestReport) -> str | None:
    return next((str(value) for name, value in report.user_properties if name == PROPERTY), None)


@pytest.hookimpl(wrapper=True)
def pytest_report_teststatus(
    report: pytest.CollectReport | pytest.TestReport, config: pytest.Config
) -> Generator[None, Status, Status]:
    """Cases are shown by the progress, not by a dot each, unless -v asks for every line."""
    status = yield
    if config.get_verbosity() > 0 or not isinstance(report, pytest.TestReport) or _record_json(report) is None:
        return status
    return (status[0], "", status[2])


@dataclass
class Watch:
    """Sits in the process that reports: gathers the records of all workers, shows progress, prints the end."""

    config: pytest.Config
    records: dict[str, Record] = field(default_factory=dict)
    total: int = 0
    progress: Bar | Lines | None = None
    summary: Path | None = None
    trouble: str = ""

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._count(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        self._count(iter(ids))

    def _count(self, nodeids: Iterator[str]) -> None:
        known = {f"[{case.id}]" for case in self.config.stash[_SETUP].cases}
        self.total = sum(nodeid[nodeid.find("[") :] in known for nodeid in nodeids)

    def _step(self, category: str, case_id: str) -> None:
        """Progress begins with the first case: before it, others still write to the terminal."""
        terminal = self.config.pluginmanager.get_plugin("terminalreporter")
        if terminal is None or self.config.get_verbosity() > 0:
            return
        if self.progress is None:
            terminal.showfspath = False
            # pytest's own writer: any other way to the terminal is captured
            writer = terminal._tw
            lines = Lines(lambda text: _fresh_line(writer, text), self.total)
            self.progress = Bar(writer._file, self.total) if terminal.isatty else lines
        self.progress.step(category, case_id)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        text = _record_json(report)
        if text is None or not (report.when == "call" or (report.when == "setup" and report.failed)):
            return
        told = Record.model_validate_json(text)
        known = self.records.get(told.case_id)
        if known is None or ORDER.index(known.stage) <= ORDER.index(told.stage):
            self.records[told.case_id] = told
        category = "xfailed" if hasattr(report, "wasxfail") else report.outcome
        self._step("error" if report.when == "setup" else category, told.case_id)

    def _ordered(self) -> list[Record]:
        """The records in the profile's order, whatever the order in which workers sent them."""
        return [self.records[case.id] for case in self.config.stash[_SETUP].cases if case.id in self.records]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.progress:
            self.progress.stop()
        if not self.records:
            return
        try:
            folder = _new_folder(self.config.stash[_SETUP].store / "runs")
            write_summary(self._ordered(), folder / "summary.tsv")
            (folder / "heatmap.svg").write_text(svg(self._ordered()), encoding="utf-8")
            self.summary = folder / "summary.tsv"
        except OSError as error:
            self.trouble = f"the run's files were not written: {error}; name another --store"
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        records = self._ordered()
        if not records:
            return
        setup = self.config.stash[_SETUP]
        terminalreporter.section(title(records))
        colour = terminalreporter.hasmarkup
        width = terminalreporter._tw.fullwidth
        files = [setup.store, *([self.summary, self.summary.with_name("heatmap.svg")] if self.summary else [])]
        text = ending(records, max(width, 80), colour, not _speaks_unicode(terminalreporter), files)
        terminalreporter.write("\n" + text + "\n")
        if self.trouble:
            terminalreporter.write_line(self.trouble, red=True)
        # 800 lines of XFAIL say less than the map above.
        if self.config.get_verbosity() <= 0:
            terminalreporter.reportchars = terminalreporter.reportchars.replace("x", "")


def _fresh_line(writer: Any, text: str) -> None:
    """A line of its own, after the dots of other tests too."""
    if writer.width_of_current_line:
        writer.line()
    writer.line(text, flush=True)


def _new_folder(runs: Path) -> Path:
    """A folder below `runs` named for this second in UTC; two runs in one second get two."""
    name = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    for attempt in range(1, 1000):
        folder = runs / (name if attempt == 1 else f"{name}-{attempt}")
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:
            if not runs.is_dir():
                raise
    return _crowded(runs)


def _crowded(runs: Path) -> NoReturn:
    raise OSError(f"{runs}: too many runs in one second")


def _speaks_unicode(terminal: pytest.TerminalReporter) -> bool:
    encoding = getattr(terminal._tw._file, "encoding", None) or "ascii"
    return encoding.lower().replace("-", "").startswith("utf")
