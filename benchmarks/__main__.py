"""`make bench`: every benchmark, each in a process of its own, one after the other. Half an hour on two cores.

python -m benchmarks [NAME...] runs some of them, such as `matrix execution`.
"""

from __future__ import annotations

import subprocess
import sys

EVERY = (
    *("matrix", "execution", "worker_overhead", "crash_storm", "classify"),
    *("ledger", "report", "gate", "fuzz_hef", "fuzz_har", "outside", "house", "plan", "plan_bits", "ask", "ask_order"),
    *("eight_bits", "inexact"),
)


def main(names: list[str]) -> int:
    """Runs the benchmarks; 1 if one of them failed, 2 for a name that none has."""
    unknown = [name for name in names if name not in EVERY]
    if unknown:
        print(f"benchmarks: no {unknown[0]}; one of {', '.join(EVERY)}", file=sys.stderr)
        return 2
    failed = []
    for name in names or EVERY:
        print(f"\n== {name}", flush=True)
        if subprocess.call([sys.executable, "-m", f"benchmarks.{name}"]):
            failed.append(name)
    if failed:
        print(f"benchmarks: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
