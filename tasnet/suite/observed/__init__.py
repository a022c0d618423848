"""Observed: what a real compiler or chip said, today or earlier, and how predictions fare against it.

- `evidence`: what was observed of a case, kept in the store
- `confusion`, `pair`: predictions beside observations: agreement, refutations, layers, compiled files
- `on_device`, `bit_exact`: a compiled file on the chip, and against the emulation bit for bit
- `sweep`: the graphs of a profile on one machine or on a cluster
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
