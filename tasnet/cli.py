"""The command `tasnet`: every command a few lines over the rooms.

Exit codes: 0 all well; 1 a graph that isn't clear, or a run that isn't as expected; 2 wrong usage or an input that
can't be read, told in one line on stderr. Torch is imported by `export` alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from tasnet.hailo.constraints import Verdict
    from tasnet.hailo.failures import Failure
    from tasnet.hailo.hn import Network
    from tasnet.network.weights import Weights

OK, NOT_CLEAR, USAGE = 0, 1, 2

app = typer.Typer(
    name="tasnet",
    help="Which form of a Conv-TasNet will compile for a Hailo-8?",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Model = Annotated[Path, typer.Argument(metavar="FILE", help="an .onnx or a .har, told apart by content")]
Arch = Annotated[str, typer.Option("--arch", help="hailo8, hailo8l or hailo8r")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
Checkpoint = Annotated[Path | None, typer.Option(help="weights; without it, drawn from the seed")]

# `BadParameter` is public; the base of all of the parser's errors is not, and moved between versions.
_ParserError: type[Exception] = next(
    each for each in typer.BadParameter.__mro__ if each.__name__ == "ClickException" and issubclass(each, Exception)
)


class UsageError(ValueError):
    """Wrong usage that the parser of options can't see."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit code. The one place where errors become lines."""
    from tasnet.suite.errors import one_line, own_errors

    try:
        code = app(args=arguments, prog_name="tasnet", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader left, as `head` does; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except OSError as error:
        return _complain(f"{error.filename}: {error.strerror}" if error.filename else one_line(error))
    except UsageError as error:
        return _complain(one_line(error))
    except own_errors() as error:
        # A node without an HN form is the graph's fault, and the file was read well.
        return _complain(one_line(error), NOT_CLEAR if _is_node_error(error) else USAGE)
    except _ParserError as error:
        told: str = getattr(error, "format_message", error.__str__)()
        return _complain(f"{' '.join(told.split()).rstrip('.')}; see tasnet --help")
    return code if isinstance(code, int) else OK


def _complain(message: str, code: int = USAGE) -> int:
    print(f"tasnet: {message}", file=sys.stderr)
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
    profile: Annotated[str, typer.Option(help="matrix, notes, probes or faithful")] = "matrix",
    list_: Annotated[bool, typer.Option("--list", help="print the cases' ids, one a line, and run nothing")] = False,
    arch: Arch = "hailo8",
    workers: Annotated[str, typer.Option("-n", help="processes: a count, or auto")] = "0",
    checkpoint: Checkpoint = None,
    store: Annotated[Path | None, typer.Option(help="artifacts and outcomes (default .tasnet)")] = None,
) -> int:
    """Take every case of a profile through the stages and hold it against the ledger.

    Exits 0 when all is as the ledger says, 1 when not.

    Example: tasnet matrix --profile notes -n 2
    """
    from tasnet.suite import case

    cases = case.profile(profile, arch)
    if list_:
        print("\n".join(each.id for each in cases))
        return OK
    if workers != "auto" and not workers.isdecimal():
        raise UsageError(f"-n {workers}: a count of processes, or auto")
    root = Path(__file__).resolve().parent.parent
    if not (root / "tests" / "compile").is_dir():
        raise UsageError("the suite's tests/compile isn't beside the package; install a checkout with pip install -e")
    command = [sys.executable, "-m", "pytest", "-m", "compile", "tests/compile", "-n", workers]
    command += ["--profile", profile, "--arch", arch]
    command += ["--checkpoint", str(checkpoint.absolute())] if checkpoint else []
    command += ["--store", str(store.absolute())] if store else []
    # pytest's own codes: 4 is wrong usage, 5 no tests
    return {0: OK, 4: USAGE, 5: USAGE}.get(subprocess.call(command, cwd=root), NOT_CLEAR)


