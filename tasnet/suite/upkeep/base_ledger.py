"""The ledger as it was at a revision of git: its budget may only shrink from there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tasnet.common import GitError, git
from tasnet.suite.ledger import Ledger, LedgerError, parse_ledger

_SECONDS = 20.0


@dataclass(frozen=True)
class BaseLedger:
    """The ledger at a revision; `ledger` is None where none can be read there, and `why` says the reason."""

    revision: str
    ledger: Ledger | None
    why: str = ""


def ledger_at(path: Path, revision: str) -> BaseLedger:
    """The ledger `path` as it is at a revision. Raises LedgerError for a revision that git doesn't know."""
    folder = path.resolve().parent
    if not _answers(folder, "rev-parse", "--is-inside-work-tree"):
        return BaseLedger(revision, None, "the ledger isn't in a git checkout")
    if not _answers(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"):
        if revision == "HEAD":
            return BaseLedger(revision, None, "nothing is committed yet")
        raise LedgerError(f"--base {revision}: git knows no such revision; fetch it, or name another")
    try:
        text = git(folder, "show", f"{revision}:./{path.resolve().name}", seconds=_SECONDS)
    except GitError:
        return BaseLedger(revision, None, f"there is no ledger at {revision}")
    try:
        # What git prints has lost its last line break, and bytes that are no UTF-8 are surrogates in it.
        return BaseLedger(
            revision, parse_ledger(text.encode(errors="surrogateescape").decode(), Path(f"{revision}:{path.name}"))
        )
    except (LedgerError, UnicodeDecodeError) as error:
        return BaseLedger(revision, None, f"it can't be read at {revision}: {' '.join(str(error).split())}")


def growth_since(now: Ledger, base: BaseLedger) -> str:
    """How the ledger grew without a reason; empty where it didn't. An unchanged reason doesn't count."""
    before = base.ledger
    if before is None or (now.budget_reason and now.budget_reason != before.budget_reason):
        return ""
    counts = (("budget", before.budget, now.budget), ("entries", len(before.entries), len(now.entries)))
    grown = [f"{what} {old} -> {new}" for what, old, new in counts if new > old]
    return f"grew since {base.revision}: {', '.join(grown)}" if grown else ""


def _answers(folder: Path, *words: str) -> bool:
    try:
        git(folder, *words, seconds=_SECONDS)
    except GitError:
        return False
    return True
