"""The ledger, `expected_failures.yaml`: one entry per root cause of expected failures.

    entry.py     Entry and Ledger; which cases and failures an entry speaks of
    model.py     the keys of the file, and the JSON Schema of them
    reading.py   the file, read strictly: every error has file, line and column
    flaky.py     an entry whose failure comes and goes: the rate it states against the one seen
    pattern.py   a message's regular expression, in linear time
    where.py     the conditions of an entry
    why.py       why an entry claims a case or not, and what tells a failure from the one it tells of
    judge.py     what the entries mean for a case

How it is kept honest is the room `upkeep`.
"""

from tasnet.hailo.toolchain import TOOLCHAINS
from tasnet.suite.ledger.entry import Entry, Flaky, Ledger, LedgerError, Scope, claims, covers, in_scope, stale
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
