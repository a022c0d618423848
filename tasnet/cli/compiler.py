"""The commands around the compiler: calibration data, its emulation, a sweep of many graphs, its logs, its old runs."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tasnet.cli.options import (
    NOT_CLEAR,
    OK,
    WEIGHTS,
    Arch,
    AsJson,
    LedgerAt,
    Profile,
    RootAt,
    StoreAt,
    UsageError,
    known_arch,
    print_assumed,
    readable,
    show,
    store_at,
    usual_ledger,
    with_run_options,
    writable,
)
from tasnet.cli.safe_outputs import check_outputs_are_not_inputs, output_option
from tasnet.common import counted, print_line

if TYPE_CHECKING:
    from tasnet.suite.run import RunOptions


def calibrate(
    recordings: Annotated[
        Path, typer.Argument(metavar="FOLDER|FILE.npz", help="wavs, or arrays NT, NCT, NCHW or NHWC")
    ],
    case: Annotated[
        str, typer.Option("--case", metavar="CASE", help="an id, a run tag of the notes, or axis=value pairs")
    ],
    output: Annotated[Path | None, output_option("NPY", "the data, for optimize")] = None,
    as_json: AsJson = False,
) -> int:
    """Say what the compiler would be calibrated on for a case.

    The layout recognised, levels, what is left out. The runs do this by themselves; here it is seen before hours of
    quantization. With -o the array (N, H, W, C) is written, and the report beside it.

    Example: tasnet calibrate speech --case baseline -o calibration.npy
    """
    from tasnet.suite.cases import parse_case
    from tasnet.suite.run import calibration_lines, load_calibration, save_calibration

    if output is not None:
        writable(output)
        check_outputs_are_not_inputs([output.with_suffix(ending) for ending in (".npy", ".json")], [recordings])
    made = load_calibration(recordings, parse_case(case))
    show(made.report.as_json() if as_json else calibration_lines(made.report))
    if output is not None:
        save_calibration(made, output)
    return OK


@with_run_options("arch", *WEIGHTS, "store", "dfc_python", "limit", "calibration", "script", "quick")
def emulate(
    options: RunOptions,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="compiled files, <case id>.hef")],
    windows: Annotated[int, typer.Option(metavar="N", min=1, help="windows of speech that each is given")] = 2,
) -> int:
    """Write what the compiler's emulation makes of speech.

    Bit-exact, beside each compiled file, for `pytest -m device`. Needs the compiler, and the options and the store that
    the files were compiled with. Exits 1 when it offers none.

    Example: tasnet emulate .tasnet/runs/20260217T101500Z/hef
    """
    import numpy as np

    from tasnet.suite.numerics import EmulationError, host_frames, mixtures
    from tasnet.suite.observed import DeviceError, emulate_bit_exact, hefs_by_case, write_emulation
    from tasnet.suite.run import open_compiler, open_pipeline

    root, recipe = options.store_root(), options.recipe()
    choice = replace(options, toolchain="dfc").toolchain_options()
    found = hefs_by_case(folder, options.arch)
    if not found:
        raise DeviceError(f"{folder}: no .hef in it; name a run's hef folder")
    dfc = open_compiler(choice)
    pipeline = open_pipeline(root, choice, recipe, toolchain=dfc)
    print_assumed(pipeline)
    left_out = 0
    for case, hef in found:
        waves = np.stack([each.mix for each in mixtures(windows, case.length)])
        try:
            frames = host_frames(case.variant, case.size, waves)
            file = write_emulation(emulate_bit_exact(pipeline, case, hef, frames), hef)
            by = f"{dfc.name} {dfc.version}{', a test double: no chip is held against it' if dfc.double else ''}"
            print_line(f"{file}: {windows} windows by {by}")
        except EmulationError as error:
            left_out += 1
            print_line(f"{hef.name}: left out: {error}")
    return NOT_CLEAR if left_out else OK


@with_run_options()
def sweep(
    options: RunOptions,
    profile: Profile = "matrix",
    scheduler: Annotated[str, typer.Option(metavar="tcp://HOST:PORT", help="of a cluster that runs already")] = "",
    workers: Annotated[int, typer.Option("-n", metavar="N", min=1, help="worker processes on this machine")] = 1,
    until: Annotated[str, typer.Option(metavar="decided", help="compile only what doesn't follow of the rest")] = "",
    hours: Annotated[
        float | None, typer.Option(metavar="H", help="with --until: begin no compile expected to end later")
    ] = None,
    plan: Annotated[list[Path] | None, typer.Option(metavar="PLAN", help="with --until: its segments, too")] = None,
) -> int:
    """Run the distinct graphs of a profile on many machines.

    Or on many processes of this one; the tests then read the outcomes. Needs tasnet[cluster]. Safe to stop and start
    again. Exits 0 when every graph has an outcome, 1 when a tool broke down on one: start it again.

    With --until decided the graphs are compiled in the order of `tasnet suggest`, which is asked again after each
    answer; what is inferred is not compiled, but for a check of five at the end. One process needs no cluster. Exits 0
    when nothing is open, 1 when something is. --profile all has every profile, none only the plans.

    Example: tasnet sweep --profile notes --toolchain reference -n 2
    """
    if until not in ("", "decided"):
        raise UsageError(f"--until {until}: unknown; decided")
    if not until and (hours is not None or plan):
        raise UsageError(f"{'--plan' if plan else '--hours'}: only with --until decided")
    if until:
        from tasnet.cli.suggesting import sweep_until_decided

        return sweep_until_decided(options, profile, plan or [], hours, scheduler, workers)
    from tasnet.suite.ask import open_informed_pipeline
    from tasnet.suite.cases import Verdict, profile_cases
    from tasnet.suite.observed import cases_by_graph
    from tasnet.suite.observed import sweep as swept_over
    from tasnet.suite.report import ProgressBar, ProgressLines

    cases = profile_cases(profile, options.arch)
    root = options.store_root()
    pipeline = open_informed_pipeline(root, options.toolchain_options(), options.recipe())
    tool = pipeline.toolchain
    sized = [pipeline.resolve(case) for case in cases]
    print_assumed(pipeline)
    count = len(cases_by_graph(sized))
    by = f"{'predicted by' if tool.predicted else 'observed with'} {tool.name} {tool.version}"
    where = scheduler or f"{workers} process{'es' * (workers != 1)} of this machine"
    print_line(f"{count} distinct graphs in {counted(len(cases), 'case')}, {by}, on {where}")
    if warning := getattr(tool, "warning", ""):
        print_line(f"warning: {warning}", error=True)
    usual = (Verdict.CLEAR_OBSERVED.word, Verdict.BLOCKED.word)
    lines = ProgressLines(lambda text: print_line(text, error=True), count, usual)
    progress = ProgressBar(sys.stderr, count, usual) if sys.stderr.isatty() else lines
    try:
        swept = swept_over(
            sized,
            pipeline,
            scheduler=scheduler,
            workers=workers,
            tell=lambda done: progress.step(done.verdict.word, done.cases[0].id),
        )
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
    return NOT_CLEAR if swept.unlearned else OK


def classify(
    logs: Annotated[list[Path], typer.Argument(metavar="LOG", help="logs of the compiler, of any size")],
    as_json: AsJson = False,
) -> int:
    """Say how a compiler's logs end, and which failure they name.

    Family, stage, layers, figures, the first cause and the last event.

    Exits 0 when every log ends in a success, 1 when one fails or ends in neither, 2 for what can't be read as a log.

    Example: tasnet classify build.log --json
    """
    from tasnet.cli import log_lines
    from tasnet.hailo.logs import LogEnd, read_log

    found = [(str(log), read_log(readable(log, "a log"))) for log in logs]
    show(
        [log_lines.as_json(*each) for each in found]
        if as_json
        else chain.from_iterable(log_lines.lines(*each) for each in found)
    )
    return OK if all(summary.end is LogEnd.SUCCEEDED for _, summary in found) else NOT_CLEAR


def import_runs(
    source: Annotated[Path, typer.Argument(metavar="FOLDER|summary.tsv", help="night runs, or one table of them")],
    store: StoreAt = None,
    root: RootAt = None,
    dfc_version: Annotated[str, typer.Option(metavar="VERSION", help="where neither table nor log says it")] = "",
    arch: Arch = "hailo8",
    ledger: LedgerAt = None,
    profile: Annotated[
        str, typer.Option(metavar="PROFILE", help="whose cases are told of where their verdict changes")
    ] = "none",
) -> int:
    """Keep old runs of the compiler as observed evidence.

    And say which entries of the ledger they support.

    What they change is said, too: the rows' bracket, refuted hypotheses, entries to look at, and verdicts of a profile.

    Exits 0 when there is evidence in it, 1 when every row was left out.

    Example: tasnet import-runs night_runs2 --dfc-version 3.33.0
    """
    from tasnet.cli.evidence import asked_cases, show_news
    from tasnet.suite.notes import import_night_runs
    from tasnet.suite.observed import all_evidence, everything_observed, evidence_by_entry
    from tasnet.suite.run import Store

    known_arch(arch)
    found = usual_ledger(ledger, root)
    entries = found.entries if found else ()
    cases = asked_cases(profile, arch, None) if profile != "none" else ()
    kept_in = Store(store_at(store, root))
    known = everything_observed(kept_in)
    done = import_night_runs(kept_in, source, version=dfc_version, arch=arch)
    print_line(f"{source}: kept {done.kept}, known {done.known}, left out {len(done.left_out)}")
    for each in done.left_out:
        print_line(f"  left out {each.source} {each.tag}: {each.reason}")
    for name, evidence in evidence_by_entry(entries, all_evidence(kept_in)).items():
        print_line(f"  entry {name}: observed in {counted(len(evidence), 'run')}")
    if done.kept:
        show_news(cases, arch, kept_in, found, known)
    return OK if done.kept + done.known else NOT_CLEAR
