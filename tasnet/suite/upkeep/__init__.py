"""The ledger kept true: it is held against stored runs, explained, and changed where a run says so.

again.py     a stored run, judged against a ledger
check.py     what is wrong with a ledger: dead, stale, overlapping, too broad, grown, …
narrow.py    the least that a `where` must say to claim these cases and not those
update.py    what a run changes in the ledger: fresh.py proposes entries, conditions.py joins and writes conditions,
             edit.py changes those lines of the file and no other
base.py      the ledger as it was at a revision of git
explain.py   why a case is judged as it is
"""
