"""A run's folder: summary.tsv and heatmap.svg, and for what a compiler said the notes' files of each case.

    <time>/summary.tsv, heatmap.svg
    <time>/<YYYYMMDD_HHMMSS>/<run_tag>.log, .failure.txt, .failure.txt.json
    <time>/hef/<case id>.hef     the compiled files, for `pytest tests/device --tasnet-hef <time>/hef`

A case's log is its stages' logs, one after the other, between the lines that the notes' logs have around them.
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import IO

from tasnet.common import write_whole
from tasnet.suite.cases import STAGES, Stage, Status
from tasnet.suite.history import CaseRecord
from tasnet.suite.notes import timed_out, write_summary
from tasnet.suite.report.terminal import svg
from tasnet.suite.run import DamagedArtifact, DamageWarning, Store, StoreError

_BEGINS = {Stage.TRANSLATE: "Translation", Stage.OPTIMIZE: "Optimization", Stage.COMPILE: "Compilation"}
_STEPS = {Stage.TRANSLATE: 3, Stage.COMPILE: 4}


def new_folder(runs: Path) -> Path:
    """A folder below `runs` named for this second in UTC; two runs in one second get two. Raises OSError."""
    name = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    for attempt in range(1, 1000):
        folder = runs / (name if attempt == 1 else f"{name}-{attempt}")
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:
            if not runs.is_dir():
                raise
    raise OSError(f"{runs}: too many runs in one second")


def write_run(folder: Path, records: Sequence[CaseRecord], store: Store, entries: Sequence[str] = ()) -> Path:
    """Writes all of the run's files in `folder` and returns its summary.tsv. Raises OSError.

    `entries` are the ids of the ledger's entries, in its order.

    What the embedded toolchain says has no logs, and gets no files of its cases: it is no evidence.
    """
    write_whole(folder / "heatmap.svg", svg(records, entries).encode())
    if not any(record.logs for record in records):
        write_summary(records, folder / "summary.tsv")
        return folder / "summary.tsv"
    # Only now: a run without a compiler needs none of it.
    from tasnet.suite.notes import write_night_run

    records = [_with_hef(folder, record, store) for record in records]
    with store.workspace() as desk:
        logs: dict[str, Path] = {}
        for number, record in enumerate(records):
            if record.logs:
                logs[record.case_id] = desk / f"{number}.log"
                with logs[record.case_id].open("wb") as file:
                    _write_log(file, record, store)
        return write_night_run(folder, records, logs)


def _with_hef(folder: Path, record: CaseRecord, store: Store) -> CaseRecord:
    """The record with its compiled file beside it. What a stand-in writes is no HEF, and stays in the store."""
    if not record.hef or record.predicted:
        return record
    name = f"hef/{record.case_id}.hef"
    (folder / "hef").mkdir(exist_ok=True)
    try:
        write_whole(folder / name, store.path(record.hef).read_bytes())
    except DamagedArtifact as error:
        # The verdict stands; the next run compiles the file anew.
        warnings.warn(DamageWarning(f"{record.case_id}: no compiled file beside the run: {error}"), stacklevel=2)
        return record.model_copy(update={"hef": ""})
    return record.model_copy(update={"hef": name})


def _write_log(file: IO[bytes], record: CaseRecord, store: Store) -> None:
    by = "predicted by a stand-in for" if record.predicted else "observed with"
    _line(file, f"[tasnet] {record.case_id}: {by} Dataflow Compiler {record.version}")
    for stage in STAGES:
        if stage not in record.logs:
            continue
        _line(file, f"Starting {_BEGINS.get(stage, stage.value)}{'' if stage is Stage.OPTIMIZE else '...'}")
        try:
            with store.path(record.logs[stage]).open("rb") as log:
                shutil.copyfileobj(log, file)
        except StoreError as error:
            _line(file, f"[tasnet] {error}")
        _line(file, "")
        if stage in _STEPS:
            passed = record.stages.get(stage) is Status.PASSED
            _line(file, f"Step {_STEPS[stage]} {'Success' if passed else 'Failed'}")
    if timed_out(record):
        failed = [failure.figures for outcome in record.outcomes for failure in outcome.failures]
        figures = [*(outcome.figures for outcome in record.outcomes), *failed]
        limit = next((each["limit_seconds"] for each in figures if "limit_seconds" in each), "?")
        _line(file, f"[TIMEOUT] {record.run_tag} exceeded {limit if isinstance(limit, str) else f'{limit:g}'}s")


def _line(file: IO[bytes], text: str) -> None:
    file.write(f"{text}\n".encode())
