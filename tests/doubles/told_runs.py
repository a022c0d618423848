"""Stored runs made by hand: real records of given outcomes, written as a run writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

from tasnet.suite.cases.case import Case
from tasnet.suite.cases.names import parse
from tasnet.suite.cases.outcome import Outcome, Stage
from tasnet.suite.history.record import Record, record
from tasnet.suite.history.run import Head, Measure, Run, read
from tasnet.suite.history.writer import begin
from tasnet.suite.ledger import Entry
from tasnet.suite.ledger import parse as ledger_of
from tasnet.suite.ledger.judge import judge

DAY = date(2026, 6, 1)
STARTED = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)

ENTRIES: tuple[Entry, ...] = ledger_of(
    """\
schema: 1
budget: 1
entries:
  - id: super-deconv
    summary: a summary
    where: {decoder: grouped}
    stage: compile
    family: unsupported_kernel
    message: "Super deconv"
    toolchain: {reference: "*", dfc: "*"}
    arch: [hailo8]
    evidence: somewhere
    since: 2026-02-17
    review: 2126-02-17
""",
    Path("ledger.yaml"),
).entries


def told(
    case: str | Case,
    ended: Mapping[Stage, Outcome],
    entries: Sequence[Entry] = (),
    stage: Stage = Stage.COMPILE,
) -> Record:
    """The record of a case that ended so."""
    meant = parse(case) if isinstance(case, str) else case
    known = {each: outcome for each, outcome in ended.items() if list(Stage).index(each) <= list(Stage).index(stage)}
    return record(meant.id, meant, "notes", stage, known, judge(meant.axes(), known, entries, DAY))


def stored(
    folder: Path,
    records: Sequence[Record],
    measures: Sequence[Measure] = (),
    ended: bool = True,
    **head: Any,
) -> Run:
    """Writes a run into a new folder and reads it back."""
    folder.mkdir(parents=True)
    usual = {"started": STARTED, "profile": "notes", "arch": "hailo8", "toolchain": "reference", "version": "0.1.0"}
    writer = begin(folder, Head(**{**usual, "cases": len(records), "chosen": len(records), **head}))
    for each in records:
        writer.add(each)
    for measure in measures:
        writer.measured(measure)
    if ended:
        writer.end(records, 0)
    return read(folder)


def measure(case: str, snr_db: float, stage: str = "onnx", length: int = 16000) -> Measure:
    """A measured distance, with a peak error that goes with it."""
    return Measure(
        case_id=case, stage=stage, form="identity relu", length=length, snr_db=snr_db, of_peak=10 ** (-snr_db / 20)
    )