@app.command()
def export(
    case: Annotated[str, typer.Argument(metavar="CASE", help="an id, a run tag of the notes, or axis=value pairs")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="the ONNX file to write")],
    opset: Annotated[int, typer.Option(help="ONNX opset, 11 to 17")] = 13,
    seed: Annotated[int, typer.Option(min=0, help="draws the weights that no checkpoint gives")] = 0,
    checkpoint: Checkpoint = None,
) -> int:
    """Write the ONNX file of a case.

    Example: tasnet export project-bypass-conv1x1_head-k1 -o m.onnx
    """
    from dataclasses import replace

    from tasnet.suite.case import parse

    meant = parse(case)
    _writable(output)
    # Only now: torch takes seconds to import.
    from tasnet.network.export import save, to_onnx
    from tasnet.network.weights import seeded, with_heads

    weights: Weights
    if checkpoint is None:
        weights, activation = seeded(meant.size, seed), "relu"
    else:
        from tasnet.network.checkpoint import load

        loaded = load(checkpoint)
        meant = replace(meant, size=loaded.size)
        weights, activation = with_heads(loaded.weights, meant.size, seed), loaded.mask_activation
    model = to_onnx(meant.variant, meant.size, weights, meant.length, opset=opset, mask_activation=activation)
    save(model, output)
    print(f"{output}: {meant.id}, opset {opset}, {output.stat().st_size} bytes")
    return OK


@app.command()
def translate(
    source: Annotated[Path, typer.Argument(metavar="MODEL.onnx", help="the ONNX file")],
    name: Annotated[str, typer.Option(metavar="NET", help="the network's name in the HAR")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="the HAR to write")],
) -> int:
    """Write the parsed HAR of an ONNX file, by the embedded translator.

    Example: tasnet translate m.onnx --name conv_tasnet -o m.har
    """
    from tasnet.hailo import har
    from tasnet.hailo.translate import translate as to_network

    _writable(output)
    network = to_network(_readable(source), name)
    har.write(network, output)
    print(f"{output}: {network.name}, {len(network.layers)} layers (by the embedded translator: predicted)")
    return OK


@app.command()
def check(source: Model, arch: Arch = "hailo8", as_json: AsJson = False) -> int:
    """Predict whether a graph compiles: clear, blocked or unknown, and by what. No compiler is run.

    Exits 0 for clear, 1 for blocked and for unknown (not known to be clear), 2 for a file that can't be read.

    Example: tasnet check m.onnx --arch hailo8 --json
    """
    from tasnet.hailo.reference import Reference
    from tasnet.hailo.toolchain import ARCHITECTURES

    if arch not in ARCHITECTURES:
        raise UsageError(f"--arch {arch}: unknown; one of {', '.join(ARCHITECTURES)}")
    verdict = _verdict(_readable(source), arch)
    tool = Reference()
    if as_json:
        told: dict[str, Any] = {
            "verdict": verdict.kind.value,
            "certainty": verdict.certainty.value,
            "predicted": tool.predicted,
            "toolchain": {"name": tool.name, "version": tool.version},
            "arch": arch,
            "blockers": [_blocker(failure) for failure in verdict.blockers],
        }
        if verdict.kind.value == "unknown":
            told["doubts"] = [_blocker(failure) for failure in verdict.doubts]
        print(json.dumps(told, indent=2))
    else:
        print(f"{verdict.kind.value} on {arch}: predicted by the embedded toolchain, not observed")
        print(f"  toolchain {tool.name} {tool.version}")
        print(f"  rests on  {_RESTS_ON[verdict.certainty.value]}")
        _print_failures("blocker", verdict.blockers)
        _print_failures("doubt", verdict.doubts)
    return OK if verdict.kind.value == "clear" else NOT_CLEAR


