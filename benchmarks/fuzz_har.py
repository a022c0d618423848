"""Reads N mutated HARs (100,000 by default); prints how many, how they ended, and the time.

A third are damaged as whole archives, a third in the HN's text, a third in the weights, packed again around it, so
that each reader gets past the one before it. Anything but a Network or the readers' own errors ends the run.
"""

from __future__ import annotations

import io
import os
import random
import sys
import tarfile
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from benchmarks.fuzz_hef import damaged
from tasnet.hailo.files import har
from tasnet.hailo.files.har import HarError
from tasnet.hailo.files.hn import HNError
from tasnet.hailo.translate import translate


def main(count: int = 100_000, seed: int = 1) -> None:
    """Mutate, read, count."""
    rng = random.Random(seed)
    ends: Counter[str] = Counter()
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as directory:
        path = Path(directory) / "mutated.har"
        members = _members(Path(directory) / "whole.har")
        started = time.perf_counter()
        for i in range(count):
            data = _mutated(rng, members, i % 3)
            path.write_bytes(data)
            try:
                har.read(path)
                ends["read"] += 1
            except HarError:
                ends["refused archive or weights"] += 1
            except HNError:
                ends["refused graph"] += 1
            except BaseException:
                Path("fuzz_har_failure.har").write_bytes(data)
                raise
    seconds = time.perf_counter() - started
    print(f"{count} mutated files in {seconds:.1f} s: " + ", ".join(f"{n} {end}" for end, n in sorted(ends.items())))


def _members(path: Path) -> dict[str, bytes]:
    """A small network's HAR, taken apart: a convolution and a concat through a shortcut."""
    weight = np.zeros((3, 2, 1, 3), np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "w"], ["a"], name="conv"),
            helper.make_node("Concat", ["a", "a"], ["y"], name="concat", axis=1),
        ],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2, 1, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 6, 1, 6])],
        [numpy_helper.from_array(weight, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    har.write(translate(model, "net"), path)
    with tarfile.open(path) as archive:
        return {info.name: archive.extractfile(info).read() for info in archive}  # type: ignore[union-attr]


def _mutated(rng: random.Random, members: dict[str, bytes], what: int) -> bytes:
    chosen = dict(members)
    if what:
        name = "net.hn" if what == 1 else "net.npz"
        chosen[name] = damaged(rng, chosen[name])
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in chosen.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue() if what else damaged(rng, buffer.getvalue())


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
