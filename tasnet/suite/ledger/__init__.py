"""The ledger, `expected_failures.yaml`: one entry per root cause of expected failures.

    entry.py     Entry and Ledger; which cases and failures an entry speaks of
    model.py     the keys of the file, and the JSON Schema of them
    reading.py   the file, read strictly: every error has file, line and column
    flaky.py     an entry whose failure comes and goes: the rate it states against the one seen
    pattern.py   a message's regular expression, in linear time
    where.py     the conditions of an entry
    why.py       why an entry claims a case or not, and what tells a failure from the one it tells of
    judgement.py what the entries mean for a case

How it is kept honest is the room `upkeep`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
