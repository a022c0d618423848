"""The conversion notes' night runs: `summary.tsv`, logs and failure notes.

In: a folder of night runs, whose rows become observed evidence in the store; or records of our own runs, which are
written in the notes' form. Out: how many rows were kept and which were left out, or the path of the table.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
