"""The default matrix: empty and full store, against each case by itself, and what it costs in memory and disk.

    python -m benchmarks.matrix

Every ratio is of two figures of this one run.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.machine import children_peak_mib, describe, timed
from tasnet.suite.cases.case import Case, graph_key
from tasnet.suite.cases.profiles import profile_cases

RUN = ["-m", "pytest", "-m", "compile", "tests/compile", "--tasnet-profile", "matrix", "-q"]
SAMPLE_EVERY = 31
"""Coprime to every axis of the matrix: each value is drawn in its share."""


def main() -> None:
    print(describe())
    cases = profile_cases("matrix")
    distinct = len({graph_key(case) for case in cases})
    print(f"distinct graphs / cases            {distinct} / {len(cases)} = {distinct / len(cases):.3f}")
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder, "store")
        collected = timed([*RUN, "--collect-only", "--tasnet-store", str(store)]).seconds
        print(f"collection, one process            {collected:.1f} s")
        cold = timed([*RUN, "-n", "2", "--tasnet-store", str(store)]).seconds
        print(f"matrix, empty store, 2 processes   {cold:.1f} s")
        print(f"peak memory of any process         {children_peak_mib():.0f} MiB")
        print(f"store                              {_size_mib(store):.0f} MiB")
        warm = timed([*RUN, "-n", "2", "--tasnet-store", str(store)]).seconds
        print(f"matrix, full store, 2 processes    {warm:.1f} s")
    sample = cases[::SAMPLE_EVERY]
    scale = len(cases) / len(sample)
    loop = _loop(sample) * scale
    print(f"each case by itself, one loop      {loop:.1f} s   ({len(sample)} cases x {scale:.1f})")
    print(f"  ratio to the matrix, empty store {loop / cold:.1f}")
    commands = _commands(sample[:: len(sample) // 7]) * len(cases)
    print(f"each case by its own two commands  {commands:.0f} s   (7 cases x {len(cases) / 7:.0f})")
    print(f"  ratio to the matrix, empty store {commands / cold:.1f}")
    _translation()
    _start()


def _loop(sample: tuple[Case, ...]) -> float:
    """Seconds to export and translate each case of the sample by itself, in one process, nothing shared."""
    from tasnet.hailo.files import har
    from tasnet.hailo.translate import translate
    from tasnet.network.convtasnet import build_network
    from tasnet.network.export import with_weights, write_onnx
    from tasnet.network.graph_parts import traced_nodes
    from tasnet.network.weights import seeded_weights

    with tempfile.TemporaryDirectory() as folder:
        onnx, target = Path(folder, "m.onnx"), Path(folder, "m.har")
        started = time.perf_counter()
        for case in sample:
            network = build_network(case.variant, case.size, seeded_weights(case.size, 0))
            tensors = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
            # The network traced in one piece: `to_onnx` would share its parts among the cases of this loop too.
            write_onnx(with_weights(traced_nodes(case.variant, case.size, case.length, 13, "relu"), tensors, 13), onnx)
            har.write(translate(onnx, "net"), target)
        return time.perf_counter() - started


def _commands(sample: tuple[Case, ...]) -> float:
    """Mean seconds of `tasnet export` and `tasnet translate` for a case."""
    with tempfile.TemporaryDirectory() as folder:
        onnx, target = str(Path(folder, "m.onnx")), str(Path(folder, "m.har"))
        seconds = [
            timed(["-m", "tasnet", "export", case.id, "-o", onnx]).seconds
            + timed(["-m", "tasnet", "translate", onnx, "--name", "net", "-o", target]).seconds
            for case in sample
        ]
    return statistics.mean(seconds)


def _translation() -> None:
    from tasnet.hailo.translate import translate
    from tasnet.network.export import to_onnx
    from tasnet.network.variant import Size, Variant
    from tasnet.network.weights import seeded_weights

    for text, variant in (
        ("24 blocks, ReLU, no norms", Variant()),
        ("24 blocks, gLN, PReLU by Max/Min", Variant(activation="prelu_maxmin", norm="gln")),
    ):
        model = to_onnx(variant, Size(), seeded_weights(Size(), 0), 16000)
        print(f"translate {text:<33} {_best(lambda made=model: translate(made, 'net')):.2f} s")


def _start() -> None:
    """What `tasnet check` costs a user, against importing torch alone."""
    with tempfile.TemporaryDirectory() as folder:
        onnx, target = str(Path(folder, "m.onnx")), str(Path(folder, "m.har"))
        timed(["-m", "tasnet", "export", "project-bypass-conv1x1_head-k1", "-o", onnx])
        timed(["-m", "tasnet", "translate", onnx, "--name", "net", "-o", target])
        for name, command in (
            ("tasnet check m.har", ["-m", "tasnet", "check", target]),
            ("tasnet check m.onnx", ["-m", "tasnet", "check", onnx]),
            ("import torch", ["-c", "import torch"]),
        ):
            print(f"{name:<34} {_best(lambda line=command: timed(line)):.2f} s")


def _best(call: Callable[[], object], times: int = 5) -> float:
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def _size_mib(folder: Path) -> float:
    done = subprocess.run(["du", "-sk", str(folder)], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[0]) / 1024


if __name__ == "__main__":
    sys.exit(main())
