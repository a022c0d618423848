"""History: every run as it was, beside the artifacts, and what changed from one to another.

    runs/<id>/run.json        who ran what, with which options, where: written before the first case
    runs/<id>/records.jsonl   one record a line, as the cases end
    runs/<id>/measures.jsonl  one measured distance from PyTorch a line
    runs/<id>/end.json        when and how it ended; a run that was killed has none

A line that a kill cut short is passed over. `record.py` is what is kept of a case; `run.py` reads, `writer.py` writes,
`origin.py` says where a run comes from.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
