"""The history as lines and as JSON: tables of runs and of trends, a comparison by its groups."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasnet.common import counted, table_lines
from tasnet.suite.history import device
from tasnet.suite.history.comparison import CaseChange, ChangeGroup, RunComparison, commit
from tasnet.suite.history.empty_store import no_runs
from tasnet.suite.history.records import CaseRecord
from tasnet.suite.history.run import (
    NOT_WRITTEN,
    RunEnd,
    RunError,
    RunHead,
    StoredRun,
    UnreadableRun,
    check_run,
    empty,
    going_on,
    older,
    on_device,
    read_run,
    run_folders,
    run_heads,
)
from tasnet.suite.history.same_kind import USUAL_LEDGER, ledger_name
from tasnet.suite.history.trends import CasePoint, EntryPoint, Trend

SHOWN = 3
"""cases named of a group; JSON has them all"""

ROWS = 20
"""lines about devices in the table of runs; JSON has them all"""

_BARS = "▁▂▃▄▅▆▇█"


# --- runs --------------------------------------------------------------------------------------------------


def runs_json(store: Path, last: int | None = None) -> list[dict[str, Any]]:
    """Every run, or the last ones, the oldest first; an unreadable one has `id`, `folder` and `unreadable`."""
    return [_run_json(each) for each in _runs(store, last)]


def runs_lines(store: Path, last: int | None = None) -> Iterator[str]:
    """All runs, or the last ones, as a table, the oldest first, then those that can't be read, each with the reason."""
    found = [*_runs(store, last)]
    rows = [_row(each) for each in found if isinstance(each, _RunSummary)]
    if rows:
        yield from table_lines([["run", "when", "profile", "arch", "toolchain", "commit", "seconds", "cases"], *rows])
    yield from _on_device([each for each in found if isinstance(each, _RunSummary)])
    for each in found:
        if isinstance(each, UnreadableRun):
            yield f"{each.id}: unreadable: {each.reason}"
    if not found:
        yield no_runs(store)
    if left_out := len(run_folders(store)) - len(found):
        yield f"{left_out} earlier ones: --last N shows more of them"
    if count := older(store):
        yield f"older than the history, tables and pictures alone: {count}"
    if stopped := empty(store):
        yield f"stopped before anything was kept: {', '.join(stopped)}"


@dataclass(frozen=True)
class _RunSummary:
    """A run without its cases, but for their count by kind."""

    id: str
    head: RunHead
    end: RunEnd | None
    kinds: Mapping[str, int]
    ran: tuple[device.DeviceRecord, ...]
    going_on: bool = False
    """of a run without an end: its process lives"""
    unwritten: bool = False
    """of a run without an end: its files could not be written, as on a full disk"""

    @property
    def cases(self) -> int:
        """How many were judged."""
        return sum(self.kinds.values())

    @property
    def partial(self) -> bool:
        """Whether it ended and judged a part of its profile: it was asked for that part."""
        return self.end is not None and 0 < self.cases < self.head.cases


def _runs(store: Path, last: int | None) -> Iterator[_RunSummary | UnreadableRun]:
    for each in run_heads(store, last):
        if isinstance(each, UnreadableRun):
            yield each
            continue
        name, head, end = each
        folder = store / "runs" / name
        try:
            # What a killed run got to stands in its records alone.
            kinds = (
                end.kinds if check_run(folder) and end else Counter(record.kind for record in read_run(folder).records)
            )
            ran = on_device(folder)
        except RunError as error:
            yield UnreadableRun.of(folder, error)
            continue
        summed = {kind.value: count for kind, count in kinds.items()}
        stopped = end is None
        yield _RunSummary(
            name, head, end, summed, ran, stopped and going_on(folder), stopped and (folder / NOT_WRITTEN).exists()
        )


def _on_device(found: Sequence[_RunSummary]) -> Iterator[str]:
    """What was measured on a device, the newest runs' rows, the oldest of them first."""
    rows = [(each.id, row) for each in found for row in device.device_rows(each.ran)]
    if rows:
        yield ""
        yield from table_lines(
            [["run", "by", *device.HEADS], *([run, _by(row), *row.cells] for run, row in rows[-ROWS:])]
        )
    if len(rows) > ROWS:
        yield f"{len(rows) - ROWS} earlier ones on a device: tasnet runs --json has them"


