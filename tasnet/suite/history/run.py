"""Stored runs, read. A damaged run is named and not passed over; of a killed one there is what it wrote before."""

from __future__ import annotations

import fcntl
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasnet.common import TasnetError, checksum, stored_bytes, unsealed
from tasnet.hailo import TOOLCHAINS
from tasnet.suite.cases import STAGES, Stage, Verdict
from tasnet.suite.history.device import DeviceRecord
from tasnet.suite.history.empty_store import no_runs
from tasnet.suite.history.origins import RunOrigin
from tasnet.suite.history.plans import PlanRecord
from tasnet.suite.history.records import CaseRecord
from tasnet.suite.ledger import JudgementKind

SCHEMA = 2
"""Of every file of a run. A run of another schema is named and not read: 1 had no seals, and stored verdicts."""

HEAD, RECORDS, MEASURES, END = "run.json", "records.jsonl", "measures.jsonl", "end.json"
DEVICE, PLANS = "device.jsonl", "plans.jsonl"
NOT_WRITTEN = "not-written"
"""an empty file: the run's files could not be written to their end"""

_Model = TypeVar("_Model", bound=BaseModel)


class RunError(TasnetError, ValueError):
    """A run that can't be read, or a name that no run has. One line: which, why, what to do."""


class OtherVersion(RunError):
    """A run that another version wrote, in a schema that this one doesn't read. Nothing is wrong with it."""


class ParityFigure(BaseModel):
    """One case at one stage of the numbers: how far it is from the float64 reference."""

    # an exact stage is at infinity, which JSON has no number for
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    case_id: str
    stage: str
    """torch, onnx, har, har8, or one of the compiler's contexts"""
    form: str
    """norm and activation, as thresholds.yaml has them"""
    length: int
    snr_db: float
    of_peak: float
    """the largest error over the reference's peak"""


class RunHead(BaseModel):
    """What a run set out to do. `repeat` are the options of `tasnet matrix` that make it again."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    run_schema: int = Field(default=SCHEMA, validation_alias="schema", serialization_alias="schema")
    started: datetime
    number: int = 0
    """one more than any run's that was in the store when it began: clocks go back, and a name is a time"""
    profile: str
    arch: str
    toolchain: str
    version: str
    double: bool = False
    """said by a test double: nothing of it is observed"""
    repeat: tuple[str, ...] = ()
    cases: int
    """how many cases the profile has"""
    chosen: int
    """how many tests of cases were to be run"""
    checkpoint: str = ""
    """the checkpoint's path as given, empty for drawn weights"""
    ledger: str = ""
    """the ledger's path as given"""
    ledger_sha256: str = ""
    origin: RunOrigin = RunOrigin()
    rows: tuple[int, int | None] | None = None
    """of a prediction, the bracket of rows that the store's evidence moved; None for the public one"""
    rests_on: str = ""
    """of a prediction, the sha256 of the observations that it rests on; empty for the public record"""

    @property
    def known(self) -> str:
        """`predicted` or `observed`: how all that the run says is known."""
        return "predicted" if self.double or self.toolchain == TOOLCHAINS[0] else "observed"

    @property
    def told_by(self) -> str:
        """`reference 0.1.0, predicted`: the toolchain, and how what it says is known."""
        double = ", a test double" if self.double else ""
        return f"{self.toolchain} {self.version}{double}, {self.known}"


class KeptFile(BaseModel):
    """A file of a run as it was when the run ended: its lines, and a checksum of all of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lines: int
    xxh3_128: str


def kept_of(path: Path) -> KeptFile:
    """What a file is now; one that isn't there has no lines. Raises OSError."""
    try:
        content = stored_bytes(path)
    except FileNotFoundError:
        content = b""
    return KeptFile(lines=content.count(b"\n"), xxh3_128=checksum(content))


class RunEnd(BaseModel):
    """How a run ended: pytest's exit status, the wall-clock time, how many cases of each kind, and what it left."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    exit_status: int
    seconds: float
    kinds: dict[JudgementKind, int]
    records: KeptFile
    measures: KeptFile
    device: KeptFile = KeptFile(lines=0, xxh3_128=checksum(b""))
    plans: KeptFile = KeptFile(lines=0, xxh3_128=checksum(b""))


@dataclass(frozen=True)
class StoredRun:
    """A stored run: one record a case, at the last stage it was taken to. `end` is None for one that was killed."""

    id: str
    folder: Path
    head: RunHead
    records: tuple[CaseRecord, ...]
    measures: tuple[ParityFigure, ...]
    end: RunEnd | None
    ran: tuple[DeviceRecord, ...] = ()
    """what it did on a device"""
    plans: tuple[PlanRecord, ...] = ()
    """of the networks whose segments its cases are"""

    @property
    def whole(self) -> bool:
        """True when the run ended and every case of its profile was taken as far as the compile."""
        compiled = sum(
            record.stage is Stage.COMPILE and record.verdict is not Verdict.NOT_COMPILED for record in self.records
        )
        return self.end is not None and compiled == self.head.cases


@dataclass(frozen=True)
class UnreadableRun:
    """A folder among the runs that is none that this version can read, and why."""

    id: str
    folder: Path
    reason: str
    other_version: bool
    """whether it is whole, and another version's"""

    @classmethod
    def of(cls, folder: Path, error: RunError) -> UnreadableRun:
        """The run in a folder, which `error` was raised for."""
        return cls(folder.name, folder, str(error), isinstance(error, OtherVersion))


