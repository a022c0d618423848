"""Numerics: how far each stage of a case is from PyTorch in float64, and what a person sees and hears of it.

In go a case, a pipeline and waves [B, T] (float32, 8 kHz, full scale 1); out come waves by stage [B, sources, T'],
figures in dB (SNR, SI-SDR), limits that they keep or break, and two pages.

- `waves`: between waves and the arrays of ONNX (NCHW), of a HAR and a HEF (NHWC)
- `float64_reference`, `metrics`: the reference, what PyTorch, ONNX and the HAR give, the first layer that departs
- `stages`, `emulated`: a mix through every stage of a case, and through the compiler's own emulation
- `measuring`, `kept_figures`, `thresholds`: the figures of a case, those in the store, and their limits
- `speech`: recorded or synthetic voices, and mixtures of them
- `listening`, `listen_page`: separated recordings as wavs, and their page
- `parity_report`, `parity_page`, `plots`: the page of all figures
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
