"""The commands of plans: a whole network in exact pieces that are predicted to compile, written and shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tasnet.cli import plan_run
from tasnet.cli.commands import Commands
from tasnet.cli.options import (
    OK,
    WEIGHTS,
    AsJson,
    PlanAt,
    Recordings,
    UsageError,
    known_arch,
    show,
    with_run_options,
    writable,
)
from tasnet.cli.plan_evidence import judged_otherwise, known_to_plans, observed_lines
from tasnet.cli.safe_outputs import output_option
from tasnet.common import print_line

if TYPE_CHECKING:
    from tasnet.plan import Made, TrainedFunction
    from tasnet.suite.run import RunOptions

commands = Commands(
    help="Run a whole network, exactly, in pieces that compile.",
    example="tasnet plan make --checkpoint tasnet:small --seconds 2 -o plan",
)


@commands.command()
@with_run_options("arch", *WEIGHTS, "store")
def make(
    options: RunOptions,
    output: Annotated[Path, output_option("FOLDER", "a folder, new or empty")],
    case: Annotated[str | None, typer.Argument(metavar="CASE", help="an id or axis=value pairs")] = None,
    length: Annotated[int | None, typer.Option(metavar="T", min=1, help="samples of a clip")] = None,
    seconds: Annotated[
        float | None, typer.Option(metavar="S", help="the same in seconds, at the checkpoint's sample rate")
    ] = None,
    block: Annotated[
        int | None, typer.Option(metavar="K", min=1, help="plan a stream, in blocks of K frames of a causal network")
    ] = None,
    latency: Annotated[
        float | None, typer.Option(metavar="MS", help="plan a stream, in the largest blocks of at most so late")
    ] = None,
    objective: Annotated[
        str | None,
        typer.Option(
            metavar="WHAT", help="what is made least: time, hefs, macs, or latency: a stream's (default: time; latency)"
        ),
    ] = None,
    rows: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="elements of a row to trust (default: as many as were seen to compile)"),
    ] = None,
    max_layers: Annotated[int | None, typer.Option(metavar="N", min=1, help="layers of a segment, at most")] = None,
    max_blocks: Annotated[int | None, typer.Option(metavar="N", min=1, help="TCN blocks of a segment, at most")] = None,
    max_height: Annotated[int, typer.Option(metavar="N", min=1, help="windows side by side, at most")] = 16,
    coders: Annotated[
        str, typer.Option(metavar="host|chip", help="encoder and decoder: host (better at 8 bits) or chip")
    ] = "host",
    certainty: Annotated[
        str, typer.Option(metavar="WORD", help="observed (pieces seen to compile) or extrapolated")
    ] = "extrapolated",
    hardware: Annotated[
        str, typer.Option(path_type=str, metavar="NAME|FILE", help="what to model: raspberry-pi-5, x86, or a .toml")
    ] = "raspberry-pi-5",
    calibration: Recordings = None,
) -> int:
    """Find the cheapest exact way to run a network in segments, and write it.

    To plan.json, and an ONNX and a HAR each. A checkpoint alone means its own function. Times are modelled, verdicts
    predicted; what compilers said of rows and layers is read in the store. With --calibration, also what each segment
    is given for recordings.

    A causal network is planned as a stream with --block, --latency or --objective latency: of these the last finds the
    blocks that are least late.

    Example: tasnet plan make --checkpoint tasnet:small --seconds 2 -o plan
    """
    known_arch(options.arch)
    if case is None and options.checkpoint is None:
        raise UsageError("plan make: no case and no --checkpoint; give one of them")
    streams = block is not None or latency is not None or objective == "latency"
    objective = objective or ("latency" if streams else "time")
    if streams and (length is not None or seconds is not None):
        raise UsageError("--length and --seconds are a clip's; a stream has --block or --latency")
    if block is not None and latency is not None:
        raise UsageError("--block and --latency: one of them")
    if latency is not None and not 0 < latency < 60_000:
        raise UsageError(f"--latency {latency:g}: milliseconds, more than 0 and less than a minute's")
    from tasnet.plan import OBJECTIVES, Bounds, check_place, make_plan, make_stream_plan, read_profile, write_plan

    known_values = (
        ("objective", objective, OBJECTIVES),
        ("coders", coders, ("host", "chip")),
        ("certainty", certainty, ("observed", "extrapolated")),
    )
    for name, value, known in known_values:
        if value not in known:
            raise UsageError(f"--{name} {value}: unknown; one of {', '.join(known)}")
    if certainty == "observed" and coders == "chip":
        raise UsageError("--certainty observed: no encoder or decoder was seen to compile; leave --coders host")
    check_place(output)
    told = known_to_plans(options, options.arch)
    rows = told.bracket.passes if rows is None else rows
    bounds = Bounds(rows, max_layers, max_blocks, max_height, coders, observed=certainty == "observed", known=told)
    asked = (bounds, objective, read_profile(hardware))
    trained, usual = _trained(case, options)
    samples = usual or 16_000 if streams else _samples(trained, length, seconds, usual)
    waves = _waves(trained, samples, calibration)
    if streams:
        within = None if latency is None else latency / 1e3
        made = make_stream_plan(trained, options.arch, *asked, block=block, latency=within)
    else:
        made = make_plan(trained, samples, options.arch, *asked)
    write_plan(made.plan, trained, output, waves, told)
    show(_told(made, output, waves))
    return OK


@commands.command(name="show")
@with_run_options("store")
def show_(
    options: RunOptions,
    at: PlanAt,
    svg: Annotated[
        Path | None, typer.Option(writable=True, metavar="FILE", help="write the drawing, an .svg, too")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Show a plan.

    Its segments, what it costs by the model, what carries it, its windows over time.

    What a compiler said of its segments, or of such with other weights, is read in the store, and so is whether they
    would be judged otherwise today.

    Example: tasnet plan show plan --svg plan.svg
    """
    from tasnet.common import write_whole
    from tasnet.plan import drawing_lines, drawing_svg, plan_lines, read_plan

    if svg:
        writable(svg, ".svg")
    plan = read_plan(at)
    if svg:
        write_whole(svg, drawing_svg(plan).encode())
    said = chain(observed_lines(plan, options), judged_otherwise(plan, options))
    told = chain(plan_lines(plan), said, [""], drawing_lines(plan))
    show(plan.model_dump(mode="json") if as_json else told)
    return OK


