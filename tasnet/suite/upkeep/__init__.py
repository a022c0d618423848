"""The ledger kept true: it is held against stored runs, explained, and changed where a run says so.

again.py     a stored run, judged against a ledger
checking.py  what is wrong with a ledger: dead, stale, overlapping, too broad, grown, …
narrow.py    the least that a `where` must say to claim these cases and not those
updating.py  what a run changes in the ledger: fresh.py proposes entries, conditions.py joins and writes conditions,
             edit.py changes those lines of the file and no other
base.py      the ledger as it was at a revision of git
explaining.py why a case is judged as it is
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
