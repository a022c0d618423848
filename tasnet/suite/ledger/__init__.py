"""The ledger, `expected_failures.yaml`: one entry per root cause of expected failures.

In: the file's text, the axes of a case, the outcomes of its stages. Out: a `Ledger` of entries, or a LedgerError with
file, line and column; the `Judgement` of a case against the entries; the reasons for it.

    entry.py      an entry: which cases it claims, which failures it covers
    model.py      the keys of the file, and their JSON Schema
    reading.py    the file, read strictly
    where.py      the conditions of an entry
    where_yaml.py the same as YAML on one line
    pattern.py    the regular expression of a message, matched in linear time
    flaky.py      the failure rate of a flaky entry, tested against stored runs
    judgement.py  what the entries mean for a case
    why.py        which conditions hold for a case, and how a failure differs from an entry
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
