"""The application: its commands, `matrix`, and `main`, where errors become lines and exit codes."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tasnet.cli import compiler, gate, graphs, history, isolation, numbers, plan, questions, report
from tasnet.cli import ledger as ledger_
from tasnet.cli.apart import Commands
from tasnet.cli.options import NOT_CLEAR, OK, USAGE, Profile, UsageError, with_run_options
from tasnet.common import TasnetError, error_line, print_line

if TYPE_CHECKING:
    from tasnet.suite.run import RunOptions

app = Commands(
    name="tasnet",
    help="Which form of a Conv-TasNet will compile for a Hailo-8?",
    add_completion=False,
    pretty_exceptions_enable=False,
)

# `BadParameter` is public; the base of all of the parser's errors is not, and moved between versions.
_ParserError: type[Exception] = next(
    each for each in typer.BadParameter.__mro__ if each.__name__ == "ClickException" and issubclass(each, Exception)
)


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""errors of a disk or a quota that is full, and of a file that is larger than it may be"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit code. The one place where errors become lines."""
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
        told = f"{error.filename}: {error.strerror}" if error.filename else error.strerror or error_line(error)
        return _complain(f"{told}; make room there, and start again" if error.errno in _FULL else told)
    except UsageError as error:
        return _complain(error_line(error))
    except TasnetError as error:
        return _complain(error_line(error), NOT_CLEAR if error.graph_at_fault else USAGE)
    except _ParserError as error:
        message: str = getattr(error, "format_message", error.__str__)()
        return _complain(f"{' '.join(message.split()).rstrip('.')}; see tasnet --help")
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


@app.callback()
def _tasnet() -> None:
    """Which form of a Conv-TasNet will compile for a Hailo-8, and is it still the same function?

    Example: tasnet check model.onnx --arch hailo8
    """


@app.command()
@with_run_options()
def matrix(
    options: RunOptions,
    profile: Profile = "matrix",
    list_: Annotated[bool, typer.Option("--list", help="print the cases' ids, one a line, and run nothing")] = False,
    workers: Annotated[str, typer.Option("-n", help="processes: a count, or auto")] = "0",
) -> int:
    """Take every case of a profile through the stages and hold it against the ledger.

    Exits 0 when all is as the ledger says, 1 when not.

    Example: tasnet matrix --profile notes -n 2
    """
    from dataclasses import replace

    from tasnet.network import checkpoint_file
    from tasnet.suite.run import cases_of, open_compiler

    root = Path(__file__).resolve().parents[2]
    place, checkpoint = options.store_root(root), options.checkpoint
    cases = cases_of(profile, options.arch, place, toolchain=options.toolchain, checkpoint=checkpoint).cases
    if list_:
        print("\n".join(each.id for each in cases))
        return OK
    if workers != "auto" and not workers.isdecimal():
        raise UsageError(f"-n {workers}: a count of processes, or auto")
    options.recipe()
    if not (root / "tests" / "compile").is_dir():
        raise UsageError("the suite's tests/compile isn't beside the package; install a checkout with pip install -e")
    toolchain = options.toolchain_options(root)
    if toolchain.name == "dfc":
        # What is wrong with it is said here, in a line, and not by pytest.
        options = replace(options, dfc_python=str(open_compiler(toolchain).python))
    # The suite runs in its checkout: paths are made absolute, so that they mean what they mean here.
    paths = {name: getattr(options, name) for name in ("checkpoint", "calibration", "script", "store")}
    if paths["checkpoint"] and checkpoint_file(paths["checkpoint"]) != paths["checkpoint"]:
        # A name, and no path.
        del paths["checkpoint"]
    options = replace(options, **{name: path.absolute() for name, path in paths.items() if path})
    # What captures logs costs each of 1680 tests more than its work in a full store.
    command = [sys.executable, "-m", "pytest", "-p", "no:logging", "-m", "compile", "tests/compile", "-n", workers]
    command += ["--profile", profile, *(part for option in options.given() for part in option if part)]
    # pytest's own codes: 4 is wrong usage, 5 no tests
    return {0: OK, 4: USAGE, 5: USAGE}.get(subprocess.call(command, cwd=root), NOT_CLEAR)


app.command()(graphs.export)
app.command()(graphs.translate)
app.command()(graphs.check)
app.command()(graphs.inspect)
app.command()(isolation.isolate)
app.command()(compiler.classify)
app.command()(compiler.sweep)
app.command(name="import-runs")(compiler.import_runs)
app.command()(compiler.calibrate)
app.command()(compiler.emulate)
app.command()(questions.suggest)
app.command()(gate.gate)
app.command()(history.runs)
app.command()(history.compare)
app.command()(history.trend)
app.command()(numbers.listen)
app.command()(numbers.parity)
app.command()(report.report)
app.command()(report.support)
app.add_typer(questions.evidence, name="evidence")
app.add_typer(plan.commands, name="plan")
app.add_typer(numbers.limits, name="thresholds")
app.add_typer(ledger_.commands, name="ledger")
