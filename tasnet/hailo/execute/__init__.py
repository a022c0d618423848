"""Runs an HN graph with the weights of its HAR, in float, on the CPU.

Signals are NHWC float32. Every layer type that the open translator writes can be run, with any weights. Torch
does the arithmetic, so that a whole Conv-TasNet takes about as long as in ONNX Runtime; nothing else of
`tasnet.hailo` needs it, and nothing but this package and `quantize` may import it.

    network = har.read(path)
    (estimate,) = run(network, mix)                  # [1, 1, 16000, 1] -> [1, 1, 15992, 2]
    (estimate,) = run(network, mix, deconv="onnx")   # -> [1, 1, 16000, 2], the length of PyTorch's
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
