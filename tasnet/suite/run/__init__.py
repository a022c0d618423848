"""Runs of cases: export, translate, optimize, compile, each distinct piece of work once.

In go RunOptions (the options of the command line and of pytest) and Cases; `open_pipeline` makes a Pipeline of them,
and its `run` gives an Outcome for each stage. Artifacts (ONNX, HAR, HEF, logs) lie in the Store by the sha256 of their
content, outcomes by a key of all that could change them. `load_calibration` makes the compiler's calibration data,
float32 (N, H, W, C) at full scale 1, of recordings; `load_weights` gives the weights that a Recipe stands for.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
