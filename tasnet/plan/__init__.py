"""The plan: a whole network, exactly, in pieces that compile.

In goes a trained function and bounds on what a segment may be; out come the segments and host steps that cost least by
the model, their files, and a run of them. Verdicts are the constraints' alone, times are modelled.

function, cut         what is planned; a segment as a stretch of stages, and its ports
layers, candidates    a segment's figures and verdict by shapes alone; every way to cut a stretch
hardware, cost        a profile of figures with their sources; what a step takes
search, cuts, make    the cheapest way through; the plan as data; its files
latency               of a stream: the block whose estimates are least late
segment_network       a segment in PyTorch, `segment_graph` its ONNX, `segment_files` its HN
rows, host, run       windows, the host's layers, the run (`scaled`: of gLN and cgLN blocks): numpy alone
hailort, standalone   HEFs on a device; the program for a machine without this library, which `runtime` writes out
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
