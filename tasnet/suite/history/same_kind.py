"""Which runs are of one kind: those that a person would hold against each other."""

from __future__ import annotations

from pathlib import Path

from tasnet.suite.history.run import (
    RunError,
    RunHead,
    StoredRun,
    UnreadableRun,
    read_run,
    run_folders,
    run_heads,
)

USUAL_LEDGER = "expected_failures.yaml"
"""the name of the ledger that is read where none is named"""


def kind_of(head: RunHead) -> tuple[str, ...]:
    """Equal for two runs of one kind: profile, architecture, toolchain of any version, weights, ledger by its name."""
    double = "a test double" if head.double else ""
    return head.profile, head.arch, head.toolchain, double, head.checkpoint, ledger_name(head)


def ledger_name(head: RunHead) -> str:
    """The name of the file that a run was judged by; what stood in it is another question."""
    return Path(head.ledger).name or USUAL_LEDGER


def run_before(store: Path, after: StoredRun) -> StoredRun:
    """The last run before `after` that is of its kind and has cases of it: a whole one, else any.

    Raises RunError where there is none, or where one that may be it can't be read.
    """
    folders = run_folders(store)
    earlier = {folder.name for folder in folders[: [each.name for each in folders].index(after.id)]}
    partial: StoredRun | None = None
    for each in reversed(list(run_heads(store))):
        if isinstance(each, UnreadableRun):
            if each.id in earlier and not each.other_version:
                raise RunError(f"{each.reason}; or name the run to compare with: tasnet compare RUN {after.id}")
            continue
        name, head, _ = each
        if name not in earlier or kind_of(head) != kind_of(after.head):
            continue
        run = read_run(store / "runs" / name)
        if not _compared(run) & _compared(after):
            continue
        if run.whole:
            return run
        partial = partial or run
    if partial is None:
        profile, arch, toolchain, double, checkpoint, ledger = kind_of(after.head)
        weights = f", weights of {checkpoint}" if checkpoint else ""
        by = f"{toolchain}{f' ({double})' if double else ''}"
        raise RunError(
            f"run {after.id}: none before it is of its kind ({profile} on {arch} by {by}{weights}, ledger {ledger}); "
            "name two runs: tasnet compare BEFORE AFTER"
        )
    return partial


def _compared(run: StoredRun) -> set[tuple[str, str]]:
    """What two runs can be compared in: cases that were judged, and those that were measured at a stage."""
    return {(each.case_id, "") for each in run.records} | {(each.case_id, each.stage) for each in run.measures}
