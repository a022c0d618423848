"""The parts of the page that stand there without JavaScript: the map of one run, the runs, the ledger's entries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from tasnet.suite.history import CaseRecord, DeviceRow, StoredRun, device_rows
from tasnet.suite.ledger import Entry
from tasnet.suite.report.map import map_layout
from tasnet.suite.report.pack import commit, state
from tasnet.suite.report.signs import (
    FUNCTION_SIGNS,
    SOURCE_WORDS,
    Sign,
    entries_of_case,
    paints_in,
    run_source,
    run_toolchain,
    sign_of,
    verdict_source,
)
from tasnet.suite.report.sources import ReportSource

WARNING_DAYS = 7
"""days before its review from which an entry is pointed at"""


@dataclass(frozen=True)
class MapCell:
    """A case in the map."""

    case_id: str
    mark: Sign
    said: str
    label: str


@dataclass(frozen=True)
class RunRow:
    """A run in the list of runs. `counts` has one figure for each paint."""

    run: StoredRun
    by: str
    said: str
    word: str
    state: str
    commit: str
    counts: tuple[tuple[str, int], ...]
    verdicts: tuple[tuple[str, int], ...]
    functions: tuple[tuple[Sign, int], ...]
    """which functions its cases are, and how many"""

    @property
    def cases(self) -> int:
        """How many cases it took."""
        return len(self.run.records)


@dataclass(frozen=True)
class EntryRow:
    """An entry of the ledger, or of a run whose ledger is another, beside what it reached."""

    id: str
    entry: Entry | None
    owner: str
    left: int | None
    """days to its review, negative when past"""
    cases: int
    graphs: int
    families: tuple[str, ...]
    reach: tuple[tuple[str, int, int], ...]
    """(run, cases reached, cases of the run), the oldest run first"""

    @property
    def warns(self) -> bool:
        """True from a week before the review on."""
        return self.left is not None and self.left <= WARNING_DAYS


def label(run: StoredRun, record: CaseRecord) -> str:
    """A case in one sentence: `project-bypass-grouped-k1: predicted blocked, blocked as expected, …; exact`."""
    meaning = sign_of(record).meaning
    more = "" if meaning == record.verdict.word else f", {meaning}"
    verdict = verdict_words(verdict_source(run, record), record.verdict.word)
    return f"{record.case_id}: {verdict}{more}; {record.function.text}"


def verdict_words(whose: str, verdict: str) -> str:
    """`predicted blocked`, `observed clear`, `blocked by a test double`."""
    return f"{verdict} {SOURCE_WORDS[whose]}" if whose == "double" else f"{SOURCE_WORDS[whose]} {verdict}"


def map_rows(run: StoredRun) -> tuple[tuple[str, Sign, tuple[MapCell | None, ...]], ...]:
    """The map's rows: a label, whether it is the function, one cell a column, None where the run has no such case."""
    plan = map_layout(run.records)
    cells: list[MapCell | None] = [None] * (len(plan.rows) * plan.width)
    for record in run.records:
        cells[plan.at[record.case_id]] = MapCell(
            record.case_id, sign_of(record), verdict_source(run, record), label(run, record)
        )
    return tuple(
        (label, FUNCTION_SIGNS[same], tuple(cells[index * plan.width : (index + 1) * plan.width]))
        for index, (label, same) in enumerate(plan.rows)
    )


def run_rows(source: ReportSource) -> tuple[RunRow, ...]:
    """The runs, the last one first."""
    paints = paints_in(source.runs)
    return tuple(_run(run, paints) for run in reversed(source.runs))


def _run(run: StoredRun, paints: Iterable[str]) -> RunRow:
    whose = run_source(run)
    painted = Counter(sign_of(record).paint for record in run.records)
    verdicts = Counter(record.verdict.word for record in run.records)
    functions = Counter(record.function.same for record in run.records)
    return RunRow(
        run,
        run_toolchain(run),
        whose,
        SOURCE_WORDS[whose],
        state(run),
        commit(run),
        tuple((paint, painted[paint]) for paint in paints),
        tuple(sorted(verdicts.items())),
        tuple((sign, functions[same]) for same, sign in FUNCTION_SIGNS.items() if functions[same]),
    )


def on_device(source: ReportSource) -> tuple[DeviceRow, ...]:
    """The figures of each case that ran on a device, its newest in these runs."""
    return device_rows(each for run in source.runs for each in run.ran)


def entry_rows(source: ReportSource, run: StoredRun) -> tuple[EntryRow, ...]:
    """The ledger's entries, then those that only a stored run knows; figures are of `run`."""
    known = {entry.id: entry for entry in source.ledger.entries} if source.ledger else {}
    named = (name for each in source.runs for record in each.records for name in entries_of_case(record))
    return tuple(_entry(name, known.get(name), source, run) for name in dict.fromkeys((*known, *named)))


def _entry(name: str, entry: Entry | None, source: ReportSource, run: StoredRun) -> EntryRow:
    reaching = [record for record in run.records if name in entries_of_case(record)]
    families = {blocker.failure.family for record in reaching for blocker in record.blockers if name in blocker.entries}
    reach = tuple(
        (each.id, sum(name in entries_of_case(record) for record in each.records), len(each.records))
        for each in source.runs
        if each.records
    )
    return EntryRow(
        id=name,
        entry=entry,
        owner=entry.owner if entry else "",
        left=days_left(entry, source.today) if entry else None,
        cases=len(reaching),
        graphs=len({record.graph for record in reaching}),
        families=tuple(sorted(families)),
        reach=reach,
    )


def days_left(entry: Entry, today: date) -> int:
    """Days until the entry must be looked at again."""
    return (entry.review - today).days
