"""The suite in pytest's words: options, marks, the `case` of a test, its judgement, and the run's report.

A test of the suite carries one of the marks `compile`, `numerics`, `device` and asks for `case`, or for a fixture
that does; it is then run for each case of the profile. `compiled` and `translated` are the judgements of its case,
and `conclude` turns a judgement into pytest's verdict.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tasnet import __version__
from tasnet.suite.case import BASE_ARCH, Case, graph_key, profile
from tasnet.suite.errors import one_line, own_errors
from tasnet.suite.history.origin import origin
from tasnet.suite.history.run import Head, Measure, latest
from tasnet.suite.history.writer import Writer, begin
from tasnet.suite.judge import PASSING, Judgement, Kind, judge
from tasnet.suite.ledger import TOOLCHAINS, Ledger, read
from tasnet.suite.report.progress import Bar, Lines
from tasnet.suite.report.properties import properties, tags
from tasnet.suite.report.record import Record, record
from tasnet.suite.report.run_folder import new_folder, write_run
from tasnet.suite.report.terminal import ending, title
from tasnet.suite.stage import Outcome, Stage
from tasnet.suite.store import Store, file_sha256
from tasnet.suite.toolchains import Calibrated, Choice, choose, compiler

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

    from tasnet.hailo.dfc import Dfc
    from tasnet.suite.confusion import Compared
    from tasnet.suite.pair import Pair

MARKS: Mapping[str, str] = {
    "compile": "HAR translation and HEF compile against the ledger",
    "numerics": "parity at every stage",
    "device": "on a Hailo-8",
}
PROPERTY = "tasnet"
"""The user property of a test report that carries a case's record as JSON."""
MEASURE_PROPERTY = "tasnet-measure"
"""The same for a measured distance from PyTorch; a test may have several."""
PAIR_PROPERTY = "tasnet-pair"
"""The same for a prediction beside the compiler's verdict."""
PAIR_ID = "pair-"
"""Before a case's id in the name of a test that compares two toolchains, and judges nothing."""

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
    choice: Choice
    compiler: Dfc | None
    """asked for its version; None for the embedded toolchain"""
    repeat: tuple[tuple[str, str], ...]
    """the options that a command needs to repeat this run"""
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
    group.addoption("--dfc-python", metavar="PATH", help="the compiler's interpreter; default: $TASNET_DFC_PYTHON")
    group.addoption(
        "--limit", action="append", default=[], metavar="STAGE.WHAT=VALUE", help="such as compile.seconds=3600; repeats"
    )
    group.addoption("--calibration", metavar="PATH", help="wavs or an npz; default: $TASNET_CALIBRATION")
    group.addoption("--script", metavar="FILE", help="a model script for the compiler")
    group.addoption("--quick", action="store_true", help="the compiler's optimization without its slow algorithms")
    group.addoption("--checkpoint", metavar="FILE", help="weights to export; default: random ones from a fixed seed")
    group.addoption("--store", metavar="DIR", help="artifacts and outcomes; default: $TASNET_STORE, else .tasnet")
    group.addoption("--hef", metavar="DIR", help="compiled files `<case id>.hef` to run; default: $TASNET_HEF")
    group.addoption("--ledger", metavar="FILE", help="expected failures; default: expected_failures.yaml")