def _by(row: device.DeviceRow) -> str:
    return f"{row.by} on {row.arch}, {'observed' if row.said == 'observed' else 'a test double: nothing was observed'}"


def _toolchain_or_device(run: _RunSummary) -> str:
    """Whose word the run is; the device's where nothing was judged."""
    return device.title(device.device_rows(run.ran)) if run.ran and not run.cases else run.head.told_by


def _row(run: _RunSummary) -> list[str]:
    head, end = run.head, run.end
    kinds = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in run.kinds.items())
    stopped = "its files were not written" if run.unwritten else "killed"
    how = "" if end else "still running" if run.going_on else stopped
    partial = "in part" if run.partial else ""
    unfinished = f"{how or partial}, {run.cases} of {counted(head.cases, 'case')}: " if how or partial else ""
    when = head.started.astimezone().strftime("%Y-%m-%d %H:%M")
    seconds = f"{end.seconds:.1f}" if end else "-"
    return [
        *(run.id, when, head.profile + _with(head), head.arch, _toolchain_or_device(run), commit(head) or "-", seconds),
        f"{unfinished}{'; '.join(filter(None, [kinds, device.summary(device.device_rows(run.ran))])) or 'none'}",
    ]


def _with(head: RunHead) -> str:
    """What makes a run of a profile another one than the usual: its weights, its ledger."""
    weights = f" with {head.checkpoint}" if head.checkpoint else ""
    return weights + (f" by {ledger_name(head)}" if ledger_name(head) != USUAL_LEDGER else "")


def _run_json(each: _RunSummary | UnreadableRun) -> dict[str, Any]:
    if isinstance(each, UnreadableRun):
        return {"id": each.id, "folder": str(each.folder), "unreadable": each.reason}
    return {
        "id": each.id,
        "finished": each.end is not None,
        "running": each.going_on,
        "unwritten": each.unwritten,
        "known": each.head.known,
        "judged": each.cases,
        "partial": each.partial,
        "kinds": dict(each.kinds),
        "device": [ran.model_dump(mode="json") for ran in each.ran],
        **each.head.model_dump(mode="json", by_alias=True),
        "end": each.end.model_dump(mode="json") if each.end else None,
    }


def run_json(run: StoredRun) -> dict[str, Any]:
    """A run as `runs_json` has it, and `cases`: how each ended, and how it is judged."""
    kinds = {kind.value: count for kind, count in Counter(record.kind for record in run.records).items()}
    summary = _RunSummary(run.id, run.head, run.end, kinds, run.ran)
    return {**_run_json(summary), "cases_judged": [_case_json(record) for record in run.records]}


def _case_json(record: CaseRecord) -> dict[str, Any]:
    return {
        "id": record.case_id,
        "verdict": record.verdict.value,
        "predicted": record.predicted,
        "kind": record.kind.value,
        "families": list(dict.fromkeys(blocker.failure.family for blocker in record.blockers)),
        "entries": list(record.entries),
        "expected": record.expected,
        "happened": record.happened,
        "repeat": record.repeat,
    }


# --- two runs ----------------------------------------------------------------------------------------------


def comparison_json(comparison: RunComparison) -> dict[str, Any]:
    """`{"before", "after", "known", "differences", "worse", "compared", "same", "groups"}`."""
    return {
        "before": comparison.before.id,
        "after": comparison.after.id,
        "known": comparison.after.head.known,
        "differences": list(comparison.differences),
        "worse": comparison.worse,
        "compared": comparison.compared,
        "same": comparison.same,
        "groups": [
            {
                "change": group.change.value,
                "what": group.what,
                "worse": group.worse,
                "detail": group.detail,
                "cases": list(group.cases),
            }
            for group in comparison.groups
        ],
    }


def comparison_lines(comparison: RunComparison) -> Iterator[str]:
    """What differs between the runs themselves, then what changed, a group at a time."""
    before, after = comparison.before, comparison.after
    yield f"{before.id} -> {after.id}, {after.head.known}: {after.head.profile} on {after.head.arch}"
    for run in (before, after):
        if run.end is None:
            yield f"  {run.id} is unfinished: {len(run.records)} of {counted(run.head.cases, 'case')}"
    for line in comparison.differences:
        yield f"  {line}"
    for group in comparison.groups:
        yield from _group(group)
    yield ""
    worse = "something got worse" if comparison.worse else "nothing got worse"
    yield f"{counted(comparison.compared, 'case')} in both, {comparison.same} of them as they were: {worse}"


