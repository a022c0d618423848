"""A sweep as a person sees it: what it runs, how far it is, how it ended, and the command that reads the outcomes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tasnet.common import print_line
from tasnet.suite.cases import Case, Verdict
from tasnet.suite.observed import SweepResult, SweptGraph, cases_by_graph, sweep
from tasnet.suite.report import ProgressBar, ProgressLines
from tasnet.suite.run import CaseCalibration, Pipeline, Recipe, ToolchainOptions, open_store, open_toolchain


def shown(
    cases: Sequence[Case], choice: ToolchainOptions, root: Path, recipe: Recipe, scheduler: str, workers: int
) -> SweepResult:
    """Runs the sweep and prints; progress goes to stderr. Raises the package's own errors."""
    tool = open_toolchain(choice)
    fit = CaseCalibration(choice.calibration, root) if choice.calibration else None
    pipeline = Pipeline(open_store(root), tool, recipe, fit=fit)
    sized = [pipeline.resolve(case) for case in cases]
    for line in pipeline.assumed:
        print_line(f"note: {line}", error=True)
    count = len(cases_by_graph(sized))
    said = "predicted by" if tool.predicted else "observed with"
    where = scheduler or f"{workers} process{'es' * (workers != 1)} of this machine"
    print_line(f"{count} distinct graphs in {len(cases)} cases, {said} {tool.name} {tool.version}, on {where}")
    if warning := getattr(tool, "warning", ""):
        print_line(f"warning: {warning}", error=True)
    usual = (Verdict.CLEAR_OBSERVED.word, Verdict.BLOCKED.word)
    lines = ProgressLines(lambda text: print_line(text, error=True), count, usual)
    progress = ProgressBar(sys.stderr, count, usual) if sys.stderr.isatty() else lines

    def tell(done: SweptGraph) -> None:
        progress.step(done.verdict.word, done.cases[0].id)

    try:
        swept = sweep(sized, pipeline, scheduler=scheduler, workers=workers, tell=tell)
    except KeyboardInterrupt:
        print("\nstopped: what ended is kept; the same command goes on from there", file=sys.stderr)
        raise
    finally:
        progress.stop()
    verdicts = ", ".join(f"{number} {verdict.value}" for verdict, number in swept.counts.items())
    print_line(f"{'predicted' if tool.predicted else 'observed'} {verdicts}")
    for done in swept.unlearned:
        print_line(f"  {done.verdict.word} {done.cases[0].id}: {done.reason}")
    print_line(f"outcomes  {root}; read them with: tasnet matrix and the same options")
    return swept
