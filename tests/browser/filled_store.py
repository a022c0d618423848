"""A store with the runs that a report must show: real ones, and doubles of those that this machine can't make."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from filelock import FileLock

from tasnet.hailo.failures import Certainty
from tasnet.suite.cases.case import graph_key
from tasnet.suite.cases.names import parse_case
from tasnet.suite.cases.outcome import Status
from tasnet.suite.cases.verdict import Verdict
from tasnet.suite.history.records import CaseRecord
from tasnet.suite.history.run import ParityFigure, StoredRun, read_run, run_folders
from tasnet.suite.ledger import read_ledger
from tasnet.suite.ledger.judgement import JudgementKind
from tasnet.suite.report.sources import ReportSource, gather_runs
from tasnet.suite.run.store import Store
from tests.doubles.repository import run_pytest
from tests.doubles.stored_runs import copy_store, said_by, set_schema, store_copy, with_log

ROOT = Path(__file__).resolve().parents[2]
TODAY = date(2026, 12, 1)
LOG = "[info] step\n" * 500 + "\x1b[31m[error]\x1b[0m <b>Reshape</b> is needed\nBackendAllocatorException: it failed\n"
MEASURED = "concat-bypass-grouped-all"
OF_A_MEASURED_GRAPH = "project-bypass-conv1x1_head-k1"
"""one of several cases of a graph of few layers, which is measured under the id of another"""
PROBES = [f"project-bypass-ungrouped_blockdiag-k1{size}" for size in ("", "+T=8000", "+T=4000", "+T=3000")]
"""of four ends: three blockers, one of them, unknown, clear"""


def filled(folder: Path, notes_store: Path) -> Path:
    """The store in `folder`, filled once by whichever process comes first."""
    with FileLock(folder.with_suffix(".lock")):
        done = folder / "done"
        if not done.exists():
            copy_store(notes_store, folder, runs=True)
            fill(folder)
            done.touch()
    return folder


def fill(store: Path) -> None:
    """Beside the real run that is there: another, an observed one, a test double's, a killed one, another schema's."""
    probe_cases(store)
    notes, probes = (read_run(folder) for folder in run_folders(store))
    log = Store(store).put_file(LOG.encode(), ".log")

    def observed(record: CaseRecord) -> CaseRecord:
        return with_log(said_by(record, "dfc", "3.33.1", predicted=False), "compile", log)

    measures = [
        ParityFigure(case_id=MEASURED, stage=stage, form="identity relu", length=16000, snr_db=snr, of_peak=3.2e-7)
        for stage, snr in (("onnx", 121.25), ("har8", 24.5))
    ]
    graph = graph_key(parse_case(OF_A_MEASURED_GRAPH))
    measures.append(ParityFigure(case_id=graph, stage="har", form="bypass", length=16000, snr_db=130.0, of_peak=3.2e-7))
    dfc = {"toolchain": "dfc", "version": "3.33.1"}
    store_copy(notes, store, head=dfc, change=observed, measures=measures, days=1)
    store_copy(
        notes,
        store,
        head={"toolchain": "dfc", "version": "3.33.0+double", "double": True},
        change=lambda record: said_by(record, "dfc", "3.33.0+double", predicted=True),
        days=2,
    )
    store_copy(notes, store, records=notes.records[:7], killed=True, days=3)
    set_schema(store_copy(notes, store, days=4), 99)
    store_copy(probes, store, change=better, records=probes.records[:-1], days=5)


def better(record: CaseRecord) -> CaseRecord:
    """What nobody could tell is clear."""
    if record.verdict is not Verdict.UNKNOWN:
        return record
    known = {"status": Status.PASSED, "certainty": Certainty.EXTRAPOLATED, "doubts": ()}
    outcomes = tuple(each.model_copy(update=known) for each in record.outcomes)
    return record.model_copy(update={"outcomes": outcomes, "kind": JudgementKind.EXPECTED_PASS})


def probe_cases(store: Path) -> None:
    """Runs a few of the suite's cases for real."""
    words = ["-q", "-m", "compile", "tests/compile/test_compile.py", *(f"--tasnet-case={name}" for name in PROBES)]
    done = run_pytest(*words, "--tasnet-profile", "probes", "--tasnet-store", str(store))
    assert done.returncode == 0, done.stdout + done.stderr


def source(store: Path) -> ReportSource:
    """All of the store's runs with the project's ledger."""
    return gather_runs(Store(store), TODAY, ledger=read_ledger(ROOT / "expected_failures.yaml"))


def run_of(source: ReportSource, profile: str, said: str) -> StoredRun:
    """The last run of a profile that ended and was `predicted`, `observed` or by a `double`."""
    from tasnet.suite.report.signs import run_source

    ended = [run for run in source.runs if run.end and run.head.profile == profile]
    return next(run for run in reversed(ended) if run_source(run) == said)
