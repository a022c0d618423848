"""The ledger kept true: it is held against stored runs, explained, and changed where a run says so.

In: a `Ledger`, stored runs of the history, a day. Out: findings, an explanation of one case, and the ledger's text with
entries narrowed, removed or added.

    rejudging.py   the cases of a stored run judged against a ledger; how often a flaky entry's cases failed before
    checking.py    what is wrong with a ledger: dead, stale, overlapping, too broad, grown, ...
    explaining.py  why a case is judged as it is
    updating.py    what a stored run changes in the ledger
    new_entry.py   an entry for each root cause that none covers
    narrowing.py   the fewest conditions that take cases out of a `where`, joined to those that stand there
    text_edits.py  changes of single lines of the file
    base_ledger.py the ledger at a revision of git
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
