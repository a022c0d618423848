"""The command `tasnet`: every command a few lines over the rooms.

Exit codes: 0 all well; 1 a graph that isn't clear, or a run that isn't as expected; 2 wrong usage or an input that
can't be read, told in one line on stderr. Torch is imported by `export` and the numbers alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tasnet.cli import compiler as around_the_compiler
from tasnet.cli import gate, history, numbers, plan, report
from tasnet.cli import ledger as ledger_
from tasnet.cli.options import (
    NOT_CLEAR,
    OK,
    USAGE,
    Arch,
    AsJson,
    BlocksPerRepeat,
    Checkpoint,
    Compiled,
    DfcPython,
    Limit,
    MaskActivation,
    Model,
    Profile,
    Quick,
    Recordings,
    Script,
    Shapes,
    StoreAt,
    Toolchain,
    UsageError,
    if_there,
    known_arch,
    of_onnx,
    readable,
    recipe_of,
    show,
    sizes,
    store_at,
    writable,
)
from tasnet.common import open_regular, print_line, printable

if TYPE_CHECKING:
    from tasnet.network import Weights

app = typer.Typer(
    name="tasnet",
    help="Which form of a Conv-TasNet will compile for a Hailo-8?",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

# `BadParameter` is public; the base of all of the parser's errors is not, and moved between versions.
_ParserError: type[Exception] = next(
    each for each in typer.BadParameter.__mro__ if each.__name__ == "ClickException" and issubclass(each, Exception)
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit code. The one place where errors become lines."""
    from tasnet.common import TasnetError, error_line

    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warned
            code = app(args=arguments, prog_name="tasnet", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader left, as `head` does; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except OSError as error:
        return _complain(f"{error.filename}: {error.strerror}" if error.filename else error_line(error))
    except UsageError as error:
        return _complain(error_line(error))
    except TasnetError as error:
        # A node without an HN form is the graph's fault, and the file was read well.
        return _complain(error_line(error), NOT_CLEAR if _is_node_error(error) else USAGE)
    except _ParserError as error:
        told: str = getattr(error, "format_message", error.__str__)()
        return _complain(f"{' '.join(told.split()).rstrip('.')}; see tasnet --help")
    return code if isinstance(code, int) else OK


_usual = warnings.showwarning


def _warned(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, file: Any = None, line: Any = None
) -> None:
    """The package's own warnings are a line each, as its errors are; others' as they are."""
    if category.__module__.startswith("tasnet."):
        print(f"tasnet: warning: {message}", file=sys.stderr)
    else:
        _usual(message, category, filename, lineno, file, line)


def _complain(message: str, code: int = USAGE) -> int:
    print_line(f"tasnet: {message}", error=True)
    return code


def _is_node_error(error: Exception) -> bool:
    """By name: the translator, whose error it is, may not be imported at all."""
    return type(error).__name__ == "NodeError"


@app.callback()
def _tasnet() -> None:
    """Which form of a Conv-TasNet will compile for a Hailo-8, and is it still the same function?

    Example: tasnet check model.onnx --arch hailo8
    """


@app.command()
def matrix(
    profile: Profile = "matrix",
    list_: Annotated[bool, typer.Option("--list", help="print the cases' ids, one a line, and run nothing")] = False,
    arch: Arch = "hailo8",
    workers: Annotated[str, typer.Option("-n", help="processes: a count, or auto")] = "0",
    checkpoint: Checkpoint = None,
    mask_activation: MaskActivation = None,
    blocks_per_repeat: BlocksPerRepeat = None,
    store: StoreAt = None,
    toolchain: Toolchain = "reference",
    dfc_python: DfcPython = None,
    limit: Limit = None,
    calibration: Recordings = None,
    script: Script = None,
    quick: Quick = False,
) -> int:
    """Take every case of a profile through the stages and hold it against the ledger.

    Exits 0 when all is as the ledger says, 1 when not.

    Example: tasnet matrix --profile notes -n 2
    """
    from tasnet.suite.cases import profile_cases as profile_of
    from tasnet.suite.run import open_compiler, toolchain_options

    cases = profile_of(profile, arch)
    if list_:
        print("\n".join(each.id for each in cases))
        return OK
    if workers != "auto" and not workers.isdecimal():
        raise UsageError(f"-n {workers}: a count of processes, or auto")
    recipe = recipe_of(checkpoint, mask_activation, blocks_per_repeat)
    root = Path(__file__).resolve().parents[2]
    if not (root / "tests" / "compile").is_dir():
        raise UsageError("the suite's tests/compile isn't beside the package; install a checkout with pip install -e")
    chosen = toolchain_options(
        toolchain,
        arch,
        dfc_python=dfc_python,
        limit=limit or (),
        calibration=calibration,
        script=script,
        quick=quick,
        pyproject=if_there(root / "pyproject.toml"),
    )
    if chosen.name == "dfc":
        # What is wrong with it is said here, in a line, and not by pytest.
        dfc_python = str(open_compiler(chosen).python)
    # What captures logs costs each of 1680 tests more than its work in a full store.
    command = [sys.executable, "-m", "pytest", "-p", "no:logging", "-m", "compile", "tests/compile", "-n", workers]
    command += ["--profile", profile, "--arch", arch, "--toolchain", toolchain]
    given = {"--checkpoint": recipe.checkpoint, "--store": store, "--calibration": calibration, "--script": script}
    # The suite runs in its checkout, so that paths mean what they mean here.
    command += [part for name, path in given.items() if path for part in (name, str(path.absolute()))]
    command += ["--mask-activation", mask_activation] if mask_activation else []
    command += ["--blocks-per-repeat", str(blocks_per_repeat)] if blocks_per_repeat else []
    command += ["--dfc-python", dfc_python] if dfc_python else []
    command += [part for each in limit or () for part in ("--limit", each)] + ["--quick"] * quick
    # pytest's own codes: 4 is wrong usage, 5 no tests
    return {0: OK, 4: USAGE, 5: USAGE}.get(subprocess.call(command, cwd=root), NOT_CLEAR)


@app.command()
def sweep(
    profile: Profile = "matrix",
    arch: Arch = "hailo8",
    scheduler: Annotated[str, typer.Option(metavar="tcp://HOST:PORT", help="of a cluster that runs already")] = "",
    workers: Annotated[int, typer.Option("-n", min=1, help="worker processes on this machine")] = 1,
    checkpoint: Checkpoint = None,
    mask_activation: MaskActivation = None,
    blocks_per_repeat: BlocksPerRepeat = None,
    store: StoreAt = None,
    toolchain: Toolchain = "reference",
    dfc_python: DfcPython = None,
    limit: Limit = None,
    calibration: Recordings = None,
    script: Script = None,
    quick: Quick = False,
) -> int:
    """Run every distinct graph of a profile on many processes or machines; the tests then read the outcomes.

    Needs tasnet[cluster]. Safe to stop and start again. Exits 0 when every graph has an outcome, 1 when a tool broke
    down on one: start it again.

    Example: tasnet sweep --profile notes --toolchain reference -n 2
    """
    from tasnet.cli.sweep_shown import shown
    from tasnet.suite.cases import profile_cases as profile_of
    from tasnet.suite.run import toolchain_options

    cases = profile_of(profile, arch)
    recipe = recipe_of(checkpoint, mask_activation, blocks_per_repeat)
    choice = toolchain_options(
        toolchain,
        arch,
        dfc_python=dfc_python,
        limit=limit or (),
        calibration=calibration,
        script=script,
        quick=quick,
        pyproject=if_there(Path("pyproject.toml")),
    )
    return NOT_CLEAR if shown(cases, choice, store_at(store), recipe, scheduler, workers).unlearned else OK


@app.command()
def export(
    case: Annotated[str, typer.Argument(metavar="CASE", help="an id, a run tag of the notes, or axis=value pairs")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="the ONNX file to write")],
    opset: Annotated[int, typer.Option(help="ONNX opset, 11 to 17")] = 13,
    seed: Annotated[int, typer.Option(min=0, help="draws the weights that no checkpoint gives")] = 0,
    checkpoint: Checkpoint = None,
    mask_activation: MaskActivation = None,
    blocks_per_repeat: BlocksPerRepeat = None,
) -> int:
    """Write the ONNX file of a case.

    Example: tasnet export project-bypass-conv1x1_head-k1 -o m.onnx
    """
    from dataclasses import replace

    from tasnet.suite.cases import parse_case

    meant = parse_case(case)
    writable(output)
    recipe = recipe_of(checkpoint, mask_activation, blocks_per_repeat)
    # Only now: torch takes seconds to import.
    from tasnet.network import save, seeded, to_onnx, with_heads

    weights: Weights
    if recipe.checkpoint is None:
        weights, activation = seeded(meant.size, seed), "relu"
    else:
        from tasnet.network import load

        loaded = load(recipe.checkpoint, mask_activation=mask_activation, blocks_per_repeat=blocks_per_repeat)
        for line in loaded.assumed:
            print_line(f"note: {checkpoint}: {line}", error=True)
        meant = replace(meant, size=loaded.size)
        weights, activation = with_heads(loaded.weights, meant.size, seed), loaded.mask_activation
    model = to_onnx(meant.variant, meant.size, weights, meant.length, opset=opset, mask_activation=activation)
    save(model, output)
    print_line(f"{output}: {meant.id}, opset {opset}, {output.stat().st_size} bytes")
    return OK


