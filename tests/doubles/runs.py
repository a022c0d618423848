"""Stored runs whose cases end as a test tells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timezone
from pathlib import Path

from tasnet.suite.cases.case import Case
from tasnet.suite.cases.outcome import ORDER, Outcome, Provenance, Stage
from tasnet.suite.cases.profiles import profile
from tasnet.suite.history.record import Record, record
from tasnet.suite.history.run import Head, Run, read
from tasnet.suite.history.writer import begin
from tasnet.suite.ledger.judge import judge
from tests.doubles.outcomes import REFERENCE

Tell = Callable[[Case], Mapping[Stage, Outcome]]


def records(tell: Tell, cases: Iterable[Case], name: str = "notes") -> list[Record]:
    """The records of a run with an empty ledger: what they are judged to be is of no account."""
    found = []
    for case in cases:
        ended = tell(case)
        last = [stage for stage in ORDER if stage in ended][-1]
        found.append(record(case.id, case, name, last, ended, judge(case.axes(), ended, [], date(2026, 6, 1))))
    return found


def stored(
    store: Path,
    tell: Tell,
    name: str = "notes",
    run: str = "20260601T000000Z",
    *,
    cases: Iterable[Case] | None = None,
    double: bool = False,
    ended: bool = True,
) -> Run:
    """A run of a profile in a store, read back from there."""
    all_cases = profile(name)
    known = records(tell, all_cases if cases is None else cases, name)
    folder = store / "runs" / run
    folder.mkdir(parents=True)
    by = known[0].outcomes[-1].provenance
    writer = begin(folder, _head(name, len(all_cases), len(known), by, double))
    for each in known:
        writer.add(each)
    if ended:
        writer.end(known, 0)
    return read(folder)


def made(run: Run, tell: Tell, cases: Iterable[Case]) -> Run:
    """The run with other cases, without a disk."""
    return replace(run, records=tuple(records(tell, cases, run.head.profile)))


def in_memory(tell: Tell, cases: Sequence[Case], by: Provenance = REFERENCE, name: str = "notes") -> Run:
    """A run without a disk, of just these cases."""
    return made(
        Run("20260601T000000Z", Path("run"), _head(name, len(cases), len(cases), by), (), (), None), tell, cases
    )


def _head(name: str, cases: int, chosen: int, by: Provenance, double: bool = False) -> Head:
    return Head(
        started=datetime(2026, 6, 1, tzinfo=timezone.utc),
        profile=name,
        arch="hailo8",
        toolchain=by.toolchain,
        version=by.version,
        double=double,
        cases=cases,
        chosen=chosen,
    )
