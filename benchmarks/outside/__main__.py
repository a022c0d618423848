"""Prints the figures of every kind of input from outside, each kind in a process of its own.

python -m benchmarks.outside [NAME...] tries some of them, such as `logs endings`.
"""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
import time

import benchmarks.outside
from benchmarks.machine import children_peak_mib

ONE = "--one"


def main(arguments: list[str]) -> int:
    """Tries each kind; 1 if one broke off, 2 for a name that none has."""
    if arguments[:1] == [ONE]:
        for line in importlib.import_module(f"benchmarks.outside.{arguments[1]}").figures():
            print(f"   {line}", flush=True)
        return 0
    kinds = sorted(found.name for found in pkgutil.iter_modules(benchmarks.outside.__path__) if found.name[0] != "_")
    unknown = [name for name in arguments if name not in kinds]
    if unknown:
        print(f"benchmarks.outside: no {unknown[0]}; one of {', '.join(kinds)}", file=sys.stderr)
        return 2
    failed = []
    for name in arguments or kinds:
        print(f"-- {name.replace('_', ' ')}", flush=True)
        started = time.perf_counter()
        if subprocess.call([sys.executable, "-m", "benchmarks.outside", ONE, name]):
            failed.append(name)
        print(f"   {time.perf_counter() - started:.0f} s", flush=True)
    print(f"largest process so far: {children_peak_mib():.0f} MiB")
    if failed:
        print(f"benchmarks.outside: broke off: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
