"""What a report is made from: stored runs, the ledger, the graphs of the cases and the ends of their logs."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from tasnet.common import TasnetError, unfinished, without_ansi
from tasnet.suite.ask import Survey, by_case, next_rows, suggest, survey_of_run, with_evidence
from tasnet.suite.cases import CaseError, Stage, profile_cases
from tasnet.suite.history import (
    CaseRecord,
    RunError,
    StoredRun,
    UnreadableRun,
    find_run,
    no_runs,
    read_run,
    run_folders,
)
from tasnet.suite.ledger import Ledger, value_of
from tasnet.suite.report.graphs import GraphUnavailable, LayerList, layers_of_har
from tasnet.suite.report.plans import ShownPlan, shown_plans
from tasnet.suite.run import Store, StoreError

TAIL_BYTES = 3000
"""of a log: what ended it stands there"""
ALL_TAILS_BYTES = 1_000_000
"""of all logs of a report together, so that it stays a file that can be mailed"""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class ReportError(TasnetError, ValueError):
    """A report that can't be made or written. One line: what, why, what to do."""


@dataclass(frozen=True)
class ReportSource:
    """All that a report shows. Runs are the oldest first; `ledger` is None where there is none to read."""

    runs: tuple[StoredRun, ...]
    today: date
    unreadable: tuple[UnreadableRun, ...] = ()
    ledger: Ledger | None = None
    graphs: Mapping[str, LayerList] = field(default_factory=dict)
    """a HAR's name in the store -> its graph"""
    gone: Mapping[str, str] = field(default_factory=dict)
    """a HAR's name -> why its graph can't be shown"""
    tails: Mapping[str, str] = field(default_factory=dict)
    """a log's name in the store -> its end"""
    open_questions: tuple[Mapping[str, Any], ...] = ()
    """to the compiler, about the run that the report opens with, the best first; none without any evidence"""
    plans: tuple[ShownPlan, ...] = ()
    """of the newest run that has any"""

    @property
    def shown(self) -> StoredRun:
        """The run that the report opens with: the last one that has cases, else the last one that ran on a device."""
        return shown_run(self.runs)


