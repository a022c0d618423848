"""The embedded toolchain: what is known of a graph's chances on a chip, without compiler or chip.

In: a `Network`, or the path of a HAR, an `.hn` or an ONNX file, and an architecture (`hailo8`, ...). Out: a
`Prediction` (clear, blocked or unknown, with the failures expected and how each is known). `Reference` offers the same
as a Toolchain: stage by stage, with a parsed HAR as its only file.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
