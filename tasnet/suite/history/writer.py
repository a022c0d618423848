"""Writer: keeps a run as it goes, so that a kill loses no more than the line that was being written."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel

from tasnet.suite.history.run import END, HEAD, MEASURES, RECORDS, End, Head, Measure
from tasnet.suite.report.record import Record
from tasnet.suite.whole import write_whole


@dataclass(frozen=True)
class Writer:
    """Writes into the folder of one run; one process at a time."""

    folder: Path
    began: float = field(default_factory=time.monotonic)

    def add(self, record: Record) -> None:
        """Keeps a case's record. Raises OSError."""
        _append(self.folder / RECORDS, record)

    def measured(self, measure: Measure) -> None:
        """Keeps a measurement. Raises OSError."""
        _append(self.folder / MEASURES, measure)

    def end(self, records: Iterable[Record], exit_status: int) -> None:
        """Says that the run ended; `records` are its cases. Raises OSError."""
        kinds = Counter(record.kind for record in records)
        told = End(exit_status=exit_status, seconds=time.monotonic() - self.began, kinds=dict(kinds))
        _write(self.folder / END, told)


def begin(folder: Path, head: Head) -> Writer:
    """The writer of a new run in an empty folder. Raises OSError."""
    _write(folder / HEAD, head)
    return Writer(folder)


def _write(path: Path, model: BaseModel) -> None:
    write_whole(path, model.model_dump_json(by_alias=True, indent=1).encode() + b"\n")


def _append(path: Path, model: BaseModel) -> None:
    """One write a line: what a kill can cut short is the last line alone."""
    with path.open("ab") as file:
        file.write(model.model_dump_json(exclude_defaults=True).encode() + b"\n")
