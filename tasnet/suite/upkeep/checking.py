"""What is wrong with a ledger, beyond what the reader refuses: by itself, and against stored runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import combinations
from typing import Any

from tasnet.common import counted
from tasnet.suite.cases import PROFILES, Verdict, profile_cases
from tasnet.suite.history import CaseRecord, StoredRun
from tasnet.suite.ledger import (
    Claim,
    Entry,
    JudgementKind,
    Ledger,
    due_for_review,
    entries_without_cases,
    flow_yaml,
    in_scope,
    one_or_list,
    plain_claim,
    plain_condition,
    where_text,
)
from tasnet.suite.upkeep.base_ledger import BaseLedger, growth_since
from tasnet.suite.upkeep.claimed import least_claims, split_claimed
from tasnet.suite.upkeep.rejudging import FlakyHistory, JudgedCase, fails_as_stated, judge_records, rejudge


@dataclass(frozen=True)
class LedgerFinding:
    """Something wrong with entries, in a line; `proposal` says what to do. A warning fails no check."""

    kind: str
    entries: tuple[str, ...]
    place: str
    told: str
    proposal: str = ""
    cases: tuple[str, ...] = ()
    """the first few cases that show it"""
    warning: bool = False

    def as_json(self) -> dict[str, Any]:
        """Its fields; the keys are stable."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """For a person."""
        yield f"{self.place}: {'warning: ' if self.warning else ''}{self.kind}: {', '.join(self.entries)} {self.told}"
        if self.cases:
            yield f"    such as  {', '.join(self.cases)}"
        if self.proposal:
            yield f"    to do    {self.proposal}"


_SHOWN = 3
"""cases named in a finding"""


def check_ledger(
    ledger: Ledger,
    runs: Sequence[StoredRun],
    past: FlakyHistory,
    today: date,
    base: BaseLedger | None = None,
    beside: Sequence[CaseRecord] = (),
) -> list[LedgerFinding]:
    """All findings, in the order of the file within each kind.

    `runs` are of one toolchain, the latest first: the latest is judged again, and an entry is stale when none of them
    confirms it. Without runs the ledger is checked by itself. What is to do about one that claims too much follows from
    the latest run and from `beside`, cases that it hasn't.
    """
    found = [*_without_runs(ledger, today, base)]
    if runs:
        judged = rejudge(runs[0], ledger.entries, today, past)
        found += [*_cases_without_verdict(ledger, runs[0])]
        found += [
            *_stale(ledger, runs),
            *_overlapping(ledger, judged),
            *_too_broad(ledger, judged, runs[0], judge_records(beside, ledger.entries, today, past)),
            *_off_rate(ledger, judged),
        ]
    return found


# --- by itself ---------------------------------------------------------------------------------------------


def _without_runs(ledger: Ledger, today: date, base: BaseLedger | None) -> Iterator[LedgerFinding]:
    cases = [case.axes() for name in PROFILES for case in profile_cases(name)]
    for entry in entries_without_cases(ledger.entries, cases):
        yield _about_entry(entry, "dead", "claims no case of any profile", "remove it, or mend its `where`")
    for entry in ledger.entries:
        owner = f", by {entry.owner}" if entry.owner else ""
        if entry.review < today:
            yield _about_entry(
                entry, "expired", f"was to be reviewed by {entry.review}{owner}", "look again, then set `review`"
            )
        if not entry.owner:
            yield _about_entry(
                entry, "ownerless", "has no owner", "add `owner`, to the entry or at the top of the ledger"
            )
    for entry in due_for_review(ledger.entries, today):
        owner = f", by {entry.owner}" if entry.owner else ""
        text = f"is to be reviewed by {entry.review}{owner}"
        yield _about_entry(entry, "expiring", text, "look again, then set `review`", warning=True)
    yield from _too_narrow(ledger)
    if ledger.budget > len(ledger.entries):
        text = f"of {ledger.budget} is more than the {counted(len(ledger.entries), 'entry', 'entries')} need"
        yield LedgerFinding("budget", ("budget",), str(ledger.path), text, f"write budget: {len(ledger.entries)}")
    growth = growth_since(ledger, base) if base else ""
    if growth:
        to_do = "remove entries, or say why in a new `budget_reason`"
        yield LedgerFinding("grown", ("ledger",), str(ledger.path), growth, to_do)


def _too_narrow(ledger: Ledger) -> Iterator[LedgerFinding]:
    """Entries of one cause: all the same but for one condition of their `where`."""
    groups: dict[object, list[Entry]] = {}
    for entry in ledger.entries:
        toolchain = tuple(sorted((name, scope.versions) for name, scope in entry.toolchain.items()))
        same = (entry.stage, entry.family, entry.message.pattern, entry.layers, toolchain, entry.arch, entry.flaky)
        groups.setdefault(same, []).append(entry)
    for entries in groups.values():
        for one, two in combinations(entries, 2):
            merged = _merged(one.where, two.where)
            scoped = any(scope.where is not None for each in (one, two) for scope in each.toolchain.values())
            if merged and not scoped:
                text = "are one cause: they differ in one condition of `where`"
                to_do = f"make them one entry with where: {merged}"
                yield LedgerFinding("too narrow", (one.id, two.id), one.place, text, to_do)


def _merged(one: Sequence[Claim], two: Sequence[Claim]) -> str:
    """One `where` in place of two that differ in one condition; empty where they differ in more."""
    if len(one) != 1 or len(two) != 1 or one[0].keys() != two[0].keys():
        return ""
    apart = [axis for axis in one[0] if one[0][axis] != two[0][axis]]
    if len(apart) > 1 or apart == ["not"]:
        return ""
    if not apart:
        return where_text(one)
    (axis,) = apart
    first, second = (plain_condition(each[0][axis]) for each in (one, two))
    values = [*(first if isinstance(first, list) else [first]), *(second if isinstance(second, list) else [second])]
    return flow_yaml({**plain_claim(one[0]), axis: list({flow_yaml(each): each for each in values}.values())})


# --- against runs ------------------------------------------------------------------------------------------


def _cases_without_verdict(ledger: Ledger, run: StoredRun) -> Iterator[LedgerFinding]:
    """Cases without a verdict, for which no entry could be checked."""
    for verdict, to_do in (
        (Verdict.NOT_COMPILED, "take them to the compile: tasnet matrix, or pytest -m compile"),
        (Verdict.UNCLASSIFIED, "read the logs, and run again"),
        (Verdict.BROKE_DOWN, "mend the tool and run again"),
    ):
        cases = [record.case_id for record in run.records if record.verdict is verdict]
        if cases:
            of = counted(len(run.records), "case")
            text = f"says nothing of {len(cases)} of its {of}: no entry was held against them"
            # A warning where the run judged other cases: the entries are checked by those.
            some = len(cases) < len(run.records)
            yield LedgerFinding(verdict.value, (f"run {run.id}",), str(ledger.path), text, to_do, _first(cases), some)


def _stale(ledger: Ledger, runs: Sequence[StoredRun]) -> Iterator[LedgerFinding]:
    for entry in ledger.entries:
        failed = [fails_as_stated(entry, record) for run in runs for record in run.records]
        judged = [each for each in failed if each is not None]
        if judged and not any(judged):
            of = f"run {runs[0].id}" if len(runs) == 1 else f"the last {len(runs)} whole runs, from {runs[0].id} back"
            text = f"claims {counted(len(judged), 'case')} of {of}, and none fails so"
            yield _about_entry(entry, "stale", text, "remove it: tasnet ledger update")


def _overlapping(ledger: Ledger, judged: Sequence[JudgedCase]) -> Iterator[LedgerFinding]:
    """Pairs of entries that cover one blocker; an entry all of whose blockers another one covers is shadowed."""
    covered: dict[str, int] = {}
    shared: dict[tuple[str, str], list[str]] = {}
    alone: set[str] = set()
    for each in judged:
        for blocker in each.judgement.blockers:
            for name in blocker.entries:
                covered[name] = covered.get(name, 0) + 1
            if len(blocker.entries) == 1:
                alone.add(blocker.entries[0])
            for pair in combinations(blocker.entries, 2):
                shared.setdefault(pair, []).append(each.record.case_id)
    entries = {entry.id: entry for entry in ledger.entries}
    shadowed = set()
    for (one, two), cases in shared.items():
        inner = next((name for name in (two, one) if name not in alone and name not in shadowed), None)
        outer = one if inner == two else two
        if inner and outer not in shadowed and covered[inner] == len(cases):
            shadowed.add(inner)
            text = f"is shadowed by {outer}, which covers all {covered[inner]} of its blockers"
            yield _about_entry(entries[inner], "shadowed", text, "remove it, or narrow the other one", cases)
        else:
            text = f"cover one blocker in {counted(len(set(cases)), 'case')}"
            yield LedgerFinding(
                "overlapping", (one, two), entries[two].place, text, "narrow one of them", _first(cases)
            )


def _too_broad(
    ledger: Ledger, judged: Sequence[JudgedCase], run: StoredRun, beside: Sequence[JudgedCase]
) -> Iterator[LedgerFinding]:
    for entry in ledger.entries:
        right, wrong = split_claimed(entry, judged)
        # An entry that no case confirms is stale, and reported as that.
        if wrong and right:
            passing = [each for each in wrong if each.judgement.kind is JudgementKind.UNEXPECTED_PASS]
            otherwise = [each for each in wrong if each.judgement.kind is not JudgementKind.UNEXPECTED_PASS]
            counts = [f"{len(passing)} that pass"] * bool(passing)
            counts += [f"{len(otherwise)} that don't fail so"] * bool(otherwise)
            text = f"claims {' and '.join(counts)}, of {len(right) + len(wrong)} in run {run.id}"
            others = [name for name in entry.toolchain if name != run.head.toolchain]
            # A run of one toolchain says nothing of the other.
            what = f"narrow what it says of {run.head.toolchain}" if others else "narrow it"
            least = least_claims(entry, *split_claimed(entry, [*judged, *beside]))
            to_do = f"{what}: where: {flow_yaml(one_or_list(least))}"
            yield _about_entry(
                entry, "too broad", text, to_do, [each.record.case_id for each in (*passing, *otherwise)]
            )


def _off_rate(ledger: Ledger, judged: Sequence[JudgedCase]) -> Iterator[LedgerFinding]:
    for entry in ledger.entries:
        off = [
            each
            for each in judged
            if each.judgement.kind is JudgementKind.OFF_RATE and entry.id in each.judgement.entries
        ]
        if off:
            cases = [each.record.case_id for each in off]
            yield _about_entry(
                entry,
                "off rate",
                f"is not as flaky as it says in {counted(len(off), 'case')}",
                off[0].judgement.hint,
                cases,
            )


def entries_out_of_scope(ledger: Ledger, run: StoredRun) -> list[str]:
    """The ids of entries for another toolchain, version or architecture than the run's."""
    head = run.head
    return [
        entry.id
        for entry in ledger.entries
        if not in_scope(entry, head.toolchain, head.version) or head.arch not in entry.arch
    ]


def _about_entry(
    entry: Entry, kind: str, text: str, proposal: str, cases: Sequence[str] = (), warning: bool = False
) -> LedgerFinding:
    return LedgerFinding(kind, (entry.id,), entry.place, text, proposal, _first(cases), warning)


def _first(cases: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(cases))[:_SHOWN]
