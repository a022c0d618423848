"""Stored runs: records that end as a test says, written as a run writes them, and copies of a run that differ.

Nothing of a case is run for them.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from tasnet.suite.cases.case import AnyCase, Case
from tasnet.suite.cases.names import parse_case
from tasnet.suite.cases.outcome import STAGES, Outcome, Provenance, Stage
from tasnet.suite.cases.profiles import profile_cases
from tasnet.suite.history.plans import PlanRecord
from tasnet.suite.history.records import CaseRecord, case_record
from tasnet.suite.history.run import ParityFigure, RunHead, StoredRun, read_run
from tasnet.suite.history.writer import begin_run
from tasnet.suite.ledger import Entry
from tasnet.suite.ledger.judgement import judge
from tasnet.suite.report.run_folder import new_folder
from tests.doubles.ledgers import entry_text, ledger
from tests.doubles.outcomes import REFERENCE

JUDGED_ON = date(2026, 6, 1)
STARTED = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)
FIRST = "20260601T000000Z"
ENTRIES: tuple[Entry, ...] = ledger(entry_text("super-deconv", toolchain='{reference: "*", dfc: "*"}')).entries
"""a ledger in which every grouped decoder fails for its kernel, whoever says so"""

EndOf = Callable[[Case], Mapping[Stage, Outcome]]
"""how a case ends, by stage"""


def ended_record(
    case: str | AnyCase,
    ended: Mapping[Stage, Outcome],
    entries: Sequence[Entry] = (),
    stage: Stage | None = None,
    name: str = "notes",
) -> CaseRecord:
    """The record of a case of the profile `name` that ended so; taken as far as `stage`, or as `ended` goes."""
    meant = parse_case(case) if isinstance(case, str) else case
    last = stage or [each for each in STAGES if each in ended][-1]
    known = {each: outcome for each, outcome in ended.items() if STAGES.index(each) <= STAGES.index(last)}
    return case_record(meant.id, meant, name, last, known, judge(meant.axes(), known, entries, JUDGED_ON))


def ended_records(end_of: EndOf, cases: Iterable[Case], name: str = "notes") -> list[CaseRecord]:
    """The records of cases that no ledger knows of: what they are judged to be is of no account."""
    return [ended_record(case, end_of(case), name=name) for case in cases]


def run_head(records: Sequence[CaseRecord], **head: Any) -> RunHead:
    """The head of a whole run of the notes with these records; `head` goes before."""
    usual = {"started": STARTED, "profile": "notes", "arch": "hailo8", "toolchain": "reference", "version": "0.1.0"}
    return RunHead.model_validate({**usual, "cases": len(records), "chosen": len(records), **head})


def store_run(
    folder: Path, records: Sequence[CaseRecord], measures: Sequence[ParityFigure] = (), ended: bool = True, **head: Any
) -> StoredRun:
    """Writes a run into a new folder and reads it back."""
    _write(folder, run_head(records, **head), records, measures, ended)
    return read_run(folder)


def store_profile(
    store: Path,
    end_of: EndOf,
    name: str = "notes",
    run: str = FIRST,
    *,
    cases: Iterable[Case] | None = None,
    **head: Any,
) -> StoredRun:
    """Writes a run of a profile, or of some of its cases, into a store and reads it back."""
    whole = profile_cases(name)
    known = ended_records(end_of, whole if cases is None else cases, name)
    given = {"started": STARTED.replace(hour=0), "profile": name, "cases": len(whole), **_by(known), **head}
    return store_run(store / "runs" / run, known, **given)


def unstored_run(end_of: EndOf, cases: Sequence[Case], by: Provenance = REFERENCE) -> StoredRun:
    """A run of the notes without a disk, of just these cases."""
    known = ended_records(end_of, cases)
    head = run_head(known, toolchain=by.toolchain, version=by.version)
    return StoredRun(FIRST, Path("run"), head, tuple(known), (), None)


def of_other_cases(run: StoredRun, end_of: EndOf, cases: Iterable[Case]) -> StoredRun:
    """The run with other cases, without a disk."""
    return replace(run, records=tuple(ended_records(end_of, cases, run.head.profile)))


def store_copy(
    run: StoredRun,
    store: Path,
    *,
    head: Mapping[str, Any] | None = None,
    change: Callable[[CaseRecord], CaseRecord] | None = None,
    records: Sequence[CaseRecord] | None = None,
    measures: Iterable[ParityFigure] = (),
    days: float = 1,
    killed: bool = False,
) -> Path:
    """Writes a run like `run` that began `days` later, and returns its folder. A killed one has half a last line."""
    started = run.head.started + timedelta(days=days)
    folder = store / "runs" / f"{started:%Y%m%dT%H%M%SZ}"
    if folder.exists():
        folder = new_folder(store / "runs")
    kept = [change(record) if change else record for record in (run.records if records is None else records)]
    _write(folder, run.head.model_copy(update={"started": started, **(head or {})}), kept, measures, not killed)
    if killed:
        with (folder / "records.jsonl").open("ab") as file:
            file.write(b'{"case_id": "concat-nor')
    return folder


def set_schema(folder: Path, schema: int) -> None:
    """Makes the run in `folder` one of another schema."""
    head = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**head, "schema": schema}))


def said_by(record: CaseRecord, toolchain: str, version: str, *, predicted: bool) -> CaseRecord:
    """The record as if all of it had been said by another toolchain, which names one of maybe several blockers."""
    by = {"toolchain": toolchain, "version": version, "predicted": predicted}
    outcomes = tuple(
        outcome.model_copy(update={"provenance": outcome.provenance.model_copy(update={**by, "exhaustive": False})})
        for outcome in record.outcomes
    )
    happened = record.happened.removeprefix("predicted ")
    return record.model_copy(update={**by, "outcomes": outcomes, "happened": happened})


def with_log(record: CaseRecord, stage: str, log: str) -> CaseRecord:
    """The record with the store's name of a log at one stage."""
    outcomes = tuple(
        outcome.model_copy(update={"figures": {**outcome.figures, "log": log}}) if outcome.stage == stage else outcome
        for outcome in record.outcomes
    )
    return record.model_copy(update={"outcomes": outcomes})


