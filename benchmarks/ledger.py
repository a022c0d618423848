"""The ledger: judging 840 cases against 100 entries, and updating a file of 300 entries with comments.

    python -m benchmarks.ledger

The ratios are of figures of this one run: to a bare walk over the same cases and entries, and to reading the file.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from datetime import date, datetime, timezone
from pathlib import Path

from benchmarks.machine import describe
from tasnet.hailo.failures import Failure
from tasnet.suite.case import Case, profile
from tasnet.suite.history.run import Head, Run
from tasnet.suite.judge import judge
from tasnet.suite.ledger import parse
from tasnet.suite.ledger.update import update
from tasnet.suite.report.record import record
from tasnet.suite.stage import Outcome, Provenance, Stage, Status

TODAY = date(2026, 6, 1)
BY = Provenance(toolchain="reference", version="0.1.0", predicted=True, exhaustive=True, arch="hailo8")
CASES = profile("matrix")
HEAD = ("expansion", "mask", "sources", "skip", "decoder", "blocks")


def main() -> None:
    """Measure, print."""
    print(describe())
    _judging(100)
    _updating(300, gone=4)


def _judging(count: int) -> None:
    ledger = parse(_text(count), Path("ledger.yaml"))
    axes = [case.axes() for case in CASES]
    outcomes = [_outcomes(number, number < count) for number, _ in enumerate(CASES)]

    def all_cases() -> None:
        for each, ended in zip(axes, outcomes, strict=True):
            judge(each, ended, ledger.entries, TODAY)

    def walk() -> None:
        for each in axes:
            for entry in ledger.entries:
                _ = each["arch"] in entry.arch

    seconds, bare = _best(all_cases), _best(walk)
    print(f"judging {len(CASES)} cases against {count} entries   {seconds:.3f} s")
    print(f"  ratio to a bare walk over them         {seconds / bare:.1f}")


def _updating(count: int, gone: int) -> None:
    text = _text(count)
    left = set(range(0, count, count // gone))
    records = []
    for number, case in enumerate(CASES):
        ended = _outcomes(number, number < count and number not in left)
        records.append(record(case.id, case, "matrix", Stage.COMPILE, ended, judge(case.axes(), ended, [], TODAY)))
    head = Head(
        started=datetime(2026, 6, 1, tzinfo=timezone.utc),
        profile="matrix",
        arch="hailo8",
        toolchain=BY.toolchain,
        version=BY.version,
        cases=len(CASES),
        chosen=len(CASES),
    )
    run = Run("20260601T000000Z", Path("run"), head, tuple(records), (), None)
    path = Path("ledger.yaml")
    seconds = _best(lambda: update(text, path, run, {}, TODAY), times=2)
    reading = _best(lambda: parse(text, path), times=2)
    done = update(text, path, run, {}, TODAY)
    lines = done.diff.splitlines()[2:]
    less, more = (sum(line.startswith(sign) for line in lines) for sign in "-+")
    print(f"update of {count} entries, {len(text.splitlines())} lines    {seconds:.2f} s")
    print(f"  ratio to reading them                  {seconds / reading:.1f}")
    print(f"  {len(done.changes)} entries and the budget change: {less} lines go, {more} come")
    again = update(done.after, path, run, {}, TODAY)
    print(f"  a second update changes {len(again.changes)} entries")


def _outcomes(number: int, fails: bool) -> Mapping[Stage, Outcome]:
    failure = Failure(stage="compile", family="unsupported_kernel", message=f"cause {number} ends", layers=("deconv1",))
    ended = {
        stage: Outcome(stage=stage, status=Status.PASSED, provenance=BY)
        for stage in (Stage.EXPORT, Stage.TRANSLATE, Stage.OPTIMIZE)
    }
    status = Status.FAILED if fails else Status.PASSED
    last = Outcome(stage=Stage.COMPILE, status=status, provenance=BY, failures=(failure,) if fails else ())
    return {**ended, Stage.COMPILE: last}


def _text(count: int) -> str:
    """A ledger with one entry for each of the first cases, its keys in any order, with comments."""
    rng = random.Random(5)
    parts = [f"# What is expected to fail.\nschema: 1\nbudget: {count}\nowner: the team\nentries:\n"]
    for number, case in enumerate(CASES[:count]):
        parts.append(rng.choice(["", f"  # number {number}\n", "  # two\n  # lines\n"]) + _entry(number, case, rng))
    return "".join(parts)


def _entry(number: int, case: Case, rng: random.Random) -> str:
    axes = [f"{axis}: {value}" for axis, value in case.axes().items() if axis in HEAD]
    rng.shuffle(axes)
    return f"""\
  - id: entry-{number}
    summary: number {number}
    where: {{{", ".join(axes)}}}
    stage: compile{rng.choice(["", "  # late"])}
    family: unsupported_kernel
    message: "cause {number} ends"
    toolchain: {{reference: "*"}}
    arch: [hailo8]
    evidence: a benchmark
    since: 2026-01-01
    review: 2126-01-01
{rng.choice(["", chr(10)])}"""


def _best(call: Callable[[], object], times: int = 5) -> float:
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


if __name__ == "__main__":
    main()
