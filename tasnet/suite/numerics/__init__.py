"""Numerics: how far every stage is from PyTorch, and what a person sees and hears of it.

- `staged`: a case's waves at every stage, with the weights it was exported with
- `parity`, `metrics`: against one reference in float64: SNR, SI-SDR, the first layer that departs
- `emulated`, `compiled_parity`: the same through the compiler's own emulation, where there is one
- `measure`, `kept`: the figures of a case, and those that are kept
- `thresholds`: the limits in thresholds.yaml, and proposals of new ones
- `speech`: real voices and mixtures of them
- `listen`, `hearing`, `listen_page`: wavs of every stage, and their page
- `parity_report`, `gains`, `parity_page`, `plots`: the page of all figures
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
