"""Runs an HN graph with the weights of its HAR, in float, on the CPU.

In: a `Network` and its inputs, NHWC float arrays. Out: the outputs, or each layer's result, NHWC; else an ExecuteError.
Every layer type that the open translator writes can be run, with any weights. Torch does the arithmetic, so that a
whole Conv-TasNet takes about as long as in ONNX Runtime; of `tasnet.hailo` only this room and `quantize` import torch.

    network = har.read(path)
    (estimate,) = run_network(network, mix)                  # [1, 1, 16000, 1] -> [1, 1, 15992, 2]
    (estimate,) = run_network(network, mix, deconv="onnx")   # -> [1, 1, 16000, 2], the length of PyTorch's
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