@app.command()
def translate(
    source: Annotated[Path, typer.Argument(metavar="MODEL.onnx", help="the ONNX file")],
    name: Annotated[str, typer.Option(metavar="NET", help="the network's name in the HAR")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="the HAR to write")],
    shape: Shapes = None,
) -> int:
    """Write the parsed HAR of an ONNX file, by the embedded translator.

    Example: tasnet translate m.onnx --name conv_tasnet -o m.har
    """
    from tasnet.hailo.files import har
    from tasnet.hailo.translate import translate as to_network

    writable(output)
    network = to_network(readable(source, "an .onnx"), name, sizes(shape))
    har.write(network, output)
    print_line(f"{output}: {network.name}, {len(network.layers)} layers (by the embedded translator: predicted)")
    for each in network.assumptions:
        print_line(f"  assumed: {printable(each.text)}")
    return OK


@app.command()
def check(source: Model, arch: Arch = "hailo8", as_json: AsJson = False, shape: Shapes = None) -> int:
    """Predict whether a graph compiles: clear, blocked or unknown, and by what. No compiler is run.

    Exits 0 for clear, 1 for blocked and for unknown (not known to be clear), 2 for a file that can't be read.

    Example: tasnet check m.onnx --arch hailo8 --json
    """
    from tasnet.cli.verdict_shown import as_json as told
    from tasnet.cli.verdict_shown import lines
    from tasnet.hailo.predict import predict_file as judged

    known_arch(arch)
    verdict = judged(of_onnx(readable(source), shape), arch, sizes(shape))
    show(told(verdict, arch) if as_json else lines(verdict, arch))
    return OK if verdict.kind.value == "clear" else NOT_CLEAR


