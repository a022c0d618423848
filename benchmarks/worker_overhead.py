"""What the worker adds to a stage, against calling the same scripted SDK in this process, besides starting Python.

    python -m benchmarks.worker_overhead [ROUNDS=20]

`start` is one start of the compiler's interpreter that does nothing (and imports numpy where the stage does).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tasnet.hailo.compiler.dfc import connect_compiler
from tasnet.hailo.compiler.find import compiler_environment
from tests.doubles.dfc_python import DOUBLES, dfc_python


def seconds(work: Callable[[], object], rounds: int) -> float:
    """The median of `rounds` runs, after one that counts for nothing."""
    work()
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def main(rounds: int) -> None:
    sys.path.insert(0, str(DOUBLES))
    import hailo_sdk_client as sdk

    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        (here / "m.onnx").write_bytes(b"onnx")
        np.savez(here / "calibration.npz", speech=np.zeros((16, 1, 16000, 1), np.float32))
        python = dfc_python(here / "env")
        dfc = connect_compiler(python, calibration=here / "calibration.npz", memory_slots=here / "places")
        har, quantized, hef = here / "a.har", here / "b.har", here / "c.hef"

        def translate() -> None:
            runner = sdk.ClientRunner(hw_arch="hailo8")
            runner.translate_onnx_model(str(here / "m.onnx"), "net")
            runner.save_har(str(har))

        def optimize() -> None:
            runner = sdk.ClientRunner(hw_arch="hailo8", har=str(har))
            with np.load(here / "calibration.npz") as arrays:
                runner.optimize(arrays["speech"])
            runner.save_har(str(quantized))

        def compile_() -> None:
            hef.write_bytes(sdk.ClientRunner(hw_arch="hailo8", har=str(quantized)).compile())

        def start(code: str) -> Callable[[], object]:
            return lambda: subprocess.run([str(python), "-c", code], check=True, env=compiler_environment())

        stages: tuple[tuple[str, Callable[[], object], Callable[[], object], str], ...] = (
            ("translate", translate, lambda: dfc.translate(here / "m.onnx", "net", har), "pass"),
            ("optimize", optimize, lambda: dfc.optimize(har, "hailo8", quantized), "import numpy"),
            ("compile", compile_, lambda: dfc.compile(quantized, "hailo8", hef), "pass"),
        )
        print(f"load {os.getloadavg()[0]:.1f}, {rounds} rounds, medians in seconds")
        print(f"{'stage':10} {'here':>8} {'start':>8} {'worker':>8} {'adds':>8}")
        for name, inside, outside, code in stages:
            own, begin, whole = (seconds(work, rounds) for work in (inside, start(code), outside))
            print(f"{name:10} {own:8.4f} {begin:8.4f} {whole:8.4f} {whole - own - begin:8.4f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
