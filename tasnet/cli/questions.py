"""The commands that ask in the right order: what to compile next, and what was learned of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tasnet.cli.options import OK, Arch, AsJson, StoreAt, UsageError, known_arch, show, store_at
from tasnet.common import print_line

if TYPE_CHECKING:
    from tasnet.suite.ask import Board
    from tasnet.suite.cases import Case
    from tasnet.suite.run import Pipeline

Asked = Annotated[str, typer.Option("--profile", help="matrix, notes, probes or faithful; all of them, or none")]
Plans = Annotated[list[Path] | None, typer.Option("--plan", metavar="PLAN", help="a plan's folder; repeat for more")]
Hours = Annotated[float | None, typer.Option(help="what the compiles may take together, as expected")]


def suggest(
    profile: Asked = "all",
    plan: Plans = None,
    hours: Hours = None,
    most: Annotated[int, typer.Option("-n", min=1, help="compiles, at most")] = 8,
    arch: Arch = "hailo8",
    store: StoreAt = None,
    as_json: AsJson = False,
) -> int:
    """Say which few compiles to run next, in order: those whose answers decide most per hour, with their files.

    Asked about are the distinct graphs of the profiles, the segments of plans, and the bracket of rows. What the
    store's evidence says is known already; what follows of it is inferred. No compiler is needed.

    Example: tasnet suggest --profile probes --hours 2
    """
    from tasnet.suite.ask import suggest as suggested
    from tasnet.suite.ask import suggested_json, suggested_lines
    from tasnet.suite.run import Recipe, ToolchainOptions, open_pipeline

    known_arch(arch)
    if hours is not None and not hours > 0:
        raise UsageError(f"--hours {hours:g}: more than 0")
    cases = asked_cases(profile, arch, plan)
    pipeline = open_pipeline(store_at(store), ToolchainOptions(arch=arch), Recipe())
    found = suggested(board_of(pipeline, cases, plan or (), arch), pipeline.store, most=most, hours=hours)
    show(suggested_json(found) if as_json else suggested_lines(found))
    return OK


def asked_cases(profile: str, arch: str, plans: list[Path] | None) -> tuple[Case, ...]:
    """The cases that are asked about: of one profile, of all, or none beside plans. Raises UsageError, CaseError."""
    from tasnet.suite.cases import PROFILES, profile_cases

    if profile == "none" and not plans:
        raise UsageError("--profile none: ask about what? name a plan with --plan")
    names = [] if profile == "none" else PROFILES if profile == "all" else [profile]
    return tuple(dict.fromkeys(case for name in names for case in profile_cases(name, arch)))


def board_of(pipeline: Pipeline, cases: tuple[Case, ...], plans: list[Path] | tuple[Path, ...], arch: str) -> Board:
    """The board of these cases and plans. What can't be read is said on stderr. Raises UsageError and PlanError."""
    from tasnet.suite.ask import board, case_questions, heard, plan_questions
    from tasnet.suite.cases import graph_key
    from tasnet.suite.report import ProgressBar

    known = heard(pipeline.store, arch)
    segments = []
    for each in plans:
        questions, read = plan_questions(each, known.bracket)
        if read.arch != arch:
            raise UsageError(f"--plan {each}: made for {read.arch}; give --arch {read.arch}")
        segments += questions
    # What was never read takes a while: a terminal sees how far it is.
    graphs = len({graph_key(pipeline.resolve(case)) for case in cases})
    progress = ProgressBar(sys.stderr, graphs, ("read",)) if sys.stderr.isatty() and graphs else None
    try:
        asked, unread = case_questions(
            pipeline, cases, known.bracket, lambda case: progress.step("read", case.id) if progress else None
        )
    finally:
        if progress:
            progress.stop()
    for left in (*unread, *known.unread):
        print_line(f"note: {len(left.cases)} cases can't be asked about ({left.cases[0]}): {left.why}", error=True)
    return board((*asked, *segments), known.told, arch)
