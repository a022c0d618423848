"""What a stored run changes in the ledger: entries narrowed, removed, and with a reason added.

An entry that cases of the run refute is narrowed by those cases alone: what it claims for other cases, toolchains and
architectures stays. A run of the embedded toolchain changes only what an entry claims for `reference`, and nothing that
was observed with a compiler.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import unified_diff
from functools import cache
from pathlib import Path

from tasnet.common import counted, locked, unfinished
from tasnet.suite.cases import PROFILES, profile_cases
from tasnet.suite.history import CaseRecord, StoredRun
from tasnet.suite.ledger import (
    PASSING_KINDS,
    Axes,
    Claim,
    Entry,
    JudgementKind,
    Ledger,
    LedgerError,
    RateError,
    claims,
    in_scope,
    ledger_text,
    parse_ledger,
    read_where,
    where_matches,
)
from tasnet.suite.upkeep.narrowing import PlainClaim, conditions_to_add, count_conditions, joined_claim
from tasnet.suite.upkeep.new_entry import NewEntry, entry_lines, new_entries
from tasnet.suite.upkeep.rejudging import FlakyHistory, JudgedCase, rejudge
from tasnet.suite.upkeep.text_edits import Edits

_MAX_EXTRA_CONDITIONS = 2
"""So many more conditions may be written to keep cases that were not run."""


@dataclass(frozen=True)
class EntryChange:
    """What changes in one entry, with a line for a person."""

    entry: str
    what: str
    """narrowed, removed, added, or `left`: what only a person can settle"""
    told: str
    uncovered: bool = False
    """of `left`: there are failures that no entry covers, so that `--allow-new` proposes entries"""


@dataclass(frozen=True)
class LedgerUpdate:
    """The ledger's text before and after, and what changed."""

    path: Path
    before: str
    after: str
    changes: tuple[EntryChange, ...]
    left: tuple[EntryChange, ...]

    @property
    def diff(self) -> str:
        """The change as a unified diff; empty for none."""
        old, new = self.before.splitlines(keepends=True), self.after.splitlines(keepends=True)
        return "".join(
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
            for line in unified_diff(old, new, f"a/{self.path.name}", f"b/{self.path.name}")
        )


def plan_update(
    text: str,
    path: Path,
    run: StoredRun,
    past: FlakyHistory,
    today: date,
    *,
    allow_new: str = "",
    shrink_only: bool = False,
    beside: Sequence[CaseRecord] = (),
) -> LedgerUpdate:
    """What the run changes in the ledger's text. Raises LedgerError.

    With `shrink_only` nothing gets longer but a `where`: an entry goes, or claims less. New entries need a reason,
    `allow_new`; what they claim follows from the run and from `beside`, cases that it hasn't.
    """
    ledger = parse_ledger(text, path)
    judged = rejudge(run, ledger.entries, today, past)
    edits = Edits(text)
    changes: list[EntryChange] = []
    gone: list[int] = []
    claimed = [_claimed_cases(entry, judged, run, ledger.entries) for entry in ledger.entries]
    for index, (entry, parted) in enumerate(zip(ledger.entries, claimed, strict=True)):
        if parted is None:
            continue
        change = _narrow_or_remove(edits, index, entry, run, parted)
        changes.append(change)
        if change.what == "removed":
            gone.append(index)
    edits.remove(gone)
    added: list[NewEntry] = []
    if allow_new and not shrink_only:
        added = new_entries(run, beside, ledger, past, today, allow_new)
        edits.add([entry_lines(each.entry) for each in added])
        known = {record.case_id for record in (*run.records, *beside)}
        changes += [EntryChange(each.entry.id, "added", _added(each, known, run)) for each in added]
    count = len(ledger.entries) - len(gone) + len(added)
    if count > ledger.budget:
        edits.budget(count, allow_new)
    elif gone and count < ledger.budget:
        edits.budget(count)
    after = edits.result()
    new = ledger if after == text else parse_ledger(after, path)
    kept = [index for index in range(len(ledger.entries)) if index not in gone]
    _verify([(ledger.entries[index], claimed[index]) for index in kept], new, run)
    return LedgerUpdate(path, text, after, tuple(changes), tuple(_left(new, run, past, today)))


