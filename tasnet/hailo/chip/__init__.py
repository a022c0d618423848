"""A Hailo device, through HailoRT 4.x.

`detect_chip` says what there is of a device and what is missing. `infer_on_chip` takes a HEF and frames, (N, H, W, C)
float32 by input name, and gives the outputs in the same form with the latency of each frame in seconds.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
