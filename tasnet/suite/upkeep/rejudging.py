"""Stored runs: their cases judged against the ledger as it is now, and how often flaky entries' cases failed before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tasnet.common import stored_bytes
from tasnet.suite.cases import Status
from tasnet.suite.history import (
    RECORDS,
    CaseRecord,
    RunError,
    RunHead,
    StoredRun,
    UnreadableRun,
    check_run,
    find_run,
    no_runs,
    read_run,
    run_heads,
)
from tasnet.suite.ledger import Entry, FailureCount, Judgement, claims, covers, in_scope, judge

FlakyHistory = Mapping[tuple[str, str], FailureCount]
"""(case's id, entry's id) -> how many of the earlier runs failed"""


@dataclass(frozen=True)
class JudgedCase:
    """A case of a stored run, and its judgement against a ledger."""

    record: CaseRecord
    judgement: Judgement


def rejudge(run: StoredRun, entries: Sequence[Entry], today: date, past: FlakyHistory) -> tuple[JudgedCase, ...]:
    """The cases of a run, judged against these entries."""
    return judge_records(run.records, entries, today, past)


def judge_records(
    records: Iterable[CaseRecord], entries: Sequence[Entry], today: date, past: FlakyHistory
) -> tuple[JudgedCase, ...]:
    """Cases, judged against these entries."""
    return tuple(
        JudgedCase(
            record, judge(record.axes, record.by_stage, entries, today, history_of_case(past, record.case_id, entries))
        )
        for record in records
    )


def records_beside(store: Path, run: StoredRun) -> tuple[CaseRecord, ...]:
    """What the last whole run of each profile says of cases that `run` hasn't: of the same toolchain and weights.

    Raises RunError for a damaged one among them.
    """
    found: dict[str, CaseRecord] = {record.case_id: record for record in run.records}
    profiles: set[str] = set()
    for folder, head in reversed(list(_readable_heads(store))):
        if folder.name == run.id or head.profile in profiles or _by(head) != _by(run.head):
            continue
        other = read_run(folder)
        if other.whole:
            profiles.add(head.profile)
            for record in other.records:
                found.setdefault(record.case_id, record)
    return tuple(found.values())[len(run.records) :]


def _by(head: RunHead) -> tuple[object, ...]:
    return head.toolchain, head.version, head.arch, head.checkpoint, head.double


def history_of_case(past: FlakyHistory, case_id: str, entries: Sequence[Entry]) -> Mapping[str, FailureCount]:
    """Flaky entry's id -> its count for one case."""
    return {each.id: past[case_id, each.id] for each in entries if each.flaky and (case_id, each.id) in past}


def named_or_last_run(store: Path, name: str = "") -> StoredRun:
    """The run that `name` means, else the last one that no test double made. Raises RunError."""
    if name:
        run = find_run(store, name)
        if run.head.double:
            raise RunError(f"run '{run.id}': made with a test double, so nothing of it holds; name another run")
        return run
    found = latest_run(store)
    if found is None:
        raise RunError(no_runs(store))
    return found


def latest_run(store: Path, case_id: str = "") -> StoredRun | None:
    """The last run that no test double made, and that has the case (any, without one); None where there is none.

    The numerics leave runs that measured and judged no case: they say nothing of the ledger. Raises RunError.
    """
    wanted = f'"case_id":"{case_id}"'.encode() if case_id else b""
    known = [folder for folder, head in _readable_heads(store) if not head.double]
    for folder in reversed(known):
        # A run that was cut, or has lost its records, may have had the case: it isn't passed over silently.
        check_run(folder)
        # The bytes are searched before the run is parsed: few of many runs may have the case.
        records = folder / RECORDS
        if records.exists() and (not wanted or wanted in stored_bytes(records)):
            return read_run(folder)
    # Runs of another version can't be read here, and are no error: after an upgrade all runs are such.
    unreadable = [
        each.reason for each in run_heads(store) if isinstance(each, UnreadableRun) and not each.other_version
    ]
    if unreadable and not known:
        raise RunError(f"{unreadable[-1]}; no other run is stored in {store}")
    return None