commands.command()(plan_run.run)


@commands.command(name="compile")
@with_run_options("store", "dfc_python", "limit", "calibration", "script", "quick")
def compile_(
    options: RunOptions,
    at: PlanAt,
    output: Annotated[Path, output_option("FOLDER", "a folder, new or empty")],
) -> int:
    """Compile a plan's segments.

    Where the compiler refuses one, go on with the next best plan that does without. Needs the compiler and recordings.
    FOLDER gets the plan that compiled whole: a .hef each, plan.json, and what was tried in evidence.jsonl. Stopped at
    any time, the same command goes on where it was. Exits 2 when no plan is left, or when a stage broke down: nothing
    is learned from that, and nothing is written to FOLDER.

    Example: tasnet plan compile plan -o hefs --calibration speech --limit compile.seconds=3600
    """
    from dataclasses import replace
    from functools import partial

    from tasnet.plan import check_place, plan_lines, read_plan, trained_of_plan
    from tasnet.suite.ask import known_observations
    from tasnet.suite.observed import keep_segment_evidence
    from tasnet.suite.run import compile_plan, open_compiler, open_store

    plan = read_plan(at)
    check_place(output)
    trained = trained_of_plan(plan, at if at.is_dir() else at.parent)
    root = options.store_root()
    choice = replace(options, toolchain="dfc", arch=plan.arch).toolchain_options()
    dfc = open_compiler(choice)
    kept_in = open_store(root)
    waves = _waves(trained, plan.length if plan.block is None else 16_000, choice.calibration)
    keep = partial(keep_segment_evidence, kept_in)
    known = partial(known_observations, kept_in, plan.arch)
    done = compile_plan(at, output, kept_in, dfc, waves, lambda line: print_line(line, error=True), keep, known)
    show(plan_lines(done.plan))
    refused = len(done.plan.refused)
    by = "a test double: nothing was observed" if dfc.double else f"{dfc.name} {dfc.version}"
    print_line(f"{output}: {len(done.plan.on_chip)} HEFs by {by}; {refused} segments refused on the way")
    return OK


@commands.command()
def measure(
    at: PlanAt,
    output: Annotated[Path, output_option("FILE", "the profile to write, a .toml")],
    hardware: Annotated[
        str, typer.Option(path_type=str, metavar="NAME|FILE", help="what keeps its figure where none is measured")
    ] = "raspberry-pi-5",
) -> int:
    """Measure this host and its chip with a compiled plan.

    Link, invocation, switch, rate and host, as a profile. Each figure says when, where and how it was measured; one
    that can't be told keeps what --hardware has, and says so.

    Example: tasnet plan measure hefs -o pi.toml
    """
    from datetime import datetime, timezone

    from tasnet.common import write_whole
    from tasnet.hailo.chip import detect_chip
    from tasnet.plan import measure_profile, profile_toml, read_plan, read_profile

    # By its ending --hardware knows it.
    writable(output, ".toml")
    plan, base = read_plan(at), read_profile(hardware)
    folder = at if at.is_dir() else at.parent
    found = measure_profile(plan, folder, detect_chip(plan.arch), base, datetime.now(timezone.utc).date())
    write_whole(output, profile_toml(found))
    for name, value in found.figures.items():
        print_line(f"{name} {value:.4g}: {getattr(found, name).source}")
    print_line(f"{output}: {found.name}; plan with it: tasnet plan make … --hardware {output}")
    return OK