def pytest_configure(config: pytest.Config) -> None:
    for name, meaning in MARKS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    setup = config.stash[_SETUP] = _setup(config)
    if setup.compiler:
        # Workers are started with these options: they needn't search again.
        config.option.dfc_python = str(setup.compiler.python)
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Watch(config), "tasnet-watch")


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Which compiler was found, and what it is calibrated with."""
    setup = config.stash[_SETUP]
    if setup.compiler is None:
        return []
    double = ", a test double: nothing it says is observed" if setup.compiler.double else ""
    return [
        f"compiler: {setup.compiler.name} {setup.compiler.version} at {setup.compiler.python}{double}",
        f"calibration: {setup.choice.calibration}",
    ]


def _setup(config: pytest.Config) -> Setup:
    """Reads the options. Raises UsageError, one line."""
    option = config.option
    try:
        cases = profile(option.profile, option.arch)
        ledger = read(Path(option.ledger) if option.ledger else config.rootpath / "expected_failures.yaml")
        choice = _choice(config)
        # Only now: without a compiler nothing of its adapter is needed.
        dfc = compiler(choice) if choice.name == "dfc" else None
    except own_errors() as error:
        raise pytest.UsageError(one_line(error)) from None
    checkpoint = Path(option.checkpoint) if option.checkpoint else None
    if checkpoint and not checkpoint.is_file():
        raise pytest.UsageError(f"--checkpoint {checkpoint}: no such file; name a checkpoint")
    store = Path(option.store or os.environ.get("TASNET_STORE") or config.rootpath / ".tasnet")
    if store.exists() and not store.is_dir():
        raise pytest.UsageError(f"--store {store}: not a directory; name one, it is made where it is missing")
    repeat = _repeated(option)
    return Setup(option.profile, option.arch, choice, dfc, repeat, checkpoint, store.absolute(), ledger, cases)


def _choice(config: pytest.Config) -> Choice:
    """The toolchain that the options mean. Raises ToolchainError."""
    option = config.option
    return choose(
        option.toolchain,
        option.arch,
        dfc_python=option.dfc_python,
        limit=option.limit,
        calibration=option.calibration,
        script=option.script,
        quick=option.quick,
        pyproject=_if_there(config.rootpath / "pyproject.toml"),
    )


def _if_there(path: Path) -> Path | None:
    return path if path.is_file() else None


def _repeated(option: Any) -> tuple[tuple[str, str], ...]:
    """The options that a command needs to repeat this run, without those that have their usual value."""
    given = [
        ("--profile", option.profile, DEFAULT_PROFILE),
        ("--arch", option.arch, BASE_ARCH),
        ("--toolchain", option.toolchain, TOOLCHAINS[0]),
        ("--checkpoint", option.checkpoint, None),
        ("--dfc-python", option.dfc_python, None),
        *(("--limit", limit, None) for limit in option.limit),
        ("--calibration", option.calibration, None),
        ("--script", option.script, None),
    ]
    named = tuple((name, f" '{value}'") for name, value, usual in given if value and value != usual)
    return (*named, *((("--quick", ""),) if option.quick else ()))


# --- tests -------------------------------------------------------------------------------------------------


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if not any(metafunc.definition.get_closest_marker(mark) for mark in MARKS):
        return
    setup = metafunc.config.stash[_SETUP]
    if "pair" in metafunc.fixturenames:
        _generate_pairs(metafunc, setup)
    elif "case" in metafunc.fixturenames:
        metafunc.parametrize("case", setup.cases, ids=[case.id for case in setup.cases])
    if "entry" in metafunc.fixturenames:
        metafunc.parametrize("entry", setup.ledger.entries, ids=[entry.id for entry in setup.ledger.entries])


def _generate_pairs(metafunc: pytest.Metafunc, setup: Setup) -> None:
    """One pair per distinct graph; without a compiler one that is skipped, for there is nothing to compare."""
    if setup.compiler is None:
        metafunc.parametrize("pair", [None], ids=["none"], indirect=True)
        return
    cases = {graph_key(case): case for case in reversed(setup.cases)}
    chosen = [case for case in setup.cases if cases[graph_key(case)] is case]
    metafunc.parametrize("pair", chosen, ids=[f"{PAIR_ID}{case.id}" for case in chosen], indirect=True)


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
    # Only now: a run without cases needs none of it.
    from tasnet.hailo.reference import Reference
    from tasnet.suite.pipeline import Pipeline, Recipe
    from tasnet.suite.store import open_store

    setup = pytestconfig.stash[_SETUP]
    recordings = setup.choice.calibration
    return Pipeline(
        open_store(setup.store),
        setup.compiler or Reference(),
        Recipe(checkpoint=setup.checkpoint),
        fit=Calibrated(recordings, setup.store) if recordings else None,
    )


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
    told = record(case.id, sized, setup.profile, until, outcomes, judgement, _repeat(request.node.nodeid, setup))
    request.node.user_properties.append((PROPERTY, told.model_dump_json(exclude_defaults=True)))
    _tag(request, told)
    text = _failure_text(told)
    if judgement.kind is Kind.INFRA:
        pytest.fail(text, pytrace=False)
    return Judged(judgement, text, told.predicted)


def _tag(request: pytest.FixtureRequest, told: Record) -> None:
    """Into the CTRF report, where pytest-json-ctrf writes one: its fixture is what it knows of the test."""
    if getattr(request.config.option, "ctrf", None):
        known = request.getfixturevalue("ctrf_json_metadata")
        known["tags"] = [*known["tags"], *tags(told)]
        known["parameters"] = {"case": told.case_id}


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


def _failure_text(told: Record) -> str:
    entries = [f"entry     {name}" for name in told.entries]
    return "\n".join(
        [
            f"{told.kind.value.replace('_', ' ')}: {told.case_id}",
            "expected  " + told.expected.replace("; ", "\n          "),
            f"happened  {told.happened}",
            *entries,
            f"to do     {told.hint}",
            f"repeat    {told.repeat}",
        ]
    )


def _repeat(nodeid: str, setup: Setup) -> str:
    """The command that runs this test alone. A node id: `-k` can't tell k1 from k12, nor read a `=`."""
    return f'pytest "{nodeid}"' + "".join(f" {name}{value}" for name, value in setup.repeat)


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Callable[[Measure], None]:
    """Keeps a measurement in the run's history."""

    def keep(measure: Measure) -> None:
        request.node.user_properties.append((MEASURE_PROPERTY, measure.model_dump_json()))

    return keep


