"""Stored runs made from a real one: observed, by a test double, killed, of another schema, or simply more of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from tasnet.suite.history.record import Record
from tasnet.suite.history.run import Measure, Run
from tasnet.suite.history.writer import begin
from tasnet.suite.report.run_folder import new_folder


def another(
    run: Run,
    store: Path,
    *,
    head: Mapping[str, Any] | None = None,
    change: Callable[[Record], Record] | None = None,
    records: Sequence[Record] | None = None,
    measures: Iterable[Measure] = (),
    days: float = 1,
    killed: bool = False,
) -> Path:
    """Writes a run like `run` that began `days` later, and returns its folder. A killed one has half a last line."""
    started = run.head.started + timedelta(days=days)
    folder = store / "runs" / f"{started:%Y%m%dT%H%M%SZ}"
    if folder.exists():
        folder = new_folder(store / "runs")
    folder.mkdir(parents=True, exist_ok=True)
    writer = begin(folder, run.head.model_copy(update={"started": started, **(head or {})}))
    kept = [change(record) if change else record for record in (run.records if records is None else records)]
    for record in kept:
        writer.add(record)
    for measure in measures:
        writer.measured(measure)
    if killed:
        with (folder / "records.jsonl").open("ab") as file:
            file.write(b'{"case_id": "concat-nor')
    else:
        writer.end(kept, 0)
    return folder


def of_schema(schema: int, folder: Path) -> None:
    """Makes the run in `folder` one of another schema."""
    head = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**head, "schema": schema}))


def told_by(record: Record, toolchain: str, version: str, *, predicted: bool) -> Record:
    """The record as if all of it had been said by another toolchain."""
    outcomes = tuple(
        outcome.model_copy(
            update={
                "provenance": outcome.provenance.model_copy(
                    update={"toolchain": toolchain, "version": version, "predicted": predicted, "exhaustive": False}
                )
            }
        )
        for outcome in record.outcomes
    )
    return record.model_copy(
        update={
            "toolchain": toolchain,
            "version": version,
            "predicted": predicted,
            "outcomes": outcomes,
            "happened": record.happened.removeprefix("predicted "),
        }
    )


def with_log(record: Record, stage: str, log: str) -> Record:
    """The record with the store's name of a log at one stage."""
    outcomes = tuple(
        outcome.model_copy(update={"figures": {**outcome.figures, "log": log}}) if outcome.stage == stage else outcome
        for outcome in record.outcomes
    )
    return record.model_copy(update={"outcomes": outcomes})
