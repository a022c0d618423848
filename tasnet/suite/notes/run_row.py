"""One row of a night run's table, and the files that it names, as observed outcomes.

A row that contradicts itself, or says nothing, is left out with its reason and never guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tasnet.hailo import MACHINE_FAMILIES, SETUP_FAMILIES, UNKNOWN_MESSAGE, Certainty, Failure
from tasnet.hailo.logs import LogEnd, LogError, LogSummary, classify_failure, read_log
from tasnet.suite.cases import Case, Outcome, Provenance, Stage, Status
from tasnet.suite.notes.failure_note import NoteError, read_note
from tasnet.suite.notes.run_tables import RunFolder

TOOLCHAIN = "dfc"
STAGES = (Stage.TRANSLATE, Stage.OPTIMIZE, Stage.COMPILE)

_HEADS = ("exception_head", "failure_head", "exception_message")
_LOGS = ("log_path", "hef_log", "har_log")
_FAILURES = ("failure_json", "failure_log")
_MAX_LOG_BYTES = 256 << 20
_HEAD_LENGTH = 180
_VERSION_WITHIN = 1 << 18
"""bytes at a log's start in which the compiler says its version, if it does"""
_VERSION = re.compile(
    rb"(?i)(?:dataflow[ _]compiler|\bDFC\b|hailo_sdk_client|SDK)[^\d\n]{0,30}?v?(\d+\.\d+\.\d+)(?![\d.])"
)
_STAMP = re.compile(r"\d{8}_\d{6}(?:-\d+)?")
_FAILURE_LIST = TypeAdapter(tuple[Failure, ...])


class RowSkipped(Exception):
    """The row is skipped, with the reason."""


@dataclass(frozen=True)
class RowFiles:
    """What the files beside a row say."""

    run: str
    log: Path | None
    note: Mapping[str, Any]
    """failure.txt.json, or failure.txt in its form"""
    version: str


def files_of_row(row: Mapping[str, str], tag: str, folder: RunFolder) -> RowFiles:
    log = next((found for name in _LOGS if row.get(name) and (found := folder.named(row[name]))), None)
    log = log or folder.beside(f"{tag}.log")
    note: Mapping[str, Any] = {}
    named = [found for name in _FAILURES if row.get(name) and (found := folder.named(row[name]))]
    near = [f for ending in ("failure.txt.json", "failure.txt") if (f := folder.beside(f"{tag}.{ending}"))]
    used: Path | None = None
    try:
        for file in [*named, *near]:
            if note := read_note(file):
                used = file
                break
        if log and (size := log.stat().st_size) > _MAX_LOG_BYTES:
            raise RowSkipped(f"its log has {size:,} bytes, and at most {_MAX_LOG_BYTES:,} are read")
    except (NoteError, OSError) as error:
        raise RowSkipped(str(error)) from None
    cells = [row[name] for name in (*_LOGS, *_FAILURES) if row.get(name)]
    parents = [part for cell in cells for part in PurePosixPath(cell.replace("\\", "/")).parts[:-1]]
    parents += [file.parent.name for file in (log, used) if file]
    run = next((part for part in parents if _STAMP.fullmatch(part)), "")
    return RowFiles(run, log, note, _logged_version(log) if log else "")


def _logged_version(log: Path) -> str:
    """The compiler's version where a log says it near its start."""
    try:
        with log.open("rb") as file:
            found = _VERSION.search(file.read(_VERSION_WITHIN))
    except OSError:
        return ""
    return found.group(1).decode() if found else ""


