"""Night runs: the conversion notes' `summary.tsv` and its files, read as observed outcomes, and written.

A folder holds `summary.tsv` (or other tables `*_summary.tsv`) and `<YYYYMMDD_HHMMSS>/<run_tag>.log`,
`.failure.txt` and `.failure.txt.json`. Tables are read by the names of their columns, in any order. A row that can't
be placed is left out with its reason, never guessed at: a tag that no case has, flags that say another variant than
the tag, a prediction. Files that a table names are looked for in the table's own folder and nowhere else.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tasnet.hailo.classify import LogError, classify, classify_file
from tasnet.hailo.failures import MACHINES_FAULT, Certainty, Failure
from tasnet.hailo.trace import telling
from tasnet.suite.case import BASE_ARCH, NOTES_TAGS, Case, CaseError, graph_key, parse
from tasnet.suite.evidence import DOUBLE, Evidence, keep
from tasnet.suite.failure_note import as_text, note_of, read_note
from tasnet.suite.report.record import Record
from tasnet.suite.report.summary_tsv import write_summary
from tasnet.suite.stage import Outcome, Provenance, Stage, Status
from tasnet.suite.store import Store

TOOLCHAIN = "dfc"
UNKNOWN_VERSION = "unknown"
"""No version at all: entries of the ledger that are bound to a range don't speak of it."""
STAGES = (Stage.TRANSLATE, Stage.OPTIMIZE, Stage.COMPILE)

_HEADS = ("exception_head", "failure_head", "exception_message")
_LOGS = ("log_path", "hef_log", "har_log")
_FAILURES = ("failure_json", "failure_log")
_FLAGS = ("disable_skip", "mask_mul_mode", "force_n_src_1", "bypass_concat", "skip_topology_mode", "deconv_mode")
_HEAD_LENGTH = 180
_LONGEST_LINE = 1 << 20
"""bytes; what is longer is no row"""
_VERSION_WITHIN = 1 << 18
"""bytes at a log's start in which the compiler says its version, if it does"""
_VERSION = re.compile(
    rb"(?i)(?:dataflow[ _]compiler|\bDFC\b|hailo_sdk_client|SDK)[^\d\n]{0,30}?v?(\d+\.\d+\.\d+)(?![\d.])"
)
_STAMP = re.compile(r"\d{8}_\d{6}(?:-\d+)?")
_FAILURE_LIST = TypeAdapter(tuple[Failure, ...])


class OldRunsError(ValueError):
    """Night runs that can't be read. One line: what is wrong, where, what to do."""


@dataclass(frozen=True)
class OldRun:
    """One row. `stages` has translate, optimize and compile, all observed; `source` is `file:line`."""

    tag: str
    case: Case
    run: str
    source: str
    stages: Mapping[Stage, Outcome]
    log: Path | None = None

    @property
    def evidence(self) -> Evidence:
        """The row as evidence for the store."""
        return Evidence(
            case_id=self.case.id, tag=self.tag, run=self.run, source=self.source, outcomes=tuple(self.stages.values())
        )


@dataclass(frozen=True)
class LeftOut:
    """A row (or file) that is no outcome, and why."""

    source: str
    tag: str
    reason: str


@dataclass(frozen=True)
class Reading:
    """What was read, in the order of the tables."""

    runs: tuple[OldRun, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True)
class Imported:
    """What an import did: `kept` is new in the store, `known` was there."""

    kept: int
    known: int
    left_out: tuple[LeftOut, ...]


def import_runs(store: Store, path: Path, *, version: str = "", arch: str = BASE_ARCH) -> Imported:
    """Reads night runs and keeps them as evidence. Doing so twice, or in two processes, keeps each once."""
    reading = read_runs(path, version=version, arch=arch)
    new = [keep(store, run.evidence) for run in reading.runs]
    return Imported(sum(new), len(new) - sum(new), reading.left_out)


