"""Writes a run as it goes, so that a kill loses no more than the line that was being written."""

from __future__ import annotations

import fcntl
import os
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel

from tasnet.common import locked, sealed, write_whole
from tasnet.suite.history.device import DeviceRecord
from tasnet.suite.history.plans import PlanRecord
from tasnet.suite.history.records import CaseRecord
from tasnet.suite.history.run import (
    DEVICE,
    END,
    HEAD,
    MEASURES,
    NOT_WRITTEN,
    PLANS,
    RECORDS,
    ParityFigure,
    RunEnd,
    RunHead,
    kept_of,
    key_of,
    next_number,
)


@dataclass(frozen=True)
class RunWriter:
    """Writes into the folder of one run; one process at a time."""

    folder: Path
    key: str
    """the key under which its lines are sealed"""
    alive: BinaryIO = field(compare=False, repr=False)
    """run.json, locked while this process lives"""
    began: float = field(default_factory=time.monotonic)

    def add_record(self, record: CaseRecord) -> None:
        """Keeps a case's record. Raises OSError."""
        _append(self.folder / RECORDS, self.key, record)

    def add_parity(self, figure: ParityFigure) -> None:
        """Keeps a measurement. Raises OSError."""
        _append(self.folder / MEASURES, self.key, figure)

    def add_device_record(self, record: DeviceRecord) -> None:
        """Keeps a check on a device. Raises OSError."""
        _append(self.folder / DEVICE, self.key, record)

    def add_plan(self, record: PlanRecord) -> None:
        """Keeps the record of a network's plan. Raises OSError."""
        _append(self.folder / PLANS, self.key, record)

    def end(self, records: Iterable[CaseRecord], exit_status: int) -> None:
        """Says that the run ended; `records` are its cases. Raises OSError."""
        kinds = Counter(record.kind for record in records)
        end = RunEnd(
            exit_status=exit_status,
            seconds=time.monotonic() - self.began,
            kinds=dict(kinds),
            records=kept_of(_flushed(self.folder / RECORDS)),
            measures=kept_of(_flushed(self.folder / MEASURES)),
            device=kept_of(_flushed(self.folder / DEVICE)),
            plans=kept_of(_flushed(self.folder / PLANS)),
        )
        text = end.model_dump_json(by_alias=True).encode()
        write_whole(self.folder / END, sealed(self.key, text) + b"\n")
        self.alive.close()

    def give_up(self) -> None:
        """Notes that the run's files can't be written, as on a full disk: an empty file needs no room there."""
        with suppress(OSError):
            (self.folder / NOT_WRITTEN).touch()
        self.alive.close()


def begin_run(folder: Path, head: RunHead) -> RunWriter:
    """The writer of a new run in an empty folder. Raises OSError."""
    store = folder.parent.parent
    with locked(folder.parent / ".number.lock"):
        numbered = head.model_copy(update={"number": next_number(store)})
        write_whole(folder / HEAD, numbered.model_dump_json(by_alias=True, indent=1).encode() + b"\n")
    return RunWriter(folder, key_of(folder), _held(folder / HEAD))


def _held(path: Path) -> BinaryIO:
    """The file, locked while this process lives and writes the run: who looks at it can tell it from a killed one's."""
    file = path.open("r+b")
    # Where there are no locks, a run without an end is told as one that was killed.
    with suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return file


def _append(path: Path, key: str, model: BaseModel) -> None:
    """One write a line: what a kill can cut short is the last line alone."""
    with path.open("ab") as file:
        file.write(sealed(key, model.model_dump_json(exclude_defaults=True).encode()) + b"\n")


def _flushed(path: Path) -> Path:
    """The file, if there is one, with all that was written on the disk: its checksum is named next."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        os.fsync(file.fileno())
    return path
