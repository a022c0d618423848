"""The ledger, `expected_failures.yaml`: one entry per root cause of expected failures, and how it is kept honest.

    entry.py     Entry and Ledger; which cases and failures an entry speaks of
    model.py     the keys of the file, and the JSON Schema of them
    reading.py   the file, read strictly: every error has file, line and column
    flaky.py     an entry whose failure comes and goes: the rate it states against the one seen
    again.py     a stored run, judged against a ledger
    check.py     what is wrong with a ledger: dead, stale, overlapping, too broad, grown, …
    why.py       why an entry claims a case or not, and what tells a failure from the one it tells of
    narrow.py    the least that a `where` must say to claim these cases and not those
    update.py    what a run changes in the ledger: fresh.py proposes entries, conditions.py joins and writes conditions,
                 edit.py changes those lines of the file and no other
    base.py      the ledger as it was at a revision of git
    explain.py   why a case is judged as it is

What the entries mean for a case is `judge.py`'s.
"""

from tasnet.suite.ledger.entry import (
    TOOLCHAINS,
    Entry,
    Flaky,
    Ledger,
    LedgerError,
    Scope,
    claims,
    covers,
    in_scope,
    stale,
)
from tasnet.suite.ledger.model import SCHEMA
from tasnet.suite.ledger.reading import parse, read

__all__ = [
    "SCHEMA",
    "TOOLCHAINS",
    "Entry",
    "Flaky",
    "Ledger",
    "LedgerError",
    "Scope",
    "claims",
    "covers",
    "in_scope",
    "parse",
    "read",
    "stale",
]
