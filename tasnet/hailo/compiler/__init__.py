"""The Hailo Dataflow Compiler (DFC), which runs in a Python environment of its own.

`connect_compiler` finds that environment and gives a `Dfc`, a Toolchain: ONNX, HAR and HEF files in, files and a
StageReport out. A stage runs in a process with limits (`[tool.tasnet.limits]`); whatever it does, its end becomes a
StageReport that says whether the network, the set-up or the machine is at fault.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