def last_whole_runs(store: Path, wanted: Callable[[RunHead], bool], count: int = 1) -> list[StoredRun]:
    """The last `count` whole runs that no test double made and whose head is wanted, the latest first.

    Raises RunError for a damaged one among them: whether it was whole can't be told.
    """
    found: list[StoredRun] = []
    for folder, head in reversed(list(_readable_heads(store))):
        if len(found) < count and not head.double and wanted(head):
            run = read_run(folder)
            found += [run] if run.whole else []
    return found


def same_setup_as(like: RunHead) -> Callable[[RunHead], bool]:
    """Says of a run whether it is of the toolchain, architecture, checkpoint and profile of `like`."""

    def setup(head: RunHead) -> tuple[object, ...]:
        return head.toolchain, head.arch, head.checkpoint, head.profile

    return lambda head: setup(head) == setup(like)


def flaky_history(store: Path, entries: Sequence[Entry], like: RunHead, before: str = "") -> FlakyHistory:
    """How often the flaky entries' cases failed in the stored runs of one setup before run `before`."""
    wanted = [entry for entry in entries if entry.flaky]
    if not wanted:
        return {}
    longest = max(entry.flaky.over for entry in wanted if entry.flaky)
    return count_failures(wanted, _earlier_records(store, like, before, longest))


def _earlier_records(store: Path, like: RunHead, before: str, longest: int) -> Iterator[Sequence[CaseRecord]]:
    """The records of ended runs like this one, the latest first. A run that hasn't ended may be the current one."""

    def setup(head: RunHead) -> tuple[object, ...]:
        return head.toolchain, head.arch, head.checkpoint, head.double

    known = [each for each in run_heads(store) if not isinstance(each, UnreadableRun)]
    until = next((index for index, (name, _, _) in enumerate(known) if name == before), len(known))
    count = 0
    for name, head, end in reversed(known[:until]):
        if setup(head) != setup(like) or end is None:
            continue
        try:
            yield read_run(store / "runs" / name).records
        except RunError:
            # A damaged run is passed over: the others still count.
            continue
        count += 1
        # There may be many runs of a few cases each: at most ten times the longest window is read.
        if count >= 10 * longest:
            return


def _readable_heads(store: Path) -> Iterator[tuple[Path, RunHead]]:
    for each in run_heads(store):
        if not isinstance(each, UnreadableRun):
            name, head, _ = each
            yield store / "runs" / name, head


def count_failures(entries: Sequence[Entry], runs: Iterable[Sequence[CaseRecord]]) -> FlakyHistory:
    """How often the flaky entries' cases failed. `runs`: the latest first; an entry counts `over` runs of a case."""
    wanted = [entry for entry in entries if entry.flaky]
    seen: dict[tuple[str, str], FailureCount] = {}
    for records in runs if wanted else ():
        for record in records:
            for entry in wanted:
                key = (record.case_id, entry.id)
                so_far = seen.get(key, FailureCount())
                if entry.flaky and so_far.runs < entry.flaky.over:
                    failed = fails_as_stated(entry, record)
                    if failed is not None:
                        seen[key] = FailureCount(so_far.failed + failed, so_far.runs + 1)
    return seen


def fails_as_stated(entry: Entry, record: CaseRecord) -> bool | None:
    """Whether the case failed as the entry says; None where the run can't tell: out of scope, or stage not reached."""
    outcome = record.by_stage.get(entry.stage)
    if outcome is None or not in_scope(entry, record.toolchain, record.version):
        return None
    if not claims(entry, record.axes, record.toolchain):
        return None
    if any(covers(entry, failure) for failure in outcome.failures):
        return True
    # Where a tool names only one failure, another one at the stage says nothing of the entry's.
    silent = outcome.status is Status.FAILED and not outcome.provenance.exhaustive
    return None if silent or outcome.status not in (Status.PASSED, Status.FAILED) else False
