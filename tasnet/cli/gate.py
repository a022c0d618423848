"""The command of the gate: what a change of the model did to every graph, against another revision."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tasnet.cli.options import NOT_CLEAR, OK, AsJson, Profile, show, with_run_options, writable
from tasnet.common import print_line

if TYPE_CHECKING:
    from tasnet.suite.run import RunOptions

STOPPED = 130
"""as a shell counts what Ctrl-C ended"""


@with_run_options()
def gate(
    options: RunOptions,
    base: Annotated[str, typer.Option("--base", metavar="REV", help="the revision to compare with, as git names it")],
    profile: Profile = "matrix",
    markdown: Annotated[
        Path | None, typer.Option(writable=True, metavar="FILE", help="write the summary there too")
    ] = None,
    uncommitted: Annotated[
        bool, typer.Option("--uncommitted", help="judge files that aren't committed too; else they stop the gate")
    ] = False,
    as_json: AsJson = False,
    workers: Annotated[
        int,
        typer.Option(
            "-n", metavar="N", min=0, help="processes; without it one a core, and one alone with the compiler"
        ),
    ] = 0,
) -> int:
    """Say what a change of the model made better or worse.

    Which graphs changed, how, and whether verdict, parity or size got worse. It runs the code of both revisions with
    your rights: don't name a stranger's on a machine with anything to lose.

    Exits 0 when nothing did, 1 when something did, 2 when the two can't be compared.

    Example: tasnet gate --base main --markdown gate.md
    """
    from tasnet.common import write_whole
    from tasnet.suite.gate import GateRequest, markdown_lines, result_json, run_gate
    from tasnet.suite.ledger import root_folder

    if markdown:
        writable(markdown)
    root = root_folder(options.root)
    choice = options.toolchain_options()
    processes = workers or (1 if choice.name == "dfc" else os.cpu_count() or 1)
    request = GateRequest(root, base, profile, choice, options.store_root(), options.recipe(), uncommitted, processes)
    try:
        result = run_gate(request, lambda text: print_line(f"tasnet gate: {text}", error=True))
    except KeyboardInterrupt:
        print(
            "tasnet: stopped; the base's worktree is removed, what was worked out is kept in the store", file=sys.stderr
        )
        return STOPPED
    if markdown:
        write_whole(markdown, ("\n".join(markdown_lines(result)) + "\n").encode())
    show(result_json(result) if as_json else markdown_lines(result))
    return OK if result.passed else NOT_CLEAR
