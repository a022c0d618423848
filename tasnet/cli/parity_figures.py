"""Parity figures on the command line: measured, held against the limits, limits proposed from them, and the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from tasnet.common import counted, print_line, write_whole
from tasnet.suite.cases import Case, graph_case
from tasnet.suite.numerics import (
    StageFigure,
    ThresholdError,
    Thresholds,
    keep_figures,
    propose_thresholds,
    read_case_figures,
    read_figures,
    voices_summary,
    weights_label,
    worst_lines,
)
from tasnet.suite.run import Pipeline, Store


def measure_cases(cases: Sequence[Case], pipeline: Pipeline, compiler: Pipeline | None = None) -> Iterator[StageFigure]:
    """Every distinct graph of `cases` at every stage, a line printed for each; kept in the pipeline's store.

    What is kept already is not measured again, unless a compiler takes part: nobody knows its code.
    """
    # torch comes with them, and limits are proposed from what is kept without it
    from tasnet.suite.numerics import PARITY_STAGES, measure_case

    weights = weights_label(pipeline.recipe)
    distinct = list(dict.fromkeys(graph_case(pipeline.resolve(each)) for each in cases))
    for number, case in enumerate(distinct, 1):
        known = read_case_figures(pipeline.store, case.id, weights, PARITY_STAGES) if compiler is None else ()
        found = known or measure_case(case, pipeline, compiler=compiler)
        if not known:
            keep_figures(pipeline.store, found)
        figures = ", ".join(f"{each.stage} {each.snr_db:.1f} dB" for each in found)
        print_line(f"{number}/{len(distinct)} {case.id}, {weights}: {figures}{' (kept)' if known else ''}")
        yield from found


def stored_figures(store: Store) -> list[StageFigure]:
    """What is kept in a store, of the code as it is; a line says how much. Raises ThresholdError."""
    found = list(read_figures(store))
    if not found:
        raise ThresholdError(
            f"{store.root}: no runs of this code are kept; run pytest -m numerics, or name --case or --profile"
        )
    cases = counted(len({each.named for each in found}), "case")
    print_line(f"{store.root}: {counted(len(found), 'figure')} of {cases} kept")
    return found


def how(runs: Sequence[StageFigure]) -> str:
    """What a limit was proposed from, in a few words: they stand beside it."""
    weights = sorted({each.weights for each in runs})
    own = all(each.startswith("tasnet:") for each in weights)
    return f"{', '.join(weights)}; one mixture, {'voices of the package' if own else voices_summary()}"


def print_breaches(limits: Thresholds, runs: Sequence[StageFigure]) -> bool:
    """Prints the worst of each form and stage, and what is beyond the limits; True if nothing is."""
    path, breaches = limits.path, limits.check(runs)
    for line in worst_lines(runs, limits):
        print_line(line)
    for breach in breaches:
        print_line(str(breach))
    print_line(f"{path}: {len(runs)} measured, {len(breaches)} beyond their limits")
    return not breaches


def print_proposal(
    limits: Thresholds, runs: Sequence[StageFigure], today: date, *, write_it: bool = False, allow_looser: str = ""
) -> bool:
    """Prints the difference that `runs` make to the file of the limits, and writes it if asked.

    False where a limit would have to get looser: those lines are left as they are, the tighter ones are written all
    the same.
    """
    path = limits.path
    if not runs:
        raise ThresholdError(f"{path}: no runs to propose from; name --case or --profile")
    made = propose_thresholds(limits, runs, today=today, how=how(runs), allow_looser=allow_looser)
    print(made.diff, end="")
    for line in made.left:
        print_line(f"left: {line}")
    for line in made.refused:
        print_line(f"refused: {line}")
    if not made.diff:
        print_line(f"{path}: nothing to change")
    elif write_it:
        write_whole(path, made.text.encode())
        print_line(f"{path}: written")
    return not made.refused


def write_cases_page(path: Path, cases: Sequence[Case], pipeline: Pipeline, limits: Thresholds) -> bool:
    """Writes the parity page of every distinct graph of `cases`; False where something is beyond its limit."""
    from tasnet.suite.numerics import full_parity_report, write_parity_page

    distinct = list(dict.fromkeys(graph_case(each) for each in cases))
    report = full_parity_report(distinct, pipeline, thresholds=limits, say=_print_progress)
    write_parity_page(path, report)
    breaches = [breach for row in report.rows for breach in row.breaches]
    for breach in breaches:
        print_line(str(breach))
    print_line(f"{path}: {counted(len(report.rows), 'case')}, {counted(len(breaches), 'figure')} beyond their limits")
    return not breaches


def _print_progress(what: str) -> None:
    print_line(what, error=True)
