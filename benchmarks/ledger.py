"""The ledger: judging 840 cases against 100 entries, and updating a file of 300 entries with comments.

    python -m benchmarks.ledger

The ratios are of figures of this one run: to a bare walk over the same cases and entries, and to reading the file.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from datetime import date
from pathlib import Path

from benchmarks.machine import describe
from tasnet.suite.cases.outcome import Outcome, Stage
from tasnet.suite.cases.profiles import profile_cases
from tasnet.suite.ledger import parse_ledger
from tasnet.suite.ledger.judgement import judge
from tasnet.suite.upkeep.updating import plan_update
from tests.doubles.ledgers import cause, one_each
from tests.doubles.outcomes import outcomes
from tests.doubles.stored_runs import unstored_run

TODAY = date(2026, 6, 1)
CASES = profile_cases("matrix")


def main() -> None:
    """Measure, print."""
    print(describe())
    _judging(100)
    _updating(300, gone=4)


def _judging(count: int) -> None:
    ledger = parse_ledger(one_each(CASES[:count]), Path("ledger.yaml"))
    axes = [case.axes() for case in CASES]
    ends = [_outcomes(number, range(count)) for number, _ in enumerate(CASES)]

    def all_cases() -> None:
        for each, ended in zip(axes, ends, strict=True):
            judge(each, ended, ledger.entries, TODAY)

    def walk() -> None:
        for each in axes:
            for entry in ledger.entries:
                _ = each["arch"] in entry.arch

    seconds, bare = _best(all_cases), _best(walk)
    print(f"judging {len(CASES)} cases against {count} entries   {seconds:.3f} s")
    print(f"  ratio to a bare walk over them         {seconds / bare:.1f}")


def _updating(count: int, gone: int) -> None:
    text = one_each(CASES[:count])
    left = set(range(0, count, count // gone))
    numbers = {case.id: number for number, case in enumerate(CASES)}
    run = unstored_run(lambda case: _outcomes(numbers[case.id], {*range(count)} - left), CASES)
    path = Path("ledger.yaml")
    seconds = _best(lambda: plan_update(text, path, run, {}, TODAY), times=2)
    reading = _best(lambda: parse_ledger(text, path), times=2)
    done = plan_update(text, path, run, {}, TODAY)
    lines = done.diff.splitlines()[2:]
    less, more = (sum(line.startswith(sign) for line in lines) for sign in "-+")
    print(f"update of {count} entries, {len(text.splitlines())} lines    {seconds:.2f} s")
    print(f"  ratio to reading them                  {seconds / reading:.1f}")
    print(f"  {len(done.changes)} entries and the budget change: {less} lines go, {more} come")
    again = plan_update(done.after, path, run, {}, TODAY)
    print(f"  a second update changes {len(again.changes)} entries")


def _outcomes(number: int, failing: Collection[int]) -> Mapping[Stage, Outcome]:
    return outcomes(*([cause(number)] if number in failing else []))


def _best(call: Callable[[], object], times: int = 5) -> float:
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


if __name__ == "__main__":
    main()
