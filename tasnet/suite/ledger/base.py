"""The ledger as it was at a revision of git: its budget may only shrink from there."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tasnet.suite.ledger.entry import Ledger, LedgerError
from tasnet.suite.ledger.reading import parse


@dataclass(frozen=True)
class Base:
    """What stood at a revision; `ledger` is None where none stood there that can be read, and `why` says so."""

    revision: str
    ledger: Ledger | None
    why: str = ""


def at(path: Path, revision: str) -> Base:
    """The ledger `path` as it is at a revision. Raises LedgerError for a revision that git doesn't know."""
    folder = path.resolve().parent
    if _git(folder, "rev-parse", "--is-inside-work-tree").returncode:
        return Base(revision, None, "the ledger isn't in a git checkout")
    if _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").returncode:
        if revision == "HEAD":
            return Base(revision, None, "nothing is committed yet")
        raise LedgerError(f"--base {revision}: git knows no such revision; fetch it, or name another")
    shown = _git(folder, "show", f"{revision}:./{path.resolve().name}")
    if shown.returncode:
        return Base(revision, None, f"there is no ledger at {revision}")
    try:
        return Base(revision, parse(shown.stdout.decode("utf-8"), Path(f"{revision}:{path.name}")))
    except (LedgerError, UnicodeDecodeError) as error:
        return Base(revision, None, f"it can't be read at {revision}: {' '.join(str(error).split())}")


def grown(now: Ledger, base: Base) -> str:
    """How the ledger grew without a reason; empty where it didn't. A reason that stood there before is none."""
    before = base.ledger
    if before is None or (now.budget_reason and now.budget_reason != before.budget_reason):
        return ""
    counts = (("budget", before.budget, now.budget), ("entries", len(before.entries), len(now.entries)))
    told = [f"{what} {old} -> {new}" for what, old, new in counts if new > old]
    return f"grew since {base.revision}: {', '.join(told)}" if told else ""


def _git(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", "-C", str(folder), *words], capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(words, 127, b"", str(error).encode())
