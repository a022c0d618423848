"""One case, or one entry of the ledger, over all stored runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path

from tasnet.suite.cases import CaseError, graph_key, parse_any_case, severity
from tasnet.suite.history.empty_store import no_runs
from tasnet.suite.history.run import RunError, StoredRun, UnreadableRun, read_run, run_folders


@dataclass(frozen=True)
class RunPoint:
    """The case or the entry in one run. `known` is `predicted` or `observed`: the two are never one line."""

    run: str
    started: datetime
    told_by: str
    known: str
    arch: str
    whole: bool
    """the run ended, with every case of its profile"""


@dataclass(frozen=True)
class CasePoint(RunPoint):
    """A case in one run. `parity` is SNR in dB by stage; `onnx_bytes` None where no graph was written."""

    verdict: str = ""
    kind: str = ""
    families: tuple[str, ...] = ()
    seconds: float | None = None
    """of all stages, when they were run and not when they were read from the store"""
    onnx_bytes: int | None = None
    parity: dict[str, float] = field(default_factory=dict)
    function: str = ""
    """`exact`, or which other function than the trained network's; empty where the run only measured the case"""


@dataclass(frozen=True)
class EntryPoint(RunPoint):
    """An entry in one run: how many of the cases that a verdict was come to have a blocker that it covers."""

    covers: int = 0
    cases: int = 0


@dataclass(frozen=True)
class Trend:
    """`name` is the case's id or the entry's. Runs without it have no point; `unreadable` ones are named."""

    name: str
    points: tuple[CasePoint, ...] | tuple[EntryPoint, ...]
    runs: int
    unreadable: tuple[UnreadableRun, ...]


def find_trend(store: Path, name: str) -> Trend:
    """The trend of a case (an id, a run tag of the notes, its flags) or of an entry's id. The oldest run is first.

    Raises RunError where no run has such a case or entry, with what comes nearest.
    """
    found = [*_runs(store)]
    runs = [run for run in found if isinstance(run, StoredRun)]
    unreadable = tuple(run for run in found if isinstance(run, UnreadableRun))
    if not found:
        raise RunError(no_runs(store))
    cases = {record.case_id for run in runs for record in run.records}
    cases |= {each.case_id for run in runs for each in run.measures}
    entries = {entry for run in runs for record in run.records for entry in _entries(record.covering)}
    entries |= {entry for run in runs for record in run.records for entry in record.entries}
    if name in entries:
        return Trend(name, tuple(_of_entry(runs, name)), len(runs), unreadable)
    case = name if name in cases else _id(name)
    if case in cases:
        return Trend(case, tuple(_of_case(runs, case)), len(runs), unreadable)
    near = get_close_matches(name, sorted({*cases, *entries}), n=3)
    hint = f"; did you mean {' or '.join(near)}?" if near else "; see tasnet matrix --list, or the ledger's ids"
    left_out = f" ({len(unreadable)} can't be read: see tasnet runs)" if unreadable else ""
    raise RunError(f"'{name}': no case and no entry of the {len(runs)} stored runs{left_out}{hint}")


def _runs(store: Path) -> Iterator[StoredRun | UnreadableRun]:
    for folder in run_folders(store):
        try:
            yield read_run(folder)
        except RunError as error:
            yield UnreadableRun.of(folder, error)


def _id(name: str) -> str:
    try:
        return parse_any_case(name).id
    except CaseError:
        return ""


def _entries(covering: Iterable[Sequence[str]]) -> Iterator[str]:
    for entries in covering:
        yield from entries


def _of_case(runs: Iterable[StoredRun], case: str) -> Iterator[CasePoint]:
    # The numerics measure a graph once, under the id of one of its cases.
    measured = {case, graph_key(parse_any_case(case))}
    for run in runs:
        record = next((each for each in run.records if each.case_id == case), None)
        parity = {each.stage: each.snr_db for each in run.measures if each.case_id in measured}
        if record is not None:
            families = tuple(dict.fromkeys(blocker.failure.family for blocker in record.blockers))
            figures = (record.verdict.word, record.kind.value, families, record.seconds, record.onnx_bytes)
            yield CasePoint(*_of_run(run), *figures, parity, record.function.text)
        elif parity:
            yield CasePoint(*_of_run(run), parity=parity)


def _of_entry(runs: Iterable[StoredRun], entry: str) -> Iterator[EntryPoint]:
    for run in runs:
        # What was not compiled, or broke down, is no case that the entry doesn't cover.
        judged = [record for record in run.records if severity(record.verdict) is not None]
        if judged:
            covered = sum(entry in _entries(record.covering) for record in judged)
            yield EntryPoint(*_of_run(run), covered, len(judged))


def _of_run(run: StoredRun) -> tuple[str, datetime, str, str, str, bool]:
    return run.id, run.head.started, run.head.told_by, run.head.known, run.head.arch, run.whole
