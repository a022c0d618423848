"""What to compile next: `tasnet suggest`, and the sweep that asks in that order until nothing is open."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tasnet.cli.evidence import ProfileOption, asked_cases, show_news
from tasnet.cli.options import (
    NOT_CLEAR,
    OK,
    Arch,
    AsJson,
    RootAt,
    StoreAt,
    UsageError,
    known_arch,
    print_assumed,
    show,
    store_at,
    writable,
)
from tasnet.common import counted, print_line

if TYPE_CHECKING:
    from tasnet.suite.ask import Asked, Survey, SurveyMaker
    from tasnet.suite.cases import Case
    from tasnet.suite.run import Pipeline, RunOptions

Plans = Annotated[list[Path] | None, typer.Option("--plan", metavar="PLAN", help="a plan's folder; repeat for more")]
Hours = Annotated[float | None, typer.Option(metavar="H", help="what the compiles may take together, as expected")]


def suggest(
    profile: ProfileOption = "all",
    plan: Plans = None,
    hours: Hours = None,
    most: Annotated[int, typer.Option("-n", metavar="N", min=1, help="compiles, at most")] = 8,
    arch: Arch = "hailo8",
    store: StoreAt = None,
    root: RootAt = None,
    page: Annotated[
        Path | None, typer.Option(writable=True, metavar="FILE", help="write all of it as a page, too: .html")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Say which few compiles to run next, and in which order.

    Those whose answers decide most per hour, with their files. Asked about are the distinct graphs of the profiles, the
    segments of plans, and the bracket of rows. What the store's evidence says is known already; what follows of it is
    inferred. No compiler is needed.

    Example: tasnet suggest --profile probes --hours 2
    """
    from tasnet.suite.ask import suggest as suggested
    from tasnet.suite.ask import suggested_json, suggested_lines, write_questions_page
    from tasnet.suite.run import Recipe, ToolchainOptions, open_pipeline

    known_arch(arch)
    if hours is not None and not hours > 0:
        raise UsageError(f"--hours {hours:g}: more than 0")
    if page is not None:
        writable(page)
    cases = asked_cases(profile, arch, plan)
    pipeline = open_pipeline(store_at(store, root), ToolchainOptions(arch=arch), Recipe())
    _, first = survey_maker_of(pipeline, cases, plan or (), arch)
    found = suggested(first, most=most, hours=hours)
    if page is not None:
        write_questions_page(page, found)
    show(suggested_json(found, pipeline.store) if as_json else suggested_lines(found, pipeline.store))
    return OK


def survey_maker_of(
    pipeline: Pipeline, cases: tuple[Case, ...], plans: Sequence[Path], arch: str, *, evidence: bool = True
) -> tuple[SurveyMaker, Survey]:
    """What makes surveys of these cases and plans, and the first. What can't be read is said on stderr.

    Raises PlanError.
    """
    from tasnet.suite.ask import SurveyMaker
    from tasnet.suite.cases import graph_key
    from tasnet.suite.report import ProgressBar

    # What was never read takes a while: a terminal sees how far it is.
    graphs = len({graph_key(pipeline.resolve(case)) for case in cases})
    progress = ProgressBar(sys.stderr, graphs, ("read",)) if sys.stderr.isatty() and graphs else None

    def on_read(case: Case) -> None:
        if progress:
            progress.step("read", case.id)

    survey_maker = SurveyMaker(pipeline, cases, plans, arch, evidence=evidence, on_read=on_read)
    try:
        first = survey_maker.now()
    finally:
        if progress:
            progress.stop()
    for left in survey_maker.unread:
        print_line(
            f"note: {counted(len(left.cases), 'case')} can't be asked about ({left.cases[0]}): {left.why}", error=True
        )
    return survey_maker, first


def sweep_until_decided(
    options: RunOptions, profile: str, plans: list[Path], hours: float | None, scheduler: str, workers: int
) -> int:
    """Compiles the questions of a profile and of plans in the order of their worth, until nothing of them is open."""
    from contextlib import nullcontext

    from tasnet.hailo.predict import Reference
    from tasnet.suite.ask import ask_here, ask_on_workers, decide, open_informed_pipeline, sweep_lines
    from tasnet.suite.observed import everything_observed, open_workers
    from tasnet.suite.run import Pipeline

    if hours is not None and not hours > 0:
        raise UsageError(f"--hours {hours:g}: more than 0")
    cases = asked_cases(profile, options.arch, plans)
    root = options.store_root()
    pipeline = open_informed_pipeline(root, options.toolchain_options(), options.recipe())
    print_assumed(pipeline)
    tool, known = pipeline.toolchain, everything_observed(pipeline.store)
    # Whatever toolchain is asked, its questions are read by the embedded one.
    reader = Pipeline(pipeline.store, Reference(), pipeline.recipe)
    survey_maker, _ = survey_maker_of(reader, cases, plans, options.arch, evidence=not tool.predicted)
    here = not scheduler and workers == 1
    with nullcontext() if here else open_workers(pipeline, scheduler=scheduler, workers=workers) as over:
        ask = ask_here(pipeline, options.arch) if over is None else ask_on_workers(over, options.arch)

        def on_answer(asked: Asked, survey: Survey) -> None:
            what = {True: "compiled", False: "failed", None: "broke down"}[asked.compiled]
            why = f" ({asked.why})" if asked.why else ""
            check = f", as a check of what was {asked.inferred.text}" if asked.inferred else ""
            left = len([place for place in survey.open if survey.questions[place].stands_for])
            print_line(f"{what} {asked.question.name}{why}, {asked.seconds:.0f} s{check}; {left} were open", error=True)

        try:
            found = decide(survey_maker.now, ask, hours=hours, at_once=workers, on_answer=on_answer)
        except KeyboardInterrupt:
            print("\nstopped: what ended is kept; the same command goes on from there", file=sys.stderr)
            raise
    by = f"{'predicted by' if tool.predicted else 'observed with'} {tool.name} {tool.version}"
    show(sweep_lines(found, by))
    if not tool.predicted:
        show_news(cases, options.arch, pipeline.store, None, known)
    return NOT_CLEAR if found.left_open else OK
