"""Seconds of the native run and of the simulated 8-bit run, beside ONNX Runtime's float run, all in one process.

The 24-block graph at T=16000 (concat-normal-grouped-all, drawn weights), all three in turn, so that a busy machine
is busy for all of them. Prints minimum, median and the ratios to ONNX Runtime.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from statistics import median

import numpy as np
import onnxruntime
import torch

from tasnet.hailo.execute import run_network
from tasnet.hailo.quantize import quantize_network, run_quantized
from tasnet.hailo.translate import translate
from tasnet.network.export import to_onnx
from tasnet.network.variant import Size, Variant
from tasnet.network.weights import seeded_weights
from tasnet.suite.numerics.speech import mixtures

LENGTH = 16000
REST = 0.3
"""seconds between two runs"""


def main(repeats: int = 9, threads: int = 0) -> None:
    """Build, run, print; `threads` 0 leaves each side its own default."""
    if threads:
        torch.set_num_threads(threads)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    size = Size()
    model = to_onnx(Variant(), size, seeded_weights(size), LENGTH)
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    network = translate(model, "conv_tasnet")
    mixes = np.stack([mixture.mix for mixture in mixtures(2, LENGTH)]).reshape(2, 1, LENGTH, 1)
    quantized = quantize_network(network, mixes)
    mix = mixes[:1]
    host = np.ascontiguousarray(mix.transpose(0, 3, 1, 2))
    runs: dict[str, Callable[[], object]] = {
        "ONNX Runtime": lambda: session.run(None, {"mix": host}),
        "native": lambda: run_network(network, mix),
        "simulated a8_w8": lambda: run_quantized(quantized, mix),
    }
    seconds = measure(runs, repeats)
    base = seconds["ONNX Runtime"]
    print(f"{repeats} repeats, {torch.get_num_threads()} threads")
    for name, each in seconds.items():
        least, middle = min(each), median(each)
        print(
            f"{name:16} min {least * 1e3:6.0f} ms  median {middle * 1e3:6.0f} ms  "
            f"ratio {least / min(base):.2f} (min) {middle / median(base):.2f} (median)"
        )


def measure(runs: dict[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Wall seconds of each run, taken in turn after one round to warm up, each on a machine at rest."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(repeats + 1):
        for name, each in runs.items():
            # the workers of the run before still spin, waiting for more: on two cores they would take one of them
            time.sleep(REST)
            started = time.perf_counter()
            each()
            if turn:
                seconds[name].append(time.perf_counter() - started)
    return seconds


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
