"""Stages that end in every way there is, eight at once: what became of each, and what was left behind.

    python -m benchmarks.crash_storm [N=200] [AT_ONCE=8]

Exits with 1 if an outcome is lost, another than it should be, or a process is left.
"""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any
from uuid import uuid4

from tasnet.hailo.compiler.dfc import Dfc
from tasnet.hailo.compiler.limits import CompilerLimits, read_limits
from tests.doubles.dfc_python import QUANTIZED_HAR, dfc_python
from tests.doubles.processes import TOKEN, left, until

RESHAPE = "Reshape is needed for layers: conv2, conv3, but adding a reshape has failed."
FORK = {"do": "fork"}
WAYS: dict[str, tuple[Any, str]] = {
    "passes": ([], "passed"),
    "passes, leaves children": (FORK, "passed"),
    "prints 64 MB": ({"do": "print_much", "megabytes": 64}, "passed"),
    "prints binary": ({"do": "print_rubbish"}, "passed"),
    "writes to every descriptor": ({"do": "write_everywhere"}, "passed"),
    "raises what is documented": ({"do": "raise", "type": "BackendAllocatorException", "text": RESHAPE}, "failed"),
    "raises the unknown": ({"do": "raise", "type": "Strange", "text": "?"}, "unclassified"),
    "segmentation fault": ([FORK, {"do": "die"}], "failed"),
    "abort": ({"do": "die", "signal": "SIGABRT"}, "failed"),
    "killed": ([FORK, {"do": "die", "signal": "SIGKILL"}], "infra"),
    "sys.exit": ({"do": "exit"}, "infra"),
    "os._exit": ([FORK, {"do": "hard_exit"}], "infra"),
    "hangs": ({"do": "hang"}, "infra"),
    "hangs, deaf, with children": ([FORK, {"do": "hang", "stubborn": True}], "infra"),
    "hangs with the interpreter's lock": ([FORK, {"do": "spin"}], "infra"),
    "takes all memory": ([FORK, {"do": "allocate", "megabytes": 640}], "infra"),
    "disk full": ({"do": "raise", "type": "OSError", "errno": errno.ENOSPC}, "infra"),
    "closes every descriptor": ({"do": "close_everything"}, "infra"),
    "kills its keeper": ([FORK, {"do": "kill_parent"}, {"do": "hang", "stubborn": True}], "infra"),
    "its run is killed": ([FORK, {"do": "hang", "stubborn": True}], "run killed"),
}

SECONDS = 6
"""for what hangs; the rest has as long as a loaded machine may take"""
OTHERS_SECONDS = 300


def limits(way: str) -> CompilerLimits:
    """Of a stage that ends in this way."""
    seconds = SECONDS if way.startswith("hangs") else OTHERS_SECONDS
    return read_limits(
        None,
        {"compile.seconds": seconds, "compile.memory": "400 MiB", "compile.retries": 0, "grace_seconds": 0.3},
    )


def stage(folder: Path, way: str) -> tuple[str, str, float]:
    """One stage in a way; (way, what became of it, seconds)."""
    began = time.perf_counter()
    folder.mkdir()
    (folder / "m.har").write_text(QUANTIZED_HAR)
    if way == "its run is killed":
        return way, _killed(folder), time.perf_counter() - began
    ended = compile_one(folder, way)
    return way, ended, time.perf_counter() - began


def compile_one(folder: Path, way: str) -> str:
    python = dfc_python(folder / "env", {"compile": WAYS[way][0]})
    dfc = Dfc(python, "3.33.0", double=True, limits=limits(way), memory_slots=folder.parent / "places")
    report = dfc.compile(folder / "m.har", "hailo8", folder / "m.hef")
    if report.log is None or not report.log.exists():
        return f"{report.ended.value} without a log"
    return report.ended.value


def _killed(folder: Path) -> str:
    """A run in a process of its own, killed as soon as its stage has started."""
    code = (
        "import sys; from pathlib import Path; from benchmarks.crash_storm import compile_one; "
        "compile_one(Path(sys.argv[1]), 'its run is killed')"
    )
    token = uuid4().hex
    run = subprocess.Popen([sys.executable, "-c", code, str(folder)], env={**os.environ, "STORM_RUN": token})
    # run, keeper, worker and its three children
    until(lambda: run.poll() is not None or len(_of(token)) >= 6, 30)
    run.send_signal(signal.SIGKILL)
    run.wait()
    return "run killed" if until(lambda: not _of(token), 30) else "run killed, processes left"


def _of(token: str) -> list[int]:
    return [p.pid for p in left(os.environ[TOKEN]) if p.is_running() and _says(p.pid, token)]


def _says(pid: int, token: str) -> bool:
    try:
        return f"STORM_RUN={token}".encode() in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False


def main(count: int, at_once: int) -> int:
    token = os.environ[TOKEN] = uuid4().hex
    names = list(WAYS)
    became: Counter[tuple[str, str]] = Counter()
    slowest: dict[str, float] = {}
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(at_once, mp_context=context) as pool:
            todo = [pool.submit(stage, Path(folder) / str(i), names[i % len(names)]) for i in range(count)]
            for done in as_completed(todo):
                way, ended, seconds = done.result()
                became[way, ended] += 1
                slowest[way] = max(slowest.get(way, 0.0), seconds)
    took = time.perf_counter() - began
    del os.environ[TOKEN]
    me = os.getpid()
    # multiprocessing's own tracker ends with this process
    orphans = [p for p in left(token) if p.pid != me and "multiprocessing" not in " ".join(p.cmdline())]
    wrong = 0
    for (way, ended), times in sorted(became.items(), key=lambda item: names.index(item[0][0])):
        expected = WAYS[way][1]
        wrong += times * (ended != expected)
        mark = "" if ended == expected else f"   NOT {expected}"
        print(f"{times:4} {way:36} {ended:12} slowest {slowest[way]:5.1f} s{mark}")
    lost = count - sum(became.values())
    print(f"{count} stages, {at_once} at once, {took:.0f} s: {len(orphans)} orphans, {lost} lost, {wrong} wrong")
    return 1 if orphans or lost or wrong else 0


if __name__ == "__main__":
    sys.exit(main(*(int(given) for given in (*sys.argv[1:], *("200", "8")[len(sys.argv) - 1 :]))))
