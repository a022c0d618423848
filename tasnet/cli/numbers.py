"""The commands of the numbers: what a case sounds like, how far it is from PyTorch, and the limits of that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tasnet.cli.commands import Commands
from tasnet.cli.options import (
    NOT_CLEAR,
    OK,
    WEIGHTS,
    RootAt,
    StoreAt,
    UsageError,
    embedded,
    store_at,
    trained,
    with_run_options,
    writable,
)
from tasnet.cli.safe_outputs import output_option
from tasnet.common import utc_today, why_no_file

if TYPE_CHECKING:
    from tasnet.suite.numerics import StageFigure, Thresholds
    from tasnet.suite.run import RunOptions

limits = Commands(
    help="Hold parity against its limits, or propose new ones.",
    example="tasnet thresholds check --case concat-normal-grouped-all",
)


@with_run_options(*WEIGHTS, "store")
def listen(
    options: RunOptions,
    case: Annotated[
        str | None,
        typer.Argument(metavar="CASE", help="an id, a run tag of the notes, or axis=value pairs; default: as trained"),
    ] = None,
    more: Annotated[list[Path] | None, typer.Argument(metavar="WAV", help="the other voices to mix")] = None,
    mix: Annotated[
        list[Path] | None,
        typer.Option("--mix", metavar="WAV", help="one mixture, or the first voice to mix; default: tasnet's own two"),
    ] = None,
    output: Annotated[
        Path | None,
        output_option("FOLDER", "a folder, new or empty (default: heard-CASE)"),
    ] = None,
) -> int:
    """Write what every stage separates from a recording.

    As wavs, and a page with spectrograms and figures. Weights are those of tasnet:small where --checkpoint names no
    others. What is heard without --mix are two synthetic voices that come with tasnet.

    Example: tasnet listen -o heard
    """
    from tasnet.suite.cases import check_blocks, parse_case
    from tasnet.suite.numerics import SECONDS, SHIPPED, check_folder, listen_summary, separate_to_folder

    waves = [*(mix or ()), *(more or ())]
    if case is not None and case.lower().endswith(".wav"):
        # --mix a.wav b.wav: the second is no case.
        waves.insert(len(mix or ()), Path(case))
        case = None
    if waves and not mix:
        raise UsageError(f"{waves[0]}: name the recordings to mix with --mix")
    named = parse_case(AS_TRAINED if case is None else case)
    folder = output or Path(f"heard-{named.id}")
    # Before the weights are looked for: what is kept of them makes a store.
    check_folder(folder)
    for wave in waves:
        if why := why_no_file(wave):
            raise UsageError(f"{wave}: {why}; name a wav")
    pipeline = embedded(trained(options, [named]))
    check_blocks(named.variant, pipeline.resolve(named).size)
    heard = separate_to_folder(named, waves or SHIPPED[:2], folder, pipeline, seconds=SECONDS if waves else HEARD)
    print(listen_summary(heard, folder))
    return OK


AS_TRAINED = "split-normal-polyphase-all+norm=gln+activation=prelu+T=32000"
"""the form of a published network, for four seconds at 8 kHz"""
HEARD = 4.0
"""seconds of the voices that come with tasnet"""


@with_run_options(*WEIGHTS, "store")
def parity(
    options: RunOptions,
    output: Annotated[Path, output_option("HTML", "the page to write")],
    case: Annotated[list[str], typer.Option("--case", metavar="CASE", help="an id; repeats")],
) -> int:
    """Write the parity of cases at every stage as a page.

    Of those that are named alone: tables by form and layer, and 8 bits layer by layer; of gLN its error over the
    length; of the weights' own function what 8 bits cost in dB of separation. Takes minutes. Weights are those of
    tasnet:small where --checkpoint names no others. Exits 1 for a figure beyond its limit in thresholds.yaml.

    Example: tasnet parity --case split-normal-polyphase-all -o parity.html
    """
    from tasnet.cli.parity_figures import write_cases_page
    from tasnet.suite.cases import check_blocks, parse_case

    writable(output)
    cases = [parse_case(each) for each in case]
    options = trained(options, cases)
    options.recipe()
    limits = _limits(None, options.root)
    pipeline = embedded(options)
    for each in cases:
        check_blocks(each.variant, pipeline.resolve(each).size)
    return OK if write_cases_page(output, cases, pipeline, limits) else NOT_CLEAR


Cases = Annotated[list[str] | None, typer.Option("--case", metavar="CASE", help="an id; repeats")]
Profiles = Annotated[
    list[str] | None,
    typer.Option("--profile", metavar="NAME", help="matrix, notes, probes, faithful, trained; repeats"),
]
Seeds = Annotated[
    list[int] | None, typer.Option("--seed", metavar="N", help="of the drawn weights (default 0); repeats")
]
Limits = Annotated[Path | None, typer.Option(metavar="FILE", help="the limits (default: thresholds.yaml in the root)")]


@limits.command()
def check(
    case: Cases = None,
    profile: Profiles = None,
    seed: Seeds = None,
    file: Limits = None,
    store: StoreAt = None,
    root: RootAt = None,
) -> int:
    """Hold cases against the limits.

    Those named are measured at every stage; without names, what the store has kept is read. Exits 1 for one beyond
    them.

    Example: tasnet thresholds check --case concat-normal-grouped-all
    """
    from tasnet.cli.parity_figures import print_breaches

    known = _limits(file, root)
    return OK if print_breaches(known, _runs(case, profile, seed, store, root)) else NOT_CLEAR


@limits.command()
def propose(
    case: Cases = None,
    profile: Profiles = None,
    seed: Seeds = None,
    file: Limits = None,
    write: Annotated[bool, typer.Option("--write", help="write the file; else the difference is only shown")] = False,
    allow_looser: Annotated[str, typer.Option(metavar="REASON", help="why a limit may get looser")] = "",
    store: StoreAt = None,
    root: RootAt = None,
) -> int:
    """Propose limits from the runs that the store has kept.

    Tighter ones, and looser ones only with a reason. `pytest -m numerics` keeps what it measures. Cases that are named
    are measured first, unless they are kept already.

    Example: tasnet thresholds propose --profile faithful --seed 0 --seed 1
    """
    from tasnet.cli.parity_figures import print_proposal, stored_figures
    from tasnet.suite.run import Store

    known = _limits(file, root)
    _runs(case, profile, seed, store, root)
    runs = stored_figures(Store(store_at(store, root)))
    return OK if print_proposal(known, runs, utc_today(), write_it=write, allow_looser=allow_looser) else NOT_CLEAR


def _limits(given: Path | None, root: Path | None) -> Thresholds:
    """The limits that are given, else the root's. Raises ThresholdError, RootError."""
    from tasnet.suite.ledger import from_here, root_folder
    from tasnet.suite.numerics import THRESHOLDS_FILE, read_thresholds

    return read_thresholds(given or from_here(root_folder(root) / THRESHOLDS_FILE))


def _runs(
    cases: list[str] | None,
    profiles: list[str] | None,
    seeds: list[int] | None,
    store: Path | None,
    root: Path | None,
) -> list[StageFigure]:
    """What was named, measured now or kept before; with nothing named, all that is kept."""
    from dataclasses import replace

    from tasnet.cli.parity_figures import measure_cases, stored_figures
    from tasnet.suite.cases import parse_case, profile_cases
    from tasnet.suite.run import RunOptions, Store

    named = [parse_case(each) for each in cases or ()] + [
        case for each in profiles or () for case in profile_cases(each)
    ]
    if not named:
        if seeds:
            raise UsageError("--seed needs cases to draw weights for; add --case or --profile")
        return stored_figures(Store(store_at(store, root)))
    pipeline = embedded(RunOptions(store=store, root=root))
    given = [replace(pipeline, recipe=replace(pipeline.recipe, seed=seed)) for seed in seeds or (0,)]
    return [figure for each in given for figure in measure_cases(named, each)]