def run_folders(store: Path) -> list[Path]:
    """The folders of all runs in the store in the order in which they began, as their numbers have it.

    Runs of a version that gave no numbers come first, by their names, which are times. One that has lost its head
    stands where its name does. Folders that are older than the history aren't among them, nor those that were left
    before anything was kept: `older`, `empty`.
    """
    found = sorted((path for path in _all(store) if _kept(path)), key=lambda path: _natural(path.name))
    numbers = [_number(path) for path in found]
    ordered = []
    for index, (path, number) in enumerate(zip(found, numbers, strict=True)):
        before = max((known or 0 for known in numbers[:index]), default=0)
        ordered.append((before if number is None else number, index, path))
    return [path for _, _, path in sorted(ordered)]


def next_number(store: Path) -> int:
    """The number of the next run in the store."""
    return 1 + max((_number(path) or 0 for path in _all(store)), default=0)


def older(store: Path) -> int:
    """How many folders of runs there are from before the history: tables and pictures, and no records."""
    return sum(not _kept(path) and not _is_empty(path) for path in _all(store))


def empty(store: Path) -> list[str]:
    """The ids of runs that were stopped before anything was kept."""
    return sorted(path.name for path in _all(store) if _is_empty(path))


def going_on(folder: Path) -> bool:
    """Whether the process that writes the run lives: it holds the run's head until the end."""
    try:
        stored_bytes(folder / HEAD)
        with (folder / HEAD).open("rb") as head:
            fcntl.flock(head, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _kept(folder: Path) -> bool:
    return any((folder / name).exists() for name in (HEAD, RECORDS, MEASURES, DEVICE, PLANS, END))


def _is_empty(folder: Path) -> bool:
    # What was being written when it was stopped has a name with a dot before it.
    return all(path.name.startswith(".") for path in folder.iterdir())


def _number(folder: Path) -> int | None:
    """A run's number: 0 for one of a version that gave none, None where its head can't be read."""
    try:
        content = json.loads(stored_bytes(folder / HEAD))
        number = content.get("number", 0 if "started" in content else None)
    except (OSError, ValueError, AttributeError, RecursionError):
        return None
    return number if isinstance(number, int) else None


def run_heads(store: Path, last: int | None = None) -> Iterator[tuple[str, RunHead, RunEnd | None] | UnreadableRun]:
    """Id, head and end of every run, or of the `last` ones, the oldest first, without reading its cases."""
    for folder in run_folders(store)[-(last or 0) :]:
        try:
            yield folder.name, _head(folder), _end(folder)
        except RunError as error:
            yield UnreadableRun.of(folder, error)


def read_run(folder: Path) -> StoredRun:
    """The run in a folder. Raises RunError for one that isn't as it was left: changed, cut, or without its records."""
    head, end = _head(folder), check_run(folder)
    key = key_of(folder)
    measures: dict[tuple[str, str], ParityFigure] = {
        (each.case_id, each.stage): each for each in _lines(folder / MEASURES, key, ParityFigure)
    }
    records = latest_records(_lines(folder / RECORDS, key, CaseRecord))
    plans = tuple(_lines(folder / PLANS, key, PlanRecord))
    return StoredRun(folder.name, folder, head, records, tuple(measures.values()), end, on_device(folder), plans)


def check_run(folder: Path) -> RunEnd | None:
    """The end of the run in a folder, whose files are as they were then; None for one that hasn't ended.

    Raises RunError. The files' lines are not read one by one.
    """
    end = _end(folder)
    ended = ((RECORDS, end.records), (MEASURES, end.measures), (DEVICE, end.device), (PLANS, end.plans)) if end else ()
    for name, kept in ended:
        path = folder / name
        try:
            now = kept_of(path)
        except OSError as error:
            raise RunError(f"{path}: {error.strerror}; the run can't be read") from None
        if now != kept:
            what = "gone" if not path.exists() else "cut" if now.lines < kept.lines else "not as they were kept"
            left = f"{now.lines} of {kept.lines} are left" if now.lines < kept.lines else f"{kept.lines} were kept"
            raise RunError(f"{path}: its lines are {what}: {left}; bring them back, or delete the run's folder")
    return end


def key_of(folder: Path) -> str:
    """What a run's files are sealed under: the checksum of its head, so that neither is another run's."""
    try:
        return checksum(stored_bytes(folder / HEAD))
    except OSError as error:
        raise RunError(f"{folder / HEAD}: {error.strerror}; the run can't be read") from None


def on_device(folder: Path) -> tuple[DeviceRecord, ...]:
    """What the run in a folder did on a device. Raises RunError."""
    return tuple(_lines(folder / DEVICE, key_of(folder), DeviceRecord))


def find_run(store: Path, name: str) -> StoredRun:
    """The run that `name` means: an id, its beginning if no other begins so, `last`, or `last~N` for N runs before it.

    Raises RunError.
    """
    known = run_folders(store)
    if not known:
        raise RunError(no_runs(store))
    back = re.fullmatch(r"last(?:~(\d+))?", name)
    if back:
        steps = int(back.group(1) or 0)
        if steps >= len(known):
            stored = "1 run is stored" if len(known) == 1 else f"{len(known)} runs are stored"
            raise RunError(f"run '{name}': {stored}; see tasnet runs")
        return read_run(known[-1 - steps])
    exact = [folder for folder in known if folder.name == name]
    meant = exact or [folder for folder in known if name and folder.name.startswith(name)]
    if len(meant) != 1:
        what = f"{len(meant)} runs begin so" if meant else "no run begins so"
        raise RunError(f"run '{name}': {what}; see tasnet runs")
    return read_run(meant[0])


def latest_records(records: Iterable[CaseRecord]) -> tuple[CaseRecord, ...]:
    """One record a case, the one of the furthest stage, in the order in which the cases first came."""
    found: dict[str, CaseRecord] = {}
    for record in records:
        known = found.get(record.case_id)
        if known is None or STAGES.index(known.stage) <= STAGES.index(record.stage):
            found[record.case_id] = record
    return tuple(found.values())


_DAMAGED = "damaged: mend it, or delete the run's folder"


def _all(store: Path) -> list[Path]:
    return [path for path in (store / "runs").glob("*") if path.is_dir()]


def _head(folder: Path) -> RunHead:
    path = folder / HEAD
    try:
        content = json.loads(stored_bytes(path))
    except OSError as error:
        raise RunError(f"{path}: {error.strerror}; the run can't be read") from None
    except (ValueError, RecursionError):
        raise RunError(f"{path}: not JSON; {_DAMAGED}") from None
    if not isinstance(content, dict) or type(content.get("schema")) is not int:
        raise RunError(f"{path}: no schema; {_DAMAGED}")
    if content["schema"] != SCHEMA:
        raise OtherVersion(
            f"{path}: schema {content['schema']}, and this version reads {SCHEMA}; "
            "read it with the tasnet that wrote it"
        )
    try:
        return RunHead.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise RunError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}; {_DAMAGED}") from None