# --- the compiler's word beside the prediction -------------------------------------------------------------


@pytest.fixture
def pair(request: pytest.FixtureRequest, pipeline: RunsCases) -> Pair:
    """What the compiler and the embedded toolchain say of a case. Skips without a compiler."""
    from tasnet.suite.pair import NO_COMPILER, Pair

    setup = request.config.stash[_SETUP]
    if setup.compiler is None:
        pytest.skip(NO_COMPILER)
    from tasnet.hailo.reference import Reference
    from tasnet.suite.pipeline import Pipeline, Recipe
    from tasnet.suite.store import open_store

    store = open_store(setup.store)
    try:
        open_one = Pipeline(store, Reference(), Recipe(checkpoint=setup.checkpoint))
        predicted, observed = open_one.run(request.param), pipeline.run(request.param)
    except own_errors() as error:
        pytest.fail(f"{one_line(error)}\nrepeat    {_repeat(request.node.nodeid, setup)}", pytrace=False)
    return Pair(request.param, predicted, observed, setup.compiler, store)


@pytest.fixture
def verdicts(request: pytest.FixtureRequest, pair: Pair) -> Compared:
    """The prediction beside the compiler's verdict; it goes into the table at the end of the run."""
    from tasnet.suite.pair import compared

    found = compared(pair)
    request.node.user_properties.append((PAIR_PROPERTY, json.dumps(asdict(found))))
    return found


def conclude_prediction(found: Compared, pair: Pair) -> None:
    """Fails where the compiler contradicts the prediction, with the evidence to add; skips where it says nothing."""
    from tasnet.suite.confusion import Agreement
    from tasnet.suite.pair import told_of_refutation

    if found.agreement in (Agreement.REFUTED, Agreement.MISSED):
        pytest.fail(told_of_refutation(found, pair.compiler), pytrace=False)
    if found.agreement is Agreement.SILENT:
        pytest.skip(f"predicted {found.predicted}, and the compiler ended {found.observed}")


def conclude_differences(differences: Callable[[Pair], Sequence[str]], pair: Pair) -> None:
    """Fails with the differences if there are any; skips where there are no two things to compare."""
    from tasnet.suite.pair import NothingToCompare, listed

    try:
        lines = differences(pair)
    except NothingToCompare as reason:
        pytest.skip(str(reason))
    except own_errors() as error:
        pytest.fail(f"{pair.case.id}: {one_line(error)}", pytrace=False)
    if lines:
        pytest.fail(f"{pair.case.id}: {len(lines)} differences\n{listed(lines)}", pytrace=False)


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
            return graphs.get(bracket + name.removeprefix(PAIR_ID), nodeid)

    return ByGraph(config, log)


# --- the report --------------------------------------------------------------------------------------------


Status = tuple[str, str, str]
"""pytest's category, letter and word"""


def _record_json(report: pytest.TestReport, wanted: str = PROPERTY) -> str | None:
    return next((str(value) for name, value in report.user_properties if name == wanted), None)


def _readable(report: pytest.TestReport) -> list[tuple[str, object]]:
    """The properties for JUnit: a case's as a person reads them, and not as they crossed from a worker."""
    own = (PROPERTY, MEASURE_PROPERTY, PAIR_PROPERTY)
    text = _record_json(report)
    told = properties(Record.model_validate_json(text)) if text else ()
    return [*(each for each in report.user_properties if each[0] not in own), *told]


@pytest.hookimpl(wrapper=True)
def pytest_report_teststatus(
    report: pytest.CollectReport | pytest.TestReport, config: pytest.Config
) -> Generator[None, Status, Status]:
    """Cases are shown by the progress, not by a dot each, unless -v asks for every line."""
    status = yield
    if config.get_verbosity() > 0 or not isinstance(report, pytest.TestReport) or _record_json(report) is None:
        return status
    return (status[0], "", status[2])


