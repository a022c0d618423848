"""Observed: what a real compiler or chip said, today or earlier, and how predictions fare against it.

In go outcomes of a compiler, HEFs and waves (T,) float32; out come evidence in the store, agreements and refutations
of predictions, and outcomes of the stage `infer`. What a test double says is marked, and never kept.

- `evidence`, `graph_evidence`: what was observed of a case, and of other graphs; `evidence_file`: both, to share
- `confusions`, `pair`: a prediction beside an observation: verdicts, layers, the compiled file
- `on_device`, `bit_exact`: a HEF on the chip against PyTorch, and against the compiler's emulation bit for bit
- `sweeping`: the graphs of a profile on the processes of one machine or on a cluster
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
