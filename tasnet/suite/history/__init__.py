"""History: every run as it was, beside the artifacts, and what changed from one run to another.

`begin_run` gives the RunWriter of a new run; CaseRecords, ParityFigures and DeviceRecords go in as they come.
`read_run` and `find_run` give a StoredRun back; `compare_runs` groups what changed between two, `find_trend` follows a
case or a ledger's entry over all of them. `*_lines` and `*_json` show them.

    runs/<id>/run.json        who ran what, with which options, where: written before the first case
    runs/<id>/records.jsonl   one record a line, as the cases end
    runs/<id>/measures.jsonl  one distance from PyTorch a line
    runs/<id>/device.jsonl    one check on a device a line
    runs/<id>/plans.jsonl     one network's plan a line
    runs/<id>/end.json        when and how it ended; a run that was killed has none

A line that a kill cut short is passed over; any other line that isn't as it was written is an error.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
