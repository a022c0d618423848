"""The gate: did a change of the model make anything worse than it was at another revision?

In go a git revision (the base), a profile of cases and a toolchain; out comes a result with every graph that changed,
what changed in it, and each regression: of a verdict, a blocker, a size or the parity of its stages. `run.py` has the
steps: export both sides' graphs, compare them, judge those that changed.

The base's code runs with the rights of whoever calls the gate: it is guarded against as old or broken code, not as an
attacker's. Both sides' graphs are translated and judged by this side's toolchain and ledger: the change of the model is
judged, not that of the toolchain or the ledger.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