def gather_runs(
    store: Store,
    today: date,
    *,
    ledger: Ledger | None = None,
    names: Sequence[str] = (),
    last: int = 20,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> ReportSource:
    """The runs called `names`, else the `last` ones, with what belongs to them.

    `tell` is told how many graphs are read, of how many: what no report had before takes a while.

    A run that can't be read is listed in `unreadable`, unless it was named. Raises ReportError when no case is in any
    of the runs and none ran on a device, RunError for a name that no run has or a named run that can't be read,
    StoreError.
    """
    with _no_search_for_cycles():
        runs, unreadable = _named(store.root, names) if names else _last(store.root, last)
    if not any(run.records or run.ran for run in runs):
        if not runs and not unreadable:
            raise ReportError(no_runs(store.root))
        broken = f"; the last that can't be read: {unreadable[-1].reason}" if unreadable else ""
        raise ReportError(
            f"{store.root}: no case is in any of {len(runs) + len(unreadable)} stored runs; run `tasnet matrix` first, "
            f"or name another --store{broken}"
        )
    runs = tuple(map(ordered, runs))
    graphs, gone = _graphs(store, runs, tell)
    known = _survey(store, runs)
    runs = tuple(_by_evidence(run, known) for run in runs)
    asked = tuple(next_rows(suggest(known))) if known else ()
    shown = shown_plans(store, runs)
    return ReportSource(runs, today, unreadable, ledger, graphs, gone, _tails(store, runs), asked, shown)


def _survey(store: Store, runs: tuple[StoredRun, ...]) -> Survey | None:
    """What the store's evidence says of the run that the report opens with."""
    run = shown_run(runs)
    return survey_of_run(store, run.head.arch, run.records)


def _by_evidence(run: StoredRun, known: Survey | None) -> StoredRun:
    return replace(run, records=with_evidence(run.records, by_case(known))) if known else run


def shown_run(runs: Sequence[StoredRun]) -> StoredRun:
    """The last run that has cases, else the last one that ran on a device."""
    newest = runs[::-1]
    return next(run for run in (*(each for each in newest if each.records), *newest) if run.records or run.ran)


def ordered(run: StoredRun) -> StoredRun:
    """The run with its cases in the profile's order: they were kept in the order in which workers ended them."""
    if run.plans:
        networks = [plan.network for plan in run.plans]
        return replace(run, records=tuple(sorted(run.records, key=lambda record: _place_in_plan(record, networks))))
    try:
        order = {case.id: at for at, case in enumerate(profile_cases(run.head.profile, run.head.arch))}
    except CaseError:
        # a profile of another version
        return run
    records = sorted(run.records, key=lambda record: order.get(record.case_id, len(order)))
    return replace(run, records=tuple(records))


def _place_in_plan(record: CaseRecord, networks: Sequence[str]) -> tuple[int, int, int]:
    """The whole network first, then its segments down its depth."""
    network = record.case_id.partition("+segment=")[0]
    at = networks.index(network) if network in networks else len(networks)
    return at, int(value_of("start", record.axes)), int(value_of("stop", record.axes))


def har_of(record: CaseRecord) -> str:
    """The store's name of the HAR of a case's graph, empty where it was never translated."""
    translated = record.by_stage.get(Stage.TRANSLATE)
    return translated.artifact if translated else ""


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Runs are a million small objects without a cycle, and all live: looking for one costs twice the reading."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _named(root: Path, names: Sequence[str]) -> tuple[tuple[StoredRun, ...], tuple[UnreadableRun, ...]]:
    runs = {run.id: run for run in (find_run(root, name) for name in names)}
    return tuple(sorted(runs.values(), key=lambda run: run.head.started)), ()


def _last(root: Path, last: int) -> tuple[tuple[StoredRun, ...], tuple[UnreadableRun, ...]]:
    runs: list[StoredRun] = []
    unreadable: list[UnreadableRun] = []
    for folder in run_folders(root)[-last:]:
        try:
            runs.append(read_run(folder))
        except RunError as error:
            unreadable.append(UnreadableRun.of(folder, error))
    return tuple(runs), tuple(unreadable)


def _graphs(
    store: Store, runs: Iterable[StoredRun], tell: Callable[[int, int], None]
) -> tuple[dict[str, LayerList], dict[str, str]]:
    names = {har_of(record) for run in runs for record in run.records} - {""}
    graphs: dict[str, LayerList] = {}
    gone: dict[str, str] = {}
    with unfinished.folder(prefix="tasnet-report") as folder:
        desk = Path(folder)
        for done, name in enumerate(sorted(names), 1):
            try:
                graphs[name] = layers_of_har(store, name, desk)
            except GraphUnavailable as error:
                gone[name] = str(error)
            tell(done, len(names))
    return graphs, gone


def _tails(store: Store, runs: Sequence[StoredRun]) -> dict[str, str]:
    """The ends of the logs, the last run's first, as many as there is room for. One without its log has none."""
    tails: dict[str, str] = {}
    room = ALL_TAILS_BYTES
    for name in _logs(runs):
        if name in tails:
            continue
        try:
            text = _tail(store.path(name))
        except (StoreError, OSError):
            continue
        room -= len(text.encode())
        if room < 0:
            break
        tails[name] = text
    return tails


def _logs(runs: Sequence[StoredRun]) -> Iterator[str]:
    """A case's last log tells of its end; the earlier stages' logs come when all of those have found room."""
    for which in (slice(-1, None), slice(0, -1)):
        for run in reversed(runs):
            for record in run.records:
                yield from list(record.logs.values())[which]


def _tail(path: Path) -> str:
    """The last whole lines of a log, without colours and control characters."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - TAIL_BYTES))
        text = without_ansi(file.read()).decode("utf-8", errors="replace")
    if size > TAIL_BYTES and "\n" in text:
        text = text.partition("\n")[2]
    return _CONTROL.sub("", text).strip()
