"""The chip and its files. Knows nothing of Conv-TasNet, cases or pytest. From the bottom up:

failures    what can go wrong: families of failures, and how each is known
toolchain   what a toolchain must do, the embedded one and the compiler alike
files       HN, HAR and HEF, read and written
logs        what the compiler printed
execute     a HAR run in float
process     a command in a process of its own, with limits
translate   ONNX -> HN, one rule a pattern
quantize    a HAR run in simulated 8 bits
predict     the embedded toolchain: constraints, verdicts
compiler    the Dataflow Compiler in its own interpreter
chip        HailoRT
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