def update_ledger(
    path: Path,
    run: StoredRun,
    past: FlakyHistory,
    today: date,
    *,
    allow_new: str = "",
    shrink_only: bool = False,
    beside: Sequence[CaseRecord] = (),
) -> LedgerUpdate:
    """Updates the file. Two updates at once come one after the other, and what an editor saved meanwhile stays.

    Raises LedgerError, with the file as it was.
    """
    path = path.resolve()
    with locked(path.with_name(f".{path.name}.lock")):
        text = ledger_text(path)
        done = plan_update(text, path, run, past, today, allow_new=allow_new, shrink_only=shrink_only, beside=beside)
        if done.before == done.after:
            return done
        with unfinished.opened(path) as file:
            file.write(done.after.encode())
            os.fchmod(file.fileno(), path.stat().st_mode & 0o7777)
            if ledger_text(path) != done.before:
                raise LedgerError(f"{path}: changed while the update was made; run it again")
    return done


def _added(new: NewEntry, known: Collection[str], run: StoredRun) -> str:
    """For whom an entry was made, and how many cases it claims of which no run says anything."""
    told = f"cases that fail so: {len(new.cases)}, such as {new.cases[0]}"
    unseen = [
        case
        for case, axes in _cases_on(run.head.arch).items()
        if case not in known and claims(new.entry, axes, run.head.toolchain)
    ]
    return told + (f"; claimed with them and not run: {len(unseen)}, such as {unseen[0]}" if unseen else "")


# --- what the run says of an entry -------------------------------------------------------------------------


@dataclass(frozen=True)
class _ClaimedCases:
    """The cases that an entry claims: those to keep and those to leave out of the run, and those that were not run."""

    keep: list[Axes]
    leave: list[Axes]
    beyond: list[Axes]


def _claimed_cases(
    entry: Entry, judged: Sequence[JudgedCase], run: StoredRun, entries: Sequence[Entry]
) -> _ClaimedCases | None:
    """The cases that the entry claims, sorted; None where the run doesn't refute it."""
    toolchain = run.head.toolchain
    if not in_scope(entry, toolchain, run.head.version):
        return None
    claimed = [each for each in judged if claims(entry, each.record.axes, toolchain)]
    refuting = {each.record.case_id for each in claimed if _refutes(entry, each, entries)}
    if not refuting:
        return None
    run_cases = {tuple(each.record.axes.items()) for each in claimed}
    beyond = [axes for key, axes in _all_cases().items() if key not in run_cases and claims(entry, axes, toolchain)]
    return _ClaimedCases(
        [each.record.axes for each in claimed if each.record.case_id not in refuting],
        [each.record.axes for each in claimed if each.record.case_id in refuting],
        beyond,
    )


def _conditions_for_entry(
    where: Sequence[Claim], parted: _ClaimedCases, whole: bool
) -> tuple[list[list[PlainClaim]], int]:
    """What `narrowed` says of each claim, and how many cases that were not run are left out with the others.

    Every case that was not run is kept, unless that takes many more conditions: then only the cases of the run count,
    if it is whole. Either way a case that is claimed wrongly, or no longer, fails as unexpected when it is run.
    """
    exact = [conditions_to_add(claim, [*parted.keep, *parted.beyond], parted.leave) for claim in where]
    if not whole or not parted.keep:
        return exact, 0
    short = [conditions_to_add(claim, parted.keep, parted.leave) for claim in where]
    if sum(map(count_conditions, exact)) <= sum(map(count_conditions, short)) + _MAX_EXTRA_CONDITIONS:
        return exact, 0
    now = [joined_claim(claim, one) for claim, added in zip(where, short, strict=True) for one in added]
    return short, sum(not where_matches(read_where(now), axes) for axes in parted.beyond)


def _refutes(entry: Entry, judged: JudgedCase, entries: Sequence[Entry]) -> bool:
    """True when the case shows that the entry claims too much: the entry makes it an unexpected result."""
    kind, about = judged.judgement.kind, judged.judgement.entries
    blockers = judged.judgement.blockers
    covered = [blocker for blocker in blockers if entry.id in blocker.entries]
    if covered:
        # Of two entries that cover one blocker the first in the file has it.
        order = [each.id for each in entries]
        return all(min(blocker.entries, key=order.index) != entry.id for blocker in covered)
    if kind in (JudgementKind.INFRA, JudgementKind.UNCLASSIFIED) or entry.flaky:
        return entry.id in about and judged.judgement.rate_error is RateError.TOO_HIGH
    if kind in (JudgementKind.UNEXPECTED_PASS, JudgementKind.UNCONFIRMED) and entry.id in about:
        return True
    outcome = judged.record.by_stage.get(entry.stage)
    return outcome is not None and outcome.judged and outcome.provenance.exhaustive