@commands.command()
def runtime(
    at: PlanAt,
    output: Annotated[Path, output_option("FILE", "the program to write, a .py")],
) -> int:
    """Write a program that runs a compiled plan without tasnet.

    With Python, numpy and HailoRT alone, copied beside the HEFs. It runs as `python separate.py mix.wav OUT`. Its files
    are the plan's HEFs and host.npz, and it takes no others.

    Example: tasnet plan runtime hefs -o hefs/separate.py
    """
    from tasnet.common import write_whole
    from tasnet.plan import read_plan, runtime_source

    writable(output, ".py")
    plan = read_plan(at)
    written = runtime_source(plan, at if at.is_dir() else at.parent)
    write_whole(output, written.encode())
    files = ", ".join([*(each.hef.name for each in plan.on_chip if each.hef), "host.npz"])
    print_line(f"{output}: run it beside {files}: python {output.name} mix.wav OUT")
    return OK


def _trained(case: str | None, options: RunOptions) -> tuple[TrainedFunction, int | None]:
    """The network that is meant, and the case's length where one is named."""
    from dataclasses import replace

    from tasnet.suite.cases import check_blocks, parse_case

    meant = parse_case(case) if case is not None else None
    recipe = options.recipe()
    # Only now: torch takes seconds to import.
    from tasnet.network import load_checkpoint, seeded_weights
    from tasnet.plan import function_of_checkpoint, function_of_variant

    if recipe.checkpoint is None:
        assert meant is not None
        return function_of_variant(meant.variant, meant.size, seeded_weights(meant.size)), meant.length
    loaded = load_checkpoint(
        recipe.checkpoint, mask_activation=recipe.mask_activation, blocks_per_repeat=recipe.blocks_per_repeat
    )
    for line in loaded.assumed:
        print_line(f"note: {options.checkpoint}: {line}", error=True)
    own = function_of_checkpoint(loaded)
    if meant is None:
        return own, None
    check_blocks(meant.variant, loaded.size)
    named = function_of_variant(meant.variant, loaded.size, loaded.weights, loaded.mask_activation)
    parts = [(each.norm, each.activation, each.causal) for each in (named.function, own.function)]
    if parts[0] != parts[1]:
        print_line(
            "note: the case is another function than the checkpoint's own: it was trained with "
            f"{own.function.norm} and {own.function.activation}, {'' if own.function.causal else 'not '}causal",
            error=True,
        )
    return replace(named, sample_rate=own.sample_rate, padding=own.padding), meant.length


def _samples(trained: TrainedFunction, length: int | None, seconds: float | None, usual: int | None) -> int:
    if length is not None and seconds is not None:
        raise UsageError("--length and --seconds: one of them")
    if seconds is not None:
        if trained.sample_rate is None:
            raise UsageError(f"--seconds {seconds:g}: nothing says the network's sample rate; give --length in samples")
        if not 0 < seconds < 86_400:
            raise UsageError(f"--seconds {seconds:g}: more than 0, and less than a day")
        return round(seconds * trained.sample_rate)
    return length or usual or 16_000


def _waves(trained: TrainedFunction, samples: int, calibration: Path | None) -> Sequence[Any]:
    """Recordings of the plan's length, at the network's rate."""
    if calibration is None:
        return ()
    from tasnet.network import Variant
    from tasnet.suite.cases import Case
    from tasnet.suite.run import load_calibration

    case = Case(Variant(), trained.function.size, samples)
    loaded = load_calibration(calibration, case, rate=round(trained.sample_rate or USUAL_RATE), windows=CALIBRATED)
    return list(loaded.data[:, 0, :, 0])


USUAL_RATE = 8000
"""Hz, where nothing says the network's"""
CALIBRATED = 16
"""recordings that a plan's segments are calibrated with: the data is kept for each segment"""


def _told(made: Made, folder: Path, waves: Sequence[object]) -> Iterator[str]:
    from tasnet.plan import drawing_lines, front_lines, option_lines, plan_lines, sensitivities, sensitivity_lines

    yield from plan_lines(made.plan)
    if line := made.search.bounds.known.line:
        yield f"rests on  {line}"
    yield ""
    yield from front_lines(made.plan, made.front)
    yield from option_lines(made.options)
    yield from sensitivity_lines(made.plan, list(sensitivities(made.search, made.plan.objective, made.route)))
    yield ""
    yield from drawing_lines(made.plan)
    yield ""
    files = "plan.json, host.npz, and for each HEF an .onnx, a .har" + (" and its calibration" if waves else "")
    yield f"{folder}: {files} (predicted; nothing was compiled)"