def stages_of(row: Mapping[str, str], texts: RowFiles, case: Case, version: str) -> dict[Stage, Outcome]:
    """The observed outcomes of a row. Raises RowLeftOut where it contradicts itself or says nothing."""
    status = row.get("case_status", "")
    if row.get("verdict") in ("infra", "unclassified", "unknown", "skipped"):
        raise RowSkipped(f"{row['verdict']}: nothing was learned of the network")
    if {boolean(row, "hef_success"), boolean(row, "compile_success")} == {True, False}:
        raise RowSkipped("hef_success and compile_success differ: it says that a HEF was written and that none was")
    compiled = _first(boolean(row, "hef_success"), boolean(row, "compile_success"))
    compiled = _first(compiled, {"compile_success": True, "har_only_success": False, "failed": False}.get(status))
    translated = _first(boolean(row, "har_success"), {"har_only_success": True}.get(status), compiled or None)
    stage = row.get("failure_stage", "")
    if stage not in ("", "timeout", *(each.value for each in STAGES)):
        raise RowSkipped(f"failure_stage '{stage}' is none of translate, optimize, compile, timeout")
    if compiled and (translated is False or stage):
        raise RowSkipped("it says both that the case compiled and that it failed")
    if compiled is None and translated is None and not stage:
        raise RowSkipped("it says of no stage whether it passed")
    seconds = _number(row.get("duration_sec", ""))
    log = _logged(texts)
    if compiled and log is not None and log.failure:
        raise RowSkipped(f"it says that the case compiled, and its log that it failed ({log.failure.family})")
    if compiled:
        return _ended(None, Status.PASSED, (), "", seconds, case, version)
    failures = _failures(row, texts, version)
    if not failures and log is not None and (log.end, log.stage) == (LogEnd.SUCCEEDED, Stage.COMPILE.value):
        raise RowSkipped("it says that the case failed, and its log that it compiled")
    known = {each.value: each for each in STAGES}
    at = known.get(stage) or (known.get(failures[0].stage) if failures else None)
    at = at or (Stage.TRANSLATE if translated is False else Stage.COMPILE)
    if failures and failures[0].stage in known:
        at = known[failures[0].stage]
    if translated and at is Stage.TRANSLATE:
        raise RowSkipped("it says both that the HAR was written and that the translation failed")
    timed_out = stage == "timeout" or bool(boolean(row, "timed_out")) or row.get("command_status") == "124"
    if failures and failures[0].family in MACHINE_FAMILIES | SETUP_FAMILIES:
        return _ended(at, Status.INFRA, (), failures[0].message, seconds, case, version)
    limit = next((each.figures["limit_seconds"] for each in failures if "limit_seconds" in each.figures), seconds)
    if timed_out and not any(_ended_itself(each) for each in failures):
        # What the compiler's search had printed by then is no result: it might have gone on.
        reason = f"a time limit ended it{f' after {limit:g} s' if limit else ''}, and not the compiler"
        return _ended(at, Status.INFRA, (), reason, seconds, case, version)
    if not failures and translated and not stage and row.get("command_status", "") in ("", "0"):
        return _ended(Stage.OPTIMIZE, Status.SKIPPED, (), "only the HAR was asked for", seconds, case, version)
    if not failures or failures[0].family == "unclassified":
        message = f"exit code {row['command_status']}" if row.get("command_status") else "no reason was kept"
        message = failures[0].message if failures else message
        return _ended(at, Status.UNCLASSIFIED, failures, f"{message}: {UNKNOWN_MESSAGE}", seconds, case, version)
    placed = tuple(each if each.stage in known else each.model_copy(update={"stage": at.value}) for each in failures)
    return _ended(at, Status.FAILED, placed, "", seconds, case, version)


def _ended_itself(failure: Failure) -> bool:
    """Whether the compiler itself ended with the failure: an exception that it raised, or its own timeout."""
    last = classify_failure(exception=failure.terminal_event or failure.message)
    raised = re.search(r"(?:Exception|NonFixable|InputsShape|(?<!Timeout)Error)$", failure.exception)
    return raised is not None or (last is not None and last.family == "mapping_timeout")


def _logged(texts: RowFiles) -> LogSummary | None:
    try:
        return read_log(texts.log) if texts.log else None
    except LogError:
        return None


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
            # A message that no rule knows blocks nothing.
            field = "doubts" if status is Status.UNCLASSIFIED else "failures"
            update |= {"status": status, field: failures, "reason": reason}
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


def _failures(row: Mapping[str, str], texts: RowFiles, version: str) -> tuple[Failure, ...]:
    """What failed: this package's own record of it, else read off the log and the exception."""
    note = texts.note
    if own := _own_failures(note):
        return own
    kind = str(note.get("exception_type") or row.get("exception_type", ""))
    head = next((row[name] for name in _HEADS if row.get(name)), "")
    message = str(note.get("exception_message") or _uncut(head))
    text = message if not kind or message.startswith(kind) else f"{kind}: {message}"
    try:
        failure = read_log(texts.log, text).failure if texts.log else classify_failure(exception=text)
    except LogError:
        failure = classify_failure(exception=text)
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
        figures = {key: _number(str(negative[key])) for key in ("desired_shift", "data_bits") if key in negative}
        update["figures"] = {**figures, **failure.figures}
    return (failure.model_copy(update=update),)


def _own_failures(note: Mapping[str, Any]) -> tuple[Failure, ...]:
    try:
        return _FAILURE_LIST.validate_python(note.get("failures", ()))
    except ValidationError:
        return ()


def _uncut(head: str) -> str:
    """A message's head without a layer name that was cut."""
    if len(head) < _HEAD_LENGTH or " but " in head or "Reshape is needed" not in head:
        return head
    return head.rpartition(",")[0] or head


def _listed_layers(row: Mapping[str, str], note: Mapping[str, Any]) -> tuple[str, ...]:
    listed = note.get("reshape_layers")
    if isinstance(listed, list) and listed:
        return tuple(str(each) for each in listed)
    return tuple(filter(None, re.split(r"[,\s]+", row.get("first_10_failed_layers", ""))))


def boolean(row: Mapping[str, str], name: str) -> bool | None:
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
