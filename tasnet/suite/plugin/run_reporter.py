"""The process that reports: it gathers the records of all workers, shows progress and prints the summary."""

from __future__ import annotations

import json
import warnings
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tasnet.common import MAX_LINE_CHARS, counted, labelled_line, printable, table_lines, write_plainly
from tasnet.network import SameFunction, TrainedForm
from tasnet.suite.cases import case_function, parse_any_case, without_keyword
from tasnet.suite.history import (
    HEADS,
    ByEvidence,
    CaseRecord,
    ParityFigure,
    PlanRecord,
    RunWriter,
    begin_run,
    device,
    find_origin,
    latest_records,
)
from tasnet.suite.ledger import JudgementKind
from tasnet.suite.observed import all_evidence, evidence_by_entry
from tasnet.suite.plugin.case_progress import CaseProgress
from tasnet.suite.plugin.ci_properties import properties
from tasnet.suite.plugin.collection import why_no_test
from tasnet.suite.plugin.measures import tell_measures
from tasnet.suite.plugin.options import in_pytest
from tasnet.suite.plugin.plans import plan_records
from tasnet.suite.plugin.setup import SETUP, names_of_others, run_head
from tasnet.suite.plugin.worker_reports import (
    DEVICE_PROPERTY,
    MEASURE_PROPERTY,
    PAIR_PROPERTY,
    PROPERTIES,
    RECALLED_PROPERTY,
    ReviewDue,
    property_of,
)
from tasnet.suite.report import new_folder, summary_text, summary_title, write_run
from tasnet.suite.run import DamageWarning, Store

if TYPE_CHECKING:
    from tasnet.suite.observed import VerdictComparison

_SHOWN = 5
"""damaged files named at the end of a run"""
_NARROWEST = 60
"""columns of the map"""

Status = tuple[str, str, str]
"""pytest's category, letter and word"""


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(RunReporter(config, CaseProgress(config)), "tasnet-watch")


@pytest.hookimpl(wrapper=True)
def pytest_report_teststatus(
    report: pytest.CollectReport | pytest.TestReport, config: pytest.Config
) -> Generator[None, Status, Status]:
    """Cases are shown by the progress, not by a dot each, unless -v asks for every line."""
    status = yield
    if config.get_verbosity() > 0 or not isinstance(report, pytest.TestReport) or property_of(report) is None:
        return status
    return (status[0], "", status[2])