def _end(folder: Path) -> RunEnd | None:
    """None for a run without an end: it was killed, or it goes on right now. Raises RunError for a damaged one."""
    path = folder / END
    try:
        data = stored_bytes(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunError(f"{path}: {error.strerror}; the run can't be read") from None
    text = unsealed(key_of(folder), data[:-1]) if data.endswith(b"\n") else None
    try:
        return RunEnd.model_validate_json(text or b"")
    except ValidationError:
        raise RunError(
            f"{path}: damaged, or of another {HEAD}; delete it, and the run is read as one that was killed"
        ) from None


def _lines(path: Path, key: str, model: type[_Model]) -> Iterator[_Model]:
    """The file's lines, sealed under the run's key; the last may be cut short by a kill, any other is a RunError."""
    try:
        lines = stored_bytes(path).splitlines(keepends=True)
    except FileNotFoundError:
        return
    except OSError as error:
        raise RunError(f"{path}: {error.strerror}; the run can't be read") from None
    for number, line in enumerate(lines, 1):
        if not line.endswith(b"\n"):
            return
        text = unsealed(key, line[:-1])
        if text is None:
            raise RunError(f"{path}:{number}: not as it was written, or of another {HEAD}; {_DAMAGED}")
        try:
            yield model.model_validate_json(text)
        except ValidationError as error:
            raise RunError(f"{path}:{number}: {error.errors()[0]['msg']}; {_DAMAGED}") from None


def _natural(name: str) -> tuple[str, int]:
    """The second run of a second, `<time>-2`, comes after the first and before `<time>-10`."""
    time, _, number = name.partition("-")
    return time, int(number) if number.isdigit() else 0