def _group(group: ChangeGroup) -> Iterator[str]:
    yield ""
    yield f"{'worse: ' if group.worse else ''}{group.change.value}, {counted(len(group.cases), 'case')}: {group.what}"
    if group.detail:
        such = f" ({group.cases[0]})" if group.change not in (CaseChange.GONE, CaseChange.NEW) else ""
        yield f"  {group.detail}{such}"
    yield f"  {', '.join(group.cases[:SHOWN])}{' …' if len(group.cases) > SHOWN else ''}"


# --- trends ------------------------------------------------------------------------------------------------


def trend_json(trend: Trend) -> dict[str, Any]:
    """`{"name", "of": "case" | "entry", "points", "runs", "unreadable"}`. An exact stage's parity is null."""
    points = []
    for each in trend.points:
        told = {**vars(each), "started": each.started.isoformat()}
        if isinstance(each, CasePoint):
            told["parity"] = {stage: snr if math.isfinite(snr) else None for stage, snr in each.parity.items()}
        points.append(told)
    return {
        "name": trend.name,
        "of": "entry" if any(isinstance(each, EntryPoint) for each in trend.points) else "case",
        "points": points,
        "runs": trend.runs,
        "unreadable": [{"id": each.id, "reason": each.reason} for each in trend.unreadable],
    }


def trend_lines(trend: Trend) -> Iterator[str]:
    """A row a run, then a line of bars: one for what was predicted, one for what was observed."""
    yield f"{trend.name}: in {len(trend.points)} of {counted(trend.runs, 'run')}"
    entry = [each for each in trend.points if isinstance(each, EntryPoint)]
    case = [each for each in trend.points if isinstance(each, CasePoint)]
    if entry:
        told = [[*_origin(each), f"{each.covers}", f"of {each.cases}"] for each in entry]
        yield from table_lines([["run", "when", "toolchain", "arch", "covers", "cases"], *told])
        yield from _bars("covers", [(each.known, each.covers) for each in entry])
    elif case:
        head = ["run", "when", "toolchain", "arch", "verdict", "kind", "families", "seconds", "ONNX bytes", "parity dB"]
        yield from (f"function  {each}" for each in dict.fromkeys(point.function for point in case) if each)
        yield from table_lines([head, *(_case_row(each) for each in case)])
        sizes = [(each.known, each.onnx_bytes) for each in case if each.onnx_bytes is not None]
        yield from _bars("ONNX bytes", sizes)
    for unread in trend.unreadable:
        yield f"{unread.id}: unreadable: {unread.reason}"


def _origin(point: CasePoint | EntryPoint) -> list[str]:
    when = point.started.astimezone().strftime("%Y-%m-%d %H:%M")
    return [f"{point.run}{'' if point.whole else ' (in part)'}", when, point.told_by, point.arch]


def _case_row(point: CasePoint) -> list[str]:
    return [
        *_origin(point),
        point.verdict or "-",
        point.kind.replace("_", " ") or "-",
        ", ".join(point.families) or "-",
        "-" if point.seconds is None else f"{point.seconds:.2f}",
        "-" if point.onnx_bytes is None else f"{point.onnx_bytes:,}",
        ", ".join(f"{stage} {snr:.1f}" for stage, snr in point.parity.items()) or "-",
    ]


def _bars(what: str, values: Sequence[tuple[str, float]]) -> Iterator[str]:
    for known in ("predicted", "observed"):
        those = [value for each, value in values if each == known]
        if len(those) > 1:
            yield f"{known} {what}, {min(those):,} to {max(those):,}: {sparkline(those)}"


def sparkline(values: Sequence[float]) -> str:
    """One bar a value, the lowest for the least of them; all alike are all low."""
    least, most = min(values), max(values)
    steps = len(_BARS) - 1
    return "".join(_BARS[round((value - least) / (most - least) * steps) if most > least else 0] for value in values)