@cache
def _all_cases() -> Mapping[tuple[tuple[str, str | int], ...], Axes]:
    """The axes of every case of every profile, on every architecture, by themselves as pairs."""
    from tasnet.hailo import ARCHITECTURES

    every = (case.axes() for name in PROFILES for arch in ARCHITECTURES for case in profile_cases(name, arch))
    return {tuple(axes.items()): axes for axes in every}


@cache
def _cases_on(arch: str) -> Mapping[str, Axes]:
    """The id of every case of every profile, on one architecture -> its axes."""
    return {case.id: case.axes() for name in PROFILES for case in profile_cases(name, arch)}


def _narrow_or_remove(edits: Edits, index: int, entry: Entry, run: StoredRun, parted: _ClaimedCases) -> EntryChange:
    toolchain = run.head.toolchain
    scope = entry.toolchain[toolchain]
    alone = set(entry.toolchain) == {toolchain}
    of = f"its cases in run {run.id} that don't fail so: {len(parted.leave)}"
    if not parted.keep and not parted.beyond:
        if alone:
            return EntryChange(entry.id, "removed", f"{of}; it claims no other")
        edits.scope(index, toolchain, None)
        return EntryChange(entry.id, "narrowed", f"{of}; it says nothing of {toolchain} any more")
    here = alone and scope.where is None
    where: Sequence[Claim] = entry.where if here else scope.where if scope.where is not None else ({},)
    added, unseen = _conditions_for_entry(where, parted, run.whole)
    of += f"; that were not run and go with them: {unseen}" if unseen else ""
    if here:
        edits.narrow(index, where, added)
        return EntryChange(entry.id, "narrowed", of)
    least = [joined_claim(claim, one) for claim, each in zip(where, added, strict=True) for one in each]
    edits.scope(index, toolchain, scope.versions or "*", least[0] if len(least) == 1 else least)
    return EntryChange(entry.id, "narrowed", f"{of}; what it says of other toolchains stays")


def _left(new: Ledger, run: StoredRun, past: FlakyHistory, today: date) -> Iterator[EntryChange]:
    """The unexpected results that remain for a person, grouped by kind and by entries or family."""
    groups: dict[tuple[str, str, bool], list[JudgedCase]] = {}
    for each in rejudge(run, new.entries, today, past):
        found = each.judgement
        if found.kind not in PASSING_KINDS:
            bare = dict.fromkeys(blocker.failure.family for blocker in found.blockers if not blocker.entries)
            about = ", ".join(bare) or ", ".join(found.entries)
            groups.setdefault((found.kind.value.replace("_", " "), about, bool(bare)), []).append(each)
    for (kind, about, uncovered), cases in groups.items():
        first = cases[0]
        text = f"{kind} in {counted(len(cases), 'case')}, such as {first.record.case_id}: {first.judgement.hint}"
        yield EntryChange(about, "left", text, uncovered)


def _verify(kept: Sequence[tuple[Entry, _ClaimedCases | None]], new: Ledger, run: StoredRun) -> None:
    """Checks that the new text has the planned changes of the entries kept and no others. Raises LedgerError."""
    for (old, parted), now in zip(kept, new.entries, strict=False):
        if len(new.entries) < len(kept) or not _changed_as_planned(old, now, run, parted):
            raise LedgerError(
                f"{old.place}: entry {old.id}: its YAML can't be changed in place; "
                "write out what stands there by anchors, aliases or merge keys"
            )


def _changed_as_planned(old: Entry, now: Entry, run: StoredRun, parted: _ClaimedCases | None) -> bool:
    """True when the entry has the planned change, no other, and claims no more than before."""
    if parted is None:
        return replace(now, place=old.place) == old
    toolchain = run.head.toolchain
    others = {name: scope for name, scope in old.toolchain.items() if name != toolchain}
    if replace(now, where=old.where, toolchain=old.toolchain, place=old.place) != old:
        return False
    if {name: scope for name, scope in now.toolchain.items() if name != toolchain} != others:
        return False
    if toolchain not in now.toolchain:
        return not parted.keep and not parted.beyond
    wider = any(claims(now, axes, toolchain) and not claims(old, axes, toolchain) for axes in _all_cases().values())
    kept = all(claims(now, axes, toolchain) for axes in parted.keep)
    return kept and not wider and not any(claims(now, axes, toolchain) for axes in parted.leave)
