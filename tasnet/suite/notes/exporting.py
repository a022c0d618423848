"""Own runs in the form of the conversion notes' night runs: summary.tsv, and each case's log and failure files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from pathlib import Path

from tasnet.common import write_whole
from tasnet.hailo.logs import key_trace_lines
from tasnet.suite.history import CaseRecord
from tasnet.suite.notes.failure_note import as_text, note_of
from tasnet.suite.notes.summary_tsv import write_summary


def write_night_run(
    folder: Path, records: Iterable[CaseRecord], logs: Mapping[str, Path] | None = None, stamp: str = ""
) -> Path:
    """Writes records as a night run in `folder`, and returns its `summary.tsv`. Raises OSError.

    `logs` are copied, by case id; `stamp` names the inner folder (now, in UTC, if empty). The JSON has the notes'
    keys, and two more: `failures` as this package knows them, and `predicted`, so that a prediction is never read
    back as an observation.
    """
    all_records = tuple(records)
    stamp = stamp or datetime.now(timezone.utc).strftime("%Y%m%d_%H%M%S")
    inner = folder / stamp
    inner.mkdir(parents=True, exist_ok=True)
    cells: dict[str, dict[str, str]] = {}
    for record in all_records:
        row = cells.setdefault(record.case_id, {})
        if log := (logs or {}).get(record.case_id):
            write_whole(inner / f"{record.run_tag}.log", log.read_bytes())
            row["log_path"] = f"{stamp}/{record.run_tag}.log"
            row["key_trace"] = "|".join(f"{number}:{line}" for number, line in key_trace_lines(log))
        failures = tuple(blocker.failure for blocker in record.blockers)
        if failures:
            name = f"{record.run_tag}.failure.txt"
            note = note_of(failures, predicted=record.predicted)
            write_whole(inner / name, as_text(note).encode())
            write_whole(inner / f"{name}.json", f"{json.dumps(note, indent=2)}\n".encode())
            row["failure_json"] = f"{stamp}/{name}.json"
    write_summary(all_records, folder / "summary.tsv", cells)
    return folder / "summary.tsv"