@dataclass(eq=False)
class Watch:
    """Sits in the process that reports: gathers the records of all workers, shows progress, prints the end."""

    config: pytest.Config
    records: dict[str, Record] = field(default_factory=dict)
    pairs: dict[str, Compared] = field(default_factory=dict)
    total: int = 0
    progress: Bar | Lines | None = None
    writer: Writer | None = None
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

    # Before JUnit's, which writes a test when it is torn down.
    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown":
            report.user_properties = _readable(report)
            return
        if pair := _record_json(report, PAIR_PROPERTY):
            self._compare(pair)
        if report.when == "call":
            for name, value in report.user_properties:
                if name == MEASURE_PROPERTY:
                    self._keep(Measure.model_validate_json(str(value)))
        text = _record_json(report)
        if text is None or not (report.when == "call" or (report.when == "setup" and report.failed)):
            return
        told = Record.model_validate_json(text)
        (self.records[told.case_id],) = latest([*filter(None, [self.records.get(told.case_id)]), told])
        self._keep(told)
        category = "xfailed" if hasattr(report, "wasxfail") else report.outcome
        self._step("error" if report.when == "setup" else category, told.case_id)

    def _compare(self, text: str) -> None:
        from tasnet.suite.confusion import Agreement, Compared

        told = json.loads(text)
        told |= {"families": tuple(told["families"]), "agreement": Agreement(told["agreement"])}
        self.pairs[told["case_id"]] = Compared(**told)

    def _ordered(self) -> list[Record]:
        """The records in the profile's order, whatever the order in which workers sent them."""
        return [self.records[case.id] for case in self.config.stash[_SETUP].cases if case.id in self.records]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.progress:
            self.progress.stop()
        root = self.config.stash[_SETUP].store
        try:
            if self.writer and self.records:
                self.summary = write_run(self.writer.folder, self._ordered(), Store(root))
            if self.writer:
                self.writer.end(self.records.values(), int(session.exitstatus))
        except OSError as error:
            self._in_trouble(error)
        if self.trouble:
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def _keep(self, told: Record | Measure) -> None:
        """Into the run's history, which begins with the first thing to keep. A full disk ends it, not the run."""
        if self.trouble:
            return
        try:
            if self.writer is None:
                self.writer = begin(new_folder(self.config.stash[_SETUP].store / "runs"), self._head())
            if isinstance(told, Record):
                self.writer.add(told)
            else:
                self.writer.measured(told)
        except OSError as error:
            self._in_trouble(error)

    def _in_trouble(self, error: OSError) -> None:
        self.trouble = f"the run's files were not written: {error}; name another --store"

    def _head(self) -> Head:
        setup = self.config.stash[_SETUP]
        ledger = setup.ledger.path
        return Head(
            started=datetime.now(timezone.utc),
            profile=setup.profile,
            arch=setup.arch,
            toolchain=setup.choice.name,
            version=setup.compiler.version if setup.compiler else __version__,
            double=bool(setup.compiler and setup.compiler.double),
            repeat=tuple(f"{name}{value}" for name, value in setup.repeat),
            cases=len(setup.cases),
            chosen=self.total,
            checkpoint=str(setup.checkpoint or ""),
            ledger=str(ledger),
            ledger_sha256=file_sha256(ledger),
            origin=origin(self.config.rootpath),
        )

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        self._tell_pairs(terminalreporter)
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

    def _tell_pairs(self, terminalreporter: pytest.TerminalReporter) -> None:
        compiler = self.config.stash[_SETUP].compiler
        if not self.pairs or compiler is None:
            return
        from tasnet.suite.pair import table

        double = ", a test double: nothing was observed" if compiler.double else ""
        terminalreporter.section(f"predicted by reference, against {compiler.name} {compiler.version}{double}")
        terminalreporter.write_line(table(list(self.pairs.values()), double=compiler.double))


def _fresh_line(writer: Any, text: str) -> None:
    """A line of its own, after the dots of other tests too."""
    if writer.width_of_current_line:
        writer.line()
    writer.line(text, flush=True)


def _speaks_unicode(terminal: pytest.TerminalReporter) -> bool:
    encoding = getattr(terminal._tw._file, "encoding", None) or "ascii"
    return encoding.lower().replace("-", "").startswith("utf")
