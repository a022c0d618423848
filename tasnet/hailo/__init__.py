"""The chip and its files. Knows nothing of Conv-TasNet, cases or pytest. From the bottom up:

failures, toolchain   what can go wrong, and what a toolchain must do
files                 HN, HAR and HEF, read and written
execute, logs         a HAR run in float; what the compiler printed
translate, quantize   ONNX -> HN; 8 bits, simulated
process               a command in a process of its own, with limits
predict               the embedded toolchain: constraints and verdicts
compiler, chip        the Dataflow Compiler and HailoRT, behind adapters
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
