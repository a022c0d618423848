"""The numerics on a command line: thresholds held against runs or proposed from them, and the parity page."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from tasnet.suite.case import Case, graph
from tasnet.suite.measure import measure
from tasnet.suite.parity_report import real
from tasnet.suite.pipeline import Pipeline
from tasnet.suite.report.parity_page import write
from tasnet.suite.thresholds import Measured, ThresholdError, propose, read


def measured(cases: Sequence[Case], pipeline: Pipeline, compiler: Pipeline | None = None) -> Iterator[Measured]:
    """Every distinct graph of `cases` at every stage, a line printed for each."""
    for case in dict.fromkeys(graph(each) for each in cases):
        found = measure(case, pipeline, compiler=compiler)
        print(f"{case.id}: " + ", ".join(f"{each.stage} {each.snr_db:.1f} dB" for each in found), flush=True)
        yield from found


def checked(path: Path, runs: Sequence[Measured]) -> bool:
    """Prints what is beyond the limits of the file at `path`; True if nothing is."""
    breaches = read(path).check(runs)
    for breach in breaches:
        print(breach)
    print(f"{path}: {len(runs)} measured, {len(breaches)} beyond their limits")
    return not breaches


def proposed(
    path: Path, runs: Sequence[Measured], how: str, today: date, *, write_it: bool = False, allow_looser: str = ""
) -> bool:
    """Prints the difference that `runs` make to the file at `path`, and writes it if asked.

    `how` is the command that repeats the runs. False where a limit would have to get looser: those lines are left as
    they are, the tighter ones are written all the same.
    """
    if not runs:
        raise ThresholdError(f"{path}: no runs to propose from; name a profile or cases")
    made = propose(read(path), runs, today=today, how=how, allow_looser=allow_looser)
    print(made.diff, end="")
    for line in made.left:
        print(f"left: {line}")
    for line in made.refused:
        print(f"refused: {line}")
    if not made.diff:
        print(f"{path}: nothing to change")
    elif write_it:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
        try:
            temporary.write_text(made.text, encoding="utf-8")
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        print(f"{path}: written")
    return not made.refused


def page_written(
    path: Path, cases: Sequence[Case], pipeline: Pipeline, thresholds: Path, compiler: Pipeline | None = None
) -> bool:
    """Writes the parity page of every distinct graph of `cases`; False where something is beyond its limit."""
    limits = read(thresholds) if thresholds.is_file() else None
    distinct = list(dict.fromkeys(graph(each) for each in cases))
    report = real(distinct, pipeline, thresholds=limits, compiler=compiler)
    write(path, report)
    breaches = [breach for row in report.rows for breach in row.breaches]
    for breach in breaches:
        print(breach)
    print(f"{path}: {len(report.rows)} cases, {len(breaches)} figures beyond their limits")
    return not breaches