@app.command()
def classify(
    logs: Annotated[list[Path], typer.Argument(metavar="LOG...", help="logs of the compiler, of any size")],
    as_json: AsJson = False,
) -> int:
    """Say what a compiler's logs tell of: family, stage, layers, figures, the first cause and the last event.

    Exits 0 when every log ends in a success, 1 when one fails or ends in neither, 2 for what can't be read as a log.

    Example: tasnet classify build.log --json
    """
    from tasnet.cli.shown import as_json as told
    from tasnet.cli.shown import lines
    from tasnet.hailo.logs import LogEnd, read_log

    found = [(str(log), read_log(readable(log, "a log"))) for log in logs]
    show([told(*each) for each in found] if as_json else chain.from_iterable(lines(*each) for each in found))
    return OK if all(told.end is LogEnd.SUCCEEDED for _, told in found) else NOT_CLEAR


@app.command(name="import-runs")
def import_runs(
    source: Annotated[Path, typer.Argument(metavar="DIR|summary.tsv", help="night runs, or one table of them")],
    store: StoreAt = None,
    dfc_version: Annotated[str, typer.Option(metavar="VERSION", help="where neither table nor log says it")] = "",
    arch: Arch = "hailo8",
    ledger: Annotated[Path, typer.Option(help="whose entries the runs may support")] = Path("expected_failures.yaml"),
) -> int:
    """Keep old runs of the compiler as observed evidence, and say which entries of the ledger they support.

    Exits 0 when there is evidence in it, 1 when every row was left out.

    Example: tasnet import-runs night_runs2 --dfc-version 3.33.0
    """
    from tasnet.suite.ledger import read_ledger
    from tasnet.suite.notes import import_night_runs
    from tasnet.suite.observed import all_evidence, evidence_by_entry
    from tasnet.suite.run import Store

    known_arch(arch)
    entries = read_ledger(ledger).entries if ledger.is_file() else ()
    kept_in = Store(store_at(store))
    done = import_night_runs(kept_in, source, version=dfc_version, arch=arch)
    print_line(f"{source}: kept {done.kept}, known {done.known}, left out {len(done.left_out)}")
    for each in done.left_out:
        print_line(f"  left out {each.source} {each.tag}: {each.reason}")
    for name, evidence in evidence_by_entry(entries, all_evidence(kept_in)).items():
        print_line(f"  entry {name}: observed in {len(evidence)} runs")
    return OK if done.kept + done.known else NOT_CLEAR


@app.command()
def inspect(source: Compiled, as_json: AsJson = False, shape: Shapes = None) -> int:
    """List a graph's layers: type, shapes (H x W x C), weights, MACs, operations, elements of a row in and out.

    Of a compiled file: architecture, SDK, contexts, inputs and outputs with shapes and quantization.

    Example: tasnet inspect m.har
    """
    from tasnet.cli import hef_shown
    from tasnet.hailo.files import network_json, network_lines, read_hef
    from tasnet.hailo.predict import read_network

    with open_regular(source, most=sys.maxsize, what="an .onnx, a .har or a .hef", error=UsageError) as file:
        compiled = hef_shown.is_hef(file.read(4) or b"") or source.suffix == ".hef"
    if compiled:
        read = read_hef(source)
        show(hef_shown.as_json(read) if as_json else hef_shown.lines(read))
    else:
        network = read_network(of_onnx(source, shape), sizes(shape))
        show(network_json(network) if as_json else network_lines(network))
    return OK


app.command()(around_the_compiler.calibrate)
app.command()(around_the_compiler.emulate)
app.command()(gate.gate)
app.command()(history.runs)
app.command()(history.compare)
app.command()(history.trend)
app.command()(numbers.listen)
app.command()(numbers.parity)
app.command()(report.report)
app.command()(report.support)
app.add_typer(plan.commands, name="plan")
app.add_typer(numbers.limits, name="thresholds")
app.add_typer(ledger_.commands, name="ledger")