def parity_measure(case: str, snr_db: float, stage: str = "onnx", length: int = 16000) -> ParityFigure:
    """A measured distance, with a peak error that goes with it."""
    return ParityFigure(
        case_id=case, stage=stage, form="identity relu", length=length, snr_db=snr_db, of_peak=10 ** (-snr_db / 20)
    )


def plan_record(network: str, name: str = "notes", **figures: Any) -> PlanRecord:
    """What a run keeps of a network's plan: 24 HEFs in the 2 s of sound that they separate; `figures` go before."""
    usual = {"hardware": "a Pi", "hefs": 24, "invocations": 48, "macs": 2_060_000, "uncut_macs": 1_000_000}
    times = {"seconds": 0.3164, "null_seconds": 0.6136, "clip_seconds": 2.0}
    return PlanRecord(**{"network": network, "name": name, "evidence": "extrapolated", **usual, **times, **figures})


def _write(
    folder: Path, head: RunHead, records: Sequence[CaseRecord], measures: Iterable[ParityFigure], ended: bool
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    writer = begin_run(folder, head)
    for each in records:
        writer.add_record(each)
    for measure in measures:
        writer.add_parity(measure)
    if ended:
        writer.end(records, 0)


def _by(records: Sequence[CaseRecord]) -> dict[str, str]:
    """Who says a run's first record, in the words of its head."""
    return {"toolchain": records[0].toolchain, "version": records[0].version} if records else {}


def copy_store(store: Path, to: Path, *, runs: bool = False) -> Path:
    """A store's finished work, and its runs if asked for, at `to`, which is returned. What is there stays.

    Finished work is linked: nobody writes into such a file, one that changes is another with its name. onnx reads no
    weights from a file of two names.
    """
    copied = (store / "runs", store / "onnx")

    def copy(source: str, target: str) -> None:
        if not Path(target).exists():
            put = shutil.copy2 if any(map(Path(source).is_relative_to, copied)) else os.link
            put(source, target)

    left_out = ("locks", "tmp") if runs else ("locks", "tmp", "runs")
    ignore = lambda folder, _: left_out if folder == str(store) else ()  # noqa: E731
    shutil.copytree(store, to, ignore=ignore, copy_function=copy, dirs_exist_ok=True)
    return to