@app.command()
def inspect(source: Model, as_json: AsJson = False) -> int:
    """List a graph's layers: type, shapes (H x W x C), weights, MACs, operations, elements of a row in and out.

    Example: tasnet inspect m.har
    """
    from tasnet.hailo.constraints import row
    from tasnet.hailo.hn import figures, total

    network = _network(_readable(source))
    rows = []
    for layer in network:
        counted = figures(layer)
        rows.append(
            {
                "name": layer.name,
                "type": layer.type,
                "input_shapes": [list(shape[1:]) for shape in layer.input_shapes],
                "output_shape": list(layer.output_shape[1:]),
                "weights": counted.weights,
                "macs": counted.macs,
                "ops": counted.ops,
                "row_in": max(map(row, layer.input_shapes), default=0),
                "row_out": row(layer.output_shape),
            }
        )
    summed = total(network)
    totals = {"layers": len(rows), "weights": summed.weights, "macs": summed.macs, "ops": summed.ops}
    if as_json:
        print(json.dumps({"name": network.name, "layers": rows, "totals": totals}, indent=2))
        return OK
    print(f"{network.name}: " + ", ".join(f"{count:,} {what}" for what, count in totals.items()))
    shown = [[_cell(value) for value in each.values()] for each in rows]
    _print_table([list(rows[0]) if rows else [], *shown])
    return OK


# --- files -------------------------------------------------------------------------------------------------


def _readable(path: Path) -> Path:
    if not path.is_file():
        raise UsageError(f"{path}: {'a directory' if path.is_dir() else 'no such file'}; name an .onnx or a .har")
    return path


def _writable(path: Path) -> None:
    """Before any work is done: that there is a place to write to."""
    if not path.parent.is_dir():
        raise UsageError(f"{path}: no directory {path.parent}; make it first")
    if path.is_dir():
        raise UsageError(f"{path}: a directory; name a file")


def _network(path: Path) -> Network:
    """The graph of a HAR, or of an ONNX file by the embedded translator."""
    from tasnet.hailo import har

    if har.is_har(path) or path.suffix == ".har":
        return har.read(path, weights=False)
    from tasnet.hailo.translate import translate as to_network

    return to_network(path, "net")


def _verdict(path: Path, arch: str) -> Verdict:
    """The constraints' verdict; a node without an HN form blocks too, and is no unreadable file."""
    from tasnet.hailo.constraints import Kind, Verdict, judge
    from tasnet.hailo.failures import Certainty, Failure

    try:
        return judge(_network(path), arch)
    except ValueError as error:
        if not _is_node_error(error):
            raise
        family, node = getattr(error, "family", "unsupported_op"), str(getattr(error, "node", ""))
        failure = Failure(stage="translate", family=family, message=str(error), layers=(node,))
        return Verdict(Kind.BLOCKED, Certainty.OBSERVED, (failure,))


# --- printing ----------------------------------------------------------------------------------------------

_RESTS_ON = {
    "observed": "layers of this kind and size, of which a real compiler has said so",
    "extrapolated": "a reading of what was observed, which nobody has confirmed",
}


def _blocker(failure: Failure) -> dict[str, Any]:
    keys = {"family", "layers", "message", "figures", "evidence", "certainty"}
    return failure.model_dump(mode="json", include=keys)


def _print_failures(what: str, failures: Sequence[Failure]) -> None:
    from tasnet.suite.judge import short_layers

    for failure in failures:
        message = " ".join(failure.message.split())
        figures = ", ".join(f"{name} {value}" for name, value in failure.figures.items())
        print(f"\npredicted {what}: {failure.family} at {failure.stage}")
        for label, text in (
            ("layers", short_layers(failure.layers)),
            ("says", message if len(message) <= 160 else message[:159] + "…"),
            ("figures", figures),
            ("rests on", _RESTS_ON[failure.certainty.value]),
            ("evidence", failure.evidence),
        ):
            if text:
                print(f"  {label:10}{text}")


def _cell(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        shapes = value if value and isinstance(value[0], list) else [value]
        return " + ".join("x".join(map(str, shape)) for shape in shapes)
    return str(value)


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    """Columns two apart, text to the left and counts to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for cells in rows:
        line = (
            cell.ljust(width) if index < 4 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        print("  ".join(line).rstrip())


if __name__ == "__main__":
    sys.exit(main())