def read_runs(path: Path, *, version: str = "", arch: str = BASE_ARCH) -> Reading:
    """The night runs of a folder or of one table. Raises OldRunsError.

    `version` is the compiler's where neither table nor log says it; without it, it stays `unknown`. `arch` is the
    architecture of rows that name none.
    """
    tables = [path] if path.is_file() else _tables(path)
    runs: list[OldRun] = []
    left_out: list[LeftOut] = []
    for table in tables:
        folder = _Folder.of(table.parent)
        name = table.relative_to(path).as_posix() if path.is_dir() else table.name
        for number, row in _rows(table):
            source = f"{name}:{number}"
            tag = row.get("run_tag") or row.get("case_id") or ""
            try:
                runs.append(_run(row, tag, source, folder, version, arch))
            except _LeftOut as reason:
                left_out.append(LeftOut(source, tag, str(reason)))
    return Reading(tuple(runs), tuple(left_out))


class _LeftOut(Exception):
    """The row is left out."""


# --- tables ------------------------------------------------------------------------------------------------


def _tables(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise OldRunsError(f"{folder}: no such folder or file; name the folder of night runs, or a summary.tsv")
    for pattern in ("*summary.tsv", "*/*summary.tsv"):
        if found := sorted(each for each in folder.glob(pattern) if each.is_file()):
            return found
    raise OldRunsError(f"{folder}: no summary.tsv in it; name the folder that holds one")


def _rows(table: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """(line number, column -> cell) of a tab-separated table, read line by line."""
    try:
        with table.open("rb") as file:
            header: list[str] = []
            for number, raw in enumerate(iter(partial(file.readline, _LONGEST_LINE), b""), 1):
                cells = raw.decode("utf-8", "replace").removeprefix("\ufeff").rstrip("\r\n").split("\t")
                if not header:
                    header = [cell.strip() for cell in cells]
                    _check_header(table, header)
                elif any(cell.strip() for cell in cells):
                    row = dict(zip(header, (cell.strip() for cell in cells), strict=False))
                    yield number, row if len(cells) == len(header) else {**row, "": f"{len(cells)} of {len(header)}"}
    except OSError as error:
        raise OldRunsError(f"{table}: {error.strerror}; name a table that can be read") from None
    if not header:
        raise OldRunsError(f"{table}: empty; name a table with a header line")


def _check_header(table: Path, header: Sequence[str]) -> None:
    columns = set(header)
    doubled = sorted({each for each in header if header.count(each) > 1 and each})
    if doubled:
        raise OldRunsError(f"{table}:1: column {doubled[0]} stands twice; remove one")
    missing = [] if columns & {"run_tag", "case_id"} else ["run_tag"]
    if "case_status" not in columns:
        missing += ["har_success"] * ("har_success" not in columns)
        missing += ["hef_success"] * (not columns & {"hef_success", "compile_success"})
    if missing:
        shown = ", ".join(header)[:120]
        raise OldRunsError(
            f"{table}:1: no column {', '.join(missing)} (it has: {shown}); give a tab-separated table with run_tag, "
            "har_success and hef_success, or with run_tag and case_status"
        )


@dataclass(frozen=True)
class _Folder:
    """A table's folder and the runs' folders in it."""

    root: Path
    inner: tuple[Path, ...]

    @staticmethod
    def of(root: Path) -> _Folder:
        return _Folder(root.resolve(), tuple(sorted(each for each in root.resolve().iterdir() if each.is_dir())))

    def named(self, cell: str) -> Path | None:
        """The file that a cell means: the last two parts of its path, or the last, below this folder."""
        parts = PurePosixPath(cell.replace("\\", "/")).parts
        for tail in (parts[-2:], parts[-1:]):
            found = self.root.joinpath(*tail)
            if tail and os.path.isfile(found) and found.resolve().is_relative_to(self.root):
                return found
        return None

    def beside(self, name: str) -> Path | None:
        """The file of that name in this folder, or in the one folder that has it; None if several have."""
        if not name or "/" in name or "\0" in name:
            return None
        found = [each / name for each in (self.root, *self.inner) if os.path.isfile(each / name)]
        return found[0] if len(found) == 1 and found[0].resolve().is_relative_to(self.root) else None


# --- one row -----------------------------------------------------------------------------------------------


def _run(row: Mapping[str, str], tag: str, source: str, folder: _Folder, version: str, arch: str) -> OldRun:
    """The row as a run. Raises _LeftOut."""
    if "" in row and " of " in row[""]:
        raise _LeftOut(f"{row['']} cells")
    if _boolean(row, "predicted") or row.get("toolchain", TOOLCHAIN) not in ("", TOOLCHAIN):
        raise _LeftOut(f"said by {row.get('toolchain') or 'a prediction'}: not observed by a compiler")
    if row.get("toolchain_version", "").endswith(DOUBLE):
        raise _LeftOut("said by a test double: not observed by a compiler")
    case = _case(row, tag, arch)
    texts = _texts(row, tag, folder)
    if texts.note.get("predicted") is True:
        raise _LeftOut("its failure.txt.json is a prediction")
    said = row.get("toolchain_version") or texts.version or version or UNKNOWN_VERSION
    stages = _stages(row, texts, case, said)
    return OldRun(tag, case, texts.run, source, stages, texts.log)


def _case(row: Mapping[str, str], tag: str, arch: str) -> Case:
    """The case of a row: its own id, else its tag, else its flags; the flags may not contradict it."""
    arch = row.get("arch") or arch
    flags = row.get("export_flags", "")
    try:
        flagged = parse(flags, arch) if flags else None
        name = row.get("case_id") or tag
        if flagged and name not in NOTES_TAGS and not row.get("case_id") and not _is_id(name):
            if not all(f"{flag}=" in flags for flag in _FLAGS):
                raise _LeftOut(f"no case has the tag '{tag}', and its flags don't say all of a variant")
            return flagged
        case = parse(name, arch)
    except CaseError as error:
        raise _LeftOut(str(error)) from None
    complete = all(f"{flag}=" in flags for flag in _FLAGS)
    # Of equal graphs, whatever the flags leave open: 24 kept blocks are all.
    if flagged and complete and graph_key(flagged) != graph_key(case):
        raise _LeftOut(f"the tag means {case.id}, the flags mean {flagged.id}")
    return case


def _is_id(name: str) -> bool:
    try:
        parse(name)
    except CaseError:
        return False
    return True


@dataclass(frozen=True)
class _Texts:
    """What the files beside a row say."""

    run: str
    log: Path | None
    note: Mapping[str, Any]
    """failure.txt.json, or failure.txt in its form"""
    version: str


def _texts(row: Mapping[str, str], tag: str, folder: _Folder) -> _Texts:
    log = next((found for name in _LOGS if row.get(name) and (found := folder.named(row[name]))), None)
    log = log or folder.beside(f"{tag}.log")
    note: Mapping[str, Any] = {}
    named = [found for name in _FAILURES if row.get(name) and (found := folder.named(row[name]))]
    near = [f for ending in ("failure.txt.json", "failure.txt") if (f := folder.beside(f"{tag}.{ending}"))]
    used: Path | None = None
    for file in [*named, *near]:
        if note := read_note(file):
            used = file
            break
    cells = [row[name] for name in (*_LOGS, *_FAILURES) if row.get(name)]
    parents = [part for cell in cells for part in PurePosixPath(cell.replace("\\", "/")).parts[:-1]]
    parents += [file.parent.name for file in (log, used) if file]
    run = next((part for part in parents if _STAMP.fullmatch(part)), "")
    return _Texts(run, log, note, _logged_version(log) if log else "")


def _logged_version(log: Path) -> str:
    """The compiler's version where a log says it near its start."""
    try:
        with log.open("rb") as file:
            found = _VERSION.search(file.read(_VERSION_WITHIN))
    except OSError:
        return ""
    return found.group(1).decode() if found else ""


# --- from texts to outcomes --------------------------------------------------------------------------------


def _stages(row: Mapping[str, str], texts: _Texts, case: Case, version: str) -> dict[Stage, Outcome]:
    """The observed outcomes of a row. Raises _LeftOut where it contradicts itself or says nothing."""
    status = row.get("case_status", "")
    if row.get("verdict") in ("infra", "unknown", "skipped"):
        raise _LeftOut(f"{row['verdict']}: nothing was learned of the network")
    if {_boolean(row, "hef_success"), _boolean(row, "compile_success")} == {True, False}:
        raise _LeftOut("hef_success and compile_success differ: it says both that a HEF was written and that none was")
    compiled = _first(_boolean(row, "hef_success"), _boolean(row, "compile_success"))
    compiled = _first(compiled, {"compile_success": True, "har_only_success": False, "failed": False}.get(status))
    translated = _first(_boolean(row, "har_success"), {"har_only_success": True}.get(status), compiled or None)
    stage = row.get("failure_stage", "")
    if stage not in ("", "timeout", *(each.value for each in STAGES)):
        raise _LeftOut(f"failure_stage '{stage}' is none of translate, optimize, compile, timeout")
    if compiled and (translated is False or stage):
        raise _LeftOut("it says both that the case compiled and that it failed")
    if compiled is None and translated is None and not stage:
        raise _LeftOut("it says of no stage whether it passed")
    seconds = _number(row.get("duration_sec", ""))
    if compiled:
        return _ended(None, Status.PASSED, (), "", seconds, case, version)
    failures = _failures(row, texts, version)
    known = {each.value: each for each in STAGES}
    at = known.get(stage) or (known.get(failures[0].stage) if failures else None)
    at = at or (Stage.TRANSLATE if translated is False else Stage.COMPILE)
    if failures and failures[0].stage in known:
        at = known[failures[0].stage]
    if translated and at is Stage.TRANSLATE:
        raise _LeftOut("it says both that the HAR was written and that the translation failed")
    timed_out = stage == "timeout" or bool(_boolean(row, "timed_out")) or row.get("command_status") == "124"
    if failures and failures[0].family in MACHINES_FAULT:
        return _ended(at, Status.INFRA, (), failures[0].message, seconds, case, version)
    if timed_out and all(each.family == "unclassified" for each in failures):
        reason = f"its time limit ended it{f' after {seconds:g} s' if seconds else ''}, with no word of a reason"
        return _ended(at, Status.INFRA, (), reason, seconds, case, version)
    if not failures and translated and not stage and row.get("command_status", "") in ("", "0"):
        return _ended(Stage.OPTIMIZE, Status.SKIPPED, (), "only the HAR was asked for", seconds, case, version)
    if not failures:
        message = f"exit code {row['command_status']}" if row.get("command_status") else "no reason was kept"
        unknown = Failure(stage=at.value, family="unclassified", message=message, certainty=Certainty.OBSERVED)
        failures = (unknown,)
    placed = tuple(each if each.stage in known else each.model_copy(update={"stage": at.value}) for each in failures)
    return _ended(at, Status.FAILED, placed, "", seconds, case, version)


def _ended(
    at: Stage | None,
    status: Status,
    failures: tuple[Failure, ...],
    reason: str,
    seconds: float,
    case: Case,
    version: str,
) -> dict[Stage, Outcome]:
    """Passed before `at`, `status` there, not reached after; all passed for None. The time is the end's."""
    outcomes: dict[Stage, Outcome] = {}
    reached = True
    for stage in STAGES:
        here = stage is at
        update: dict[str, Any] = {"seconds": seconds if here or (at is None and stage is STAGES[-1]) else 0.0}
        if here:
            update |= {"status": status, "failures": failures, "reason": reason}
            reached = False
        elif not reached and at is not None:
            after = Status.BLOCKED if status is Status.FAILED else status
            update |= {"status": after, "blocked_by": at, "reason": reason}
        else:
            update |= {"status": Status.PASSED}
            update |= {"certainty": Certainty.OBSERVED} if stage is Stage.COMPILE else {}
        by = Provenance(
            toolchain=TOOLCHAIN,
            version=version,
            predicted=False,
            exhaustive=False,
            # a translation is for no architecture in particular
            arch="" if stage is Stage.TRANSLATE else case.arch,
        )
        outcomes[stage] = Outcome(stage=stage, provenance=by, **update)
    return outcomes


def _failures(row: Mapping[str, str], texts: _Texts, version: str) -> tuple[Failure, ...]:
    """What failed: this package's own record of it, else read off the log and the exception."""
    note = texts.note
    if own := _own_failures(note):
        return own
    kind = str(note.get("exception_type") or row.get("exception_type", ""))
    head = next((row[name] for name in _HEADS if row.get(name)), "")
    message = str(note.get("exception_message") or _uncut(head))
    text = message if not kind or message.startswith(kind) else f"{kind}: {message}"
    try:
        failure = classify_file(texts.log, text) if texts.log else classify("", text)
    except LogError:
        failure = classify("", text)
    if failure is None:
        return ()
    update: dict[str, Any] = {"evidence": f"{TOOLCHAIN} {version}{f', run {texts.run}' * bool(texts.run)}"}
    listed = _listed_layers(row, note)
    if listed and (failure.family == "reshape_insertion" or not failure.layers):
        update["layers"] = listed
    if not failure.exception and kind:
        update["exception"] = kind
    negative = note.get("negexp")
    if isinstance(negative, dict) and failure.family == "negative_slope":
        told = {key: _number(str(negative[key])) for key in ("desired_shift", "data_bits") if key in negative}
        update["figures"] = {**told, **failure.figures}
    return (failure.model_copy(update=update),)


def _own_failures(note: Mapping[str, Any]) -> tuple[Failure, ...]:
    try:
        return _FAILURE_LIST.validate_python(note.get("failures", ()))
    except ValidationError:
        return ()


def _uncut(head: str) -> str:
    """A message's head without the layer that its end was cut through."""
    if len(head) < _HEAD_LENGTH or " but " in head or "Reshape is needed" not in head:
        return head
    return head.rpartition(",")[0] or head


def _listed_layers(row: Mapping[str, str], note: Mapping[str, Any]) -> tuple[str, ...]:
    listed = note.get("reshape_layers")
    if isinstance(listed, list) and listed:
        return tuple(str(each) for each in listed)
    return tuple(filter(None, re.split(r"[,\s]+", row.get("first_10_failed_layers", ""))))


def _boolean(row: Mapping[str, str], name: str) -> bool | None:
    return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(
        row.get(name, "").lower()
    )


def _first(*values: bool | None) -> bool | None:
    return next((value for value in values if value is not None), None)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if 0 <= value < 1e9 else 0.0


# --- writing -----------------------------------------------------------------------------------------------


def write_runs(
    folder: Path, records: Iterable[Record], logs: Mapping[str, Path] | None = None, stamp: str = ""
) -> Path:
    """Writes records as a night run in `folder`, and returns its `summary.tsv`. Raises OSError.

    `logs` are copied, by case id; `stamp` names the inner folder (now, in UTC, if empty). The JSON has the notes'
    keys, and two more: `failures` as this package knows them, and `predicted`, so that a prediction is never read
    back as an observation.
    """
    told = tuple(records)
    stamp = stamp or datetime.now(timezone.utc).strftime("%Y%m%d_%H%M%S")
    inner = folder / stamp
    inner.mkdir(parents=True, exist_ok=True)
    cells: dict[str, dict[str, str]] = {}
    for record in told:
        mine = cells.setdefault(record.case_id, {})
        if log := (logs or {}).get(record.case_id):
            shutil.copyfile(log, inner / f"{record.run_tag}.log")
            mine["log_path"] = f"{stamp}/{record.run_tag}.log"
            mine["key_trace"] = "|".join(f"{number}:{line}" for number, line in telling(log))
        failures = tuple(blocker.failure for blocker in record.blockers)
        if failures:
            name = f"{record.run_tag}.failure.txt"
            note = note_of(failures, predicted=record.predicted)
            _whole(inner / name, as_text(note))
            _whole(inner / f"{name}.json", json.dumps(note, indent=2) + "\n")
            mine["failure_json"] = f"{stamp}/{name}.json"
    write_summary(told, folder / "summary.tsv", cells)
    return folder / "summary.tsv"


def _whole(path: Path, text: str) -> None:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)
