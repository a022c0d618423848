"""Seconds and peak memory of reading a failure off a generated log of 100 MB (or of as many as the argument says)."""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from pathlib import Path

from tasnet.hailo.logs.classification import read_log

MB = 1_000_000


def main(megabytes: int = 100) -> None:
    """Generate, read, print."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "compile.log"
        generate(path, megabytes * MB)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started, busy = time.perf_counter(), time.process_time()
        failure = read_log(path).failure
        seconds, busy = time.perf_counter() - started, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    family = None if failure is None else failure.family
    print(f"{megabytes} MB: {seconds:.2f} s ({busy:.2f} s of processor time), family {family}")
    print(f"peak memory {peak / 1024:.0f} MB, {before / 1024:.0f} MB of them before")


def generate(path: Path, size: int) -> None:
    """A log as the compiler's: coloured levels, progress bars, feasibility lines, an agent infeasible now and then."""
    random.seed(7)
    part: list[str] = []
    for i in range(20_000):
        layer = f"conv{random.randrange(1, 80)}"
        if i % 10 == 0:
            part.append(f"\rValidating layers feasibility: {i % 100:3d}%|####     | {i}/20000 [00:01<00:09, 98it/s]")
        elif i % 2000 == 1:
            part.append(f"\x1b[31m[error]\x1b[0m dw66 errors:\n\tAgent infeasible ({i})\n")
        else:
            used = random.random()
            part.append(f"\x1b[32m[info]\x1b[0m Validated {layer} on cluster_{i % 8}: utilization {used:.4f}, ok\n")
    block = "".join(part).encode()
    with path.open("wb") as file:
        file.write(b"Starting Compilation...\n")
        while file.tell() < size:
            file.write(block)
        file.write(b"\x1b[31m[error]\x1b[0m Mapping Failed (Timeout, allocation time: 31m 42s)\n")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