@dataclass(eq=False)
class RunReporter:
    """The plugin object of the process that reports."""

    config: pytest.Config
    progress: CaseProgress
    records: dict[str, CaseRecord] = field(default_factory=dict)
    pairs: dict[str, VerdictComparison] = field(default_factory=dict)
    recalled: list[VerdictComparison] = field(default_factory=list)
    ran: list[device.DeviceRecord] = field(default_factory=list)
    measures: list[ParityFigure] = field(default_factory=list)
    plans: tuple[PlanRecord, ...] = ()
    chosen: int = 0
    """how many tests of cases are to be run"""
    writer: RunWriter | None = None
    summary: Path | None = None
    trouble: str = ""
    known: Mapping[str, ByEvidence] | None = None
    """what the store's evidence says, by the case's id; worked out when the run has ended"""
    due: dict[str, None] = field(default_factory=dict)
    """the warnings of entries that must be reviewed soon, each once"""
    damaged: dict[str, None] = field(default_factory=dict)
    """the warnings of damaged files of the store, each once"""

    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        if issubclass(warning_message.category, ReviewDue):
            self.due.setdefault(str(warning_message.message))
        if issubclass(warning_message.category, DamageWarning):
            self.damaged.setdefault(str(warning_message.message))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        terminal = self.config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None:
            write_plainly(terminal._tw._file)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._count(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        self._count(iter(ids))

    def _count(self, nodeids: Iterator[str]) -> None:
        self.progress.expect(nodeids, (case.id for case in self.config.stash[SETUP].cases))
        self.chosen = self.progress.tests

    # Before JUnit's, which writes a test when it is torn down.
    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if str(report.outcome) == "rerun":
            return  # pytest-rerunfailures runs the test again, and that one counts
        if report.when == "teardown":
            report.user_properties = _readable_properties(report)
            return
        if pair := property_of(report, PAIR_PROPERTY):
            self.pairs[json.loads(pair)["case_id"]] = _verdict_comparison(json.loads(pair))
        if recalled := property_of(report, RECALLED_PROPERTY):
            self.recalled = [_verdict_comparison(each) for each in json.loads(recalled)]
        if report.when == "call":
            for name, value in report.user_properties:
                if name == MEASURE_PROPERTY:
                    self.measures.append(ParityFigure.model_validate_json(str(value)))
                    self._keep(self.measures[-1])
        if not (report.when == "call" or (report.when == "setup" and report.failed)):
            return
        if ran := property_of(report, DEVICE_PROPERTY):
            self.ran.append(device.DeviceRecord.model_validate_json(ran))
            self._keep(self.ran[-1])
        text = property_of(report)
        if text is None:
            return
        record = CaseRecord.model_validate_json(text)
        (self.records[record.case_id],) = latest_records([*filter(None, [self.records.get(record.case_id)]), record])
        self._keep(record)
        category = "xfailed" if hasattr(report, "wasxfail") else report.outcome
        self.progress.step("error" if report.when == "setup" else category, record.case_id)

    def _entries(self) -> list[str]:
        """The ids of the ledger's entries, in its order: they give the map its letters."""
        return [entry.id for entry in self.config.stash[SETUP].ledger.entries]

    def _ordered(self) -> list[CaseRecord]:
        """The records in the profile's order, whatever the order in which workers sent them.

        Of a prediction with what the store's evidence says of the case.
        """
        setup = self.config.stash[SETUP]
        records = [self.records[case.id] for case in setup.cases if case.id in self.records]
        if not records:
            return []
        # Only now: it reads graphs, with numpy.
        from tasnet.suite.ask import by_case, survey_of_run, with_evidence

        if self.known is None:
            self.known = by_case(survey_of_run(Store(setup.store), setup.arch, records))
        return list(with_evidence(records, self.known))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self.progress.stop()
        root = self.config.stash[SETUP].store
        try:
            if self.writer and self.records:
                self.summary = write_run(self.writer.folder, self._ordered(), Store(root), self._entries())
            if self.writer and not self.trouble:
                self.writer.end(self.records.values(), int(session.exitstatus))
        except OSError as error:
            self._in_trouble(error)
        if self.trouble:
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def _keep(self, kept: CaseRecord | ParityFigure | device.DeviceRecord) -> None:
        """Into the run's history, which begins with the first thing to keep. A full disk ends it, not the run."""
        if self.trouble:
            return
        try:
            if self.writer is None:
                self.writer = begin_run(
                    new_folder(self.config.stash[SETUP].store / "runs"),
                    run_head(self.config, self.chosen, find_origin(self.config.stash[SETUP].root)),
                )
                self.plans = plan_records(self.config)
                for plan in self.plans:
                    self.writer.add_plan(plan)
            if isinstance(kept, CaseRecord):
                self.writer.add_record(kept)
            elif isinstance(kept, ParityFigure):
                self.writer.add_parity(kept)
            else:
                self.writer.add_device_record(kept)
        except OSError as error:
            self._in_trouble(error)

    def _in_trouble(self, error: OSError) -> None:
        self.trouble = f"the run's files were not written: {error}; name another --tasnet-store"
        if self.writer:
            self.writer.give_up()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
        setup = self.config.stash[SETUP]
        if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            self._tell_why_none(terminalreporter)
        self._tell_pairs(terminalreporter)
        self._tell_recalled(terminalreporter)
        if self.plans:
            terminalreporter.section(f"plans, predicted; times modelled for {self.plans[0].hardware or 'nothing'}")
            for line in table_lines([HEADS, *(plan.cells for plan in self.plans)]):
                terminalreporter.write_line(line)
        if ran := device.device_rows(self.ran):
            terminalreporter.section(device.title(ran))
            for line in table_lines([device.HEADS, *(row.cells for row in ran)]):
                terminalreporter.write_line(line)
        tell_measures(terminalreporter, self.measures, setup.root)
        if self.measures:
            named = dict.fromkeys(each.case_id for each in self.measures)
            terminalreporter.write_line(labelled_line("compared", compared_with(named, setup.trained)))
        for index, line in enumerate(_first_few(list(self.damaged))):
            terminalreporter.write_line(labelled_line("" if index else "damaged", line), yellow=True)
        records = self._ordered()
        if not records:
            return
        terminalreporter.section(summary_title(records))
        colour = terminalreporter.hasmarkup
        width = terminalreporter._tw.fullwidth
        files = [setup.store, *([self.summary, self.summary.with_name("heatmap.svg")] if self.summary else [])]
        ascii_only = not _speaks_unicode(terminalreporter)
        kept_at = {name: f" --{name}{value}" for name, value in setup.repeat if name in ("store", "ledger")}
        width = max(width, _NARROWEST)
        text = summary_text(records, width, colour, ascii_only, files, entries=self._entries(), **kept_at)
        terminalreporter.write("\n" + text + "\n")
        if records[0].predicted and setup.known.line:
            terminalreporter.write_line(labelled_line("rests on", f"the store's evidence: {setup.known.line}"))
        due = (labelled_line("review" if not index else "", text) for index, text in enumerate(self.due))
        # -q prints no head of the run, which has them.
        others = names_of_others(self.config) if self.config.get_verbosity() < 0 else []
        for line in [*_flaky(records), *due, *(labelled_line("note", text) for text in others)]:
            terminalreporter.write_line(line, yellow=True)
        if self.trouble:
            terminalreporter.write_line(printable(self.trouble, MAX_LINE_CHARS), red=True)
        # 800 lines of XFAIL say less than the map above.
        if self.config.get_verbosity() <= 0:
            terminalreporter.reportchars = terminalreporter.reportchars.replace("x", "")

    def _tell_why_none(self, terminalreporter: pytest.TerminalReporter) -> None:
        keyword, setup = self.config.option.keyword, self.config.stash[SETUP]
        # A worker that finds no test of an id says nothing.
        lines = list(why_no_test(self.config))
        if keyword and not lines:
            lines = [in_pytest(each) for each in without_keyword(keyword, setup.cases, setup.profile)]
        for line in lines:
            terminalreporter.write_line(line)

    def _tell_pairs(self, terminalreporter: pytest.TerminalReporter) -> None:
        compiler = self.config.stash[SETUP].compiler
        if not self.pairs or compiler is None:
            return
        from tasnet.suite.observed import confusion_lines

        double = ", a test double: nothing was observed" if compiler.double else ""
        terminalreporter.section(
            f"predicted by reference, against {compiler.name} {printable(compiler.version)}{double}"
        )
        terminalreporter.write_line(confusion_lines(list(self.pairs.values()), double=compiler.double))

    def _tell_recalled(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.recalled:
            return
        from tasnet.suite.observed import confusion_lines

        setup = self.config.stash[SETUP]
        terminalreporter.section("predicted by reference, against the evidence in the store")
        terminalreporter.write_line(confusion_lines(self.recalled, double=False))
        for name, runs in evidence_by_entry(setup.ledger.entries, all_evidence(Store(setup.store))).items():
            terminalreporter.write_line(f"entry {printable(name)}: observed in {counted(len(runs), 'run')}")


def compared_with(measured: Iterable[str], trained: TrainedForm) -> str:
    """What the figures of the numerics are against: each case's own function, be it the trained network's or not."""
    known = [case_function(parse_any_case(name), trained) for name in measured]
    exact = sum(each.same is SameFunction.EXACT for each in known)
    # One or the other of all is the usual.
    which = {0: "none is", len(known): "all are"}.get(exact, f"{exact} of {len(known)} are")
    return (
        "every stage with its own case's form in PyTorch (float64), and not with the trained network: "
        f"{which} exact, that network's function"
    )


def _readable_properties(report: pytest.TestReport) -> list[tuple[str, object]]:
    """The properties for JUnit: readable ones of the case in place of the JSON from the worker."""
    text = property_of(report)
    readable = properties(CaseRecord.model_validate_json(text)) if text else ()
    return [*(each for each in report.user_properties if each[0] not in PROPERTIES), *readable]


def _verdict_comparison(fields: dict[str, Any]) -> VerdictComparison:
    from tasnet.suite.observed import Agreement, VerdictComparison

    fields |= {"families": tuple(fields["families"]), "agreement": Agreement(fields["agreement"])}
    return VerdictComparison(**fields)


def _first_few(damaged: Sequence[str]) -> Iterator[str]:
    """The first few damaged files, the count of the others, and what happens to them."""
    yield from damaged[:_SHOWN]
    if len(damaged) > _SHOWN:
        yield f"and {counted(len(damaged) - _SHOWN, 'file')} more"
    if damaged:
        yield "what was damaged is worked out anew where it is asked for"


def _flaky(records: Iterable[CaseRecord]) -> list[str]:
    """Lines about flaky entries: how many of their cases failed and passed, and an example."""
    found = [record for record in records if record.kind is JudgementKind.FLAKY]
    failed = sum(bool(record.blockers) for record in found)
    names = ", ".join(dict.fromkeys(name for record in found for name in record.entries))
    text = f"{counted(len(found), 'case')}, {failed} failed and {len(found) - failed} passed: {names}"
    return [labelled_line("flaky", text), labelled_line("", f"  such as {found[0].case_id}")] if found else []


def _speaks_unicode(terminal: pytest.TerminalReporter) -> bool:
    encoding = getattr(terminal._tw._file, "encoding", None) or "ascii"
    return encoding.lower().replace("-", "").startswith("utf")
