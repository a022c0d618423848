"""The commands of the numbers: what a case sounds like, how far it is from PyTorch, and the limits of that."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tasnet.cli.options import NOT_CLEAR, OK, Checkpoint, StoreAt, embedded, writable

limits = typer.Typer(help="Limits of parity: held against runs, or proposed from them.", rich_markup_mode=None)


def listen(
    case: Annotated[str, typer.Argument(metavar="CASE", help="an id, a run tag of the notes, or axis=value pairs")],
    mix: Annotated[list[Path], typer.Option("--mix", metavar="WAV", help="one mixture, or voices to mix; repeats")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="a folder, new or empty")],
    checkpoint: Checkpoint = None,
    store: StoreAt = None,
) -> int:
    """Write what every stage separates from a recording, as wavs and a page with spectrograms and figures.

    Example: tasnet listen split-normal-polyphase-all --mix a.wav --mix b.wav -o heard
    """
    from tasnet.suite.case import parse
    from tasnet.suite.listen import listen as listened
    from tasnet.suite.listen import shown

    print(shown(listened(parse(case), mix, output, embedded(store, checkpoint)), output))
    return OK


def parity(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="HTML", help="the page to write")],
    case: Annotated[list[str], typer.Option("--case", help="an id; repeats")],
    checkpoint: Checkpoint = None,
    store: StoreAt = None,
) -> int:
    """Write the parity of cases at every stage as a page: tables per form and layer, error over length, 8-bit curve.

    Takes minutes a case. Exits 1 for a figure beyond its limit in thresholds.yaml.

    Example: tasnet parity --case split-normal-polyphase-all -o parity.html
    """
    from tasnet.suite.case import parse
    from tasnet.suite.numerics_shown import page_written

    writable(output)
    file = Path("thresholds.yaml")
    fine = page_written(output, [parse(each) for each in case], embedded(store, checkpoint), file)
    return OK if fine else NOT_CLEAR


@limits.command()
def check(
    case: Annotated[list[str], typer.Option("--case", help="an id; repeats")],
    file: Annotated[Path, typer.Option(help="the limits")] = Path("thresholds.yaml"),
    store: StoreAt = None,
) -> int:
    """Measure cases at every stage and hold them against the limits. Exits 1 for one beyond them.

    Example: tasnet thresholds check --case concat-normal-grouped-all
    """
    from tasnet.suite.case import parse
    from tasnet.suite.numerics_shown import checked, measured

    return OK if checked(file, list(measured([parse(each) for each in case], embedded(store, None)))) else NOT_CLEAR


@limits.command()
def propose(
    case: Annotated[list[str], typer.Option("--case", help="an id; repeats")],
    file: Annotated[Path, typer.Option(help="the limits")] = Path("thresholds.yaml"),
    write: Annotated[bool, typer.Option("--write", help="write the file; else the difference is only shown")] = False,
    allow_looser: Annotated[str, typer.Option(metavar="REASON", help="why a limit may get looser")] = "",
    store: StoreAt = None,
) -> int:
    """Propose limits from measured cases: tighter ones, and looser ones only with a reason.

    Example: tasnet thresholds propose --case concat-normal-grouped-all
    """
    from datetime import date

    from tasnet.suite.case import parse
    from tasnet.suite.numerics_shown import measured, proposed

    runs = list(measured([parse(each) for each in case], embedded(store, None)))
    how = "tasnet thresholds propose " + " ".join(f"--case {each}" for each in case)
    fine = proposed(file, runs, how, date.today(), write_it=write, allow_looser=allow_looser)
    return OK if fine else NOT_CLEAR
