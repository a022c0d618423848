"""The application: its commands, `matrix`, and `main`, where errors become lines and exit codes."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import warnings
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.main

from tasnet import __version__
from tasnet.cli import checking, compiler, evidence, gate, graphs, history, isolation, numbers, plan, report, suggesting
from tasnet.cli import ledger as ledger_
from tasnet.cli.commands import BY_HAND, COMPILER, PLANS, RUNS, SUITE, Commands, HelpWanted
from tasnet.cli.init import init
from tasnet.cli.options import NOT_CLEAR, OK, USAGE, LedgerAt, Profile, UsageError, show, with_run_options
from tasnet.common import TasnetError, collect_garbage_rarely, error_line, print_line, write_plainly

if TYPE_CHECKING:
    from tasnet.suite.run import RunOptions

app = Commands(
    name="tasnet",
    help="Which form of a Conv-TasNet will compile for a Hailo-8, and is it still the same function?",
    example="tasnet check model.onnx --arch hailo8",
)

# `BadParameter` is public; the base of all of the parser's errors is not, and moved between versions.
_ParserError: type[Exception] = next(
    each for each in typer.BadParameter.__mro__ if each.__name__ == "ClickException" and issubclass(each, Exception)
)


_PYTEST = "import sys; del sys.path[0]; import pytest; sys.exit(pytest.main())"

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""errors of a disk or a quota that is full, and of a file that is larger than it may be"""


@cache
def command_line() -> Any:
    """The parser of all commands: once in a process, as making it of every command's annotations takes 30 ms."""
    return typer.main.get_command(app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit code. The one place where errors become lines."""
    write_plainly(sys.stdout)
    write_plainly(sys.stderr)
    collect_garbage_rarely()
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warned
            code = command_line()(args=arguments, prog_name="tasnet", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader left, as `head` does; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except OSError as error:
        told = f"{error.filename}: {error.strerror}" if error.filename else error.strerror or error_line(error)
        return _complain(f"{told}; make room there, and start again" if error.errno in _FULL else told)
    except HelpWanted as error:
        print(error, file=sys.stderr)
        return USAGE
    except UsageError as error:
        return _complain(error_line(error))
    except TasnetError as error:
        return _complain(error_line(error), NOT_CLEAR if error.graph_at_fault else USAGE)
    except _ParserError as error:
        message: str = getattr(error, "format_message", error.__str__)()
        asked = getattr(getattr(error, "ctx", None), "command_path", "tasnet")
        return _complain(f"{' '.join(message.split()).rstrip('.')}; see {asked} --help")
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


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"tasnet {__version__}")
        raise typer.Exit


@app.callback()
def _tasnet(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """What stands before a command."""


_STDERR = 2
"""its number as a file"""
_NO_TESTS = 5
"""of pytest: nothing was chosen"""


@with_run_options()
def matrix(
    options: RunOptions,
    profile: Profile = "matrix",
    case: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CASE",
            help="this case alone, of the profile or not: an id, a run tag, axis=value pairs; or a pattern such as "
            "'project-*'; repeats",
        ),
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="print each case's id, a tab, and its function; run nothing")
    ] = False,
    workers: Annotated[str, typer.Option("-n", metavar="N", help="processes: a count, or auto")] = "0",
    keyword: Annotated[
        str, typer.Option("-k", metavar="EXPR", help="the cases whose ids have these parts: 'project and not k1'")
    ] = "",
    first: Annotated[bool, typer.Option("-x", help="stop at the first case that isn't as the ledger says")] = False,
    ledger: LedgerAt = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the run; what pytest says goes to stderr")] = False,
) -> int:
    """Run the cases of a profile, and hold each against the ledger.

    Exits 0 when all is as the ledger says, 1 when not. With --json one object: the run as `tasnet runs --json` has it,
    and `cases_judged`, each with verdict, kind, families, entries and the command that repeats it.

    Example: tasnet matrix --profile notes -n 2
    """
    from dataclasses import replace

    from tasnet.suite.ask import known_observations
    from tasnet.suite.cases import case_function
    from tasnet.suite.history import read_run, run_folders, run_json
    from tasnet.suite.ledger import from_here, ledger_of, other_package, root_folder
    from tasnet.suite.run import Store, cases_of, open_compiler

    root = root_folder(options.root)
    place, checkpoint = options.store_root(), options.checkpoint
    known = known_observations(Store(place), options.arch)
    cases = cases_of(
        profile,
        options.arch,
        place,
        toolchain=options.toolchain,
        checkpoint=checkpoint,
        named=case or (),
        known=known,
    ).cases
    if list_ and keyword:
        raise UsageError("--list -k: -k chooses among the tests of a run; leave it out")
    if list_:
        print("\n".join(f"{each.id}\t{case_function(each).text}" for each in cases))
        return OK
    if workers != "auto" and not workers.isdecimal():
        raise UsageError(f"-n {workers}: a count of processes, or auto")
    options.recipe()
    toolchain = options.toolchain_options()
    if toolchain.name == "dfc":
        # What is wrong with it is said here, in a line, and not by pytest.
        options = replace(options, dfc_python=str(open_compiler(toolchain).python))
    if not (root / "tests" / "compile").is_dir() or not (ledger or ledger_of(root).is_file()):
        raise UsageError(
            f"{root}: no suite there, nor in a folder above; stand in a checkout of tasnet, name one with --root, "
            "or make a folder one: tasnet init"
        )
    if note := other_package(root):
        print_line(f"note: {note}", error=True)
    # It is started where one stands, so that paths mean what they mean here, in what it prints too. Not with
    # `-m pytest`: that would look for modules here first, and `tasnet/cli/numbers.py` is not Python's.
    command = [sys.executable, "-c", _PYTEST, f"--rootdir={root}", str(from_here(root / "tests") / "compile")]
    # What captures logs costs each of 1680 tests more than its work in a full store.
    command += ["-p", "no:logging", "-m", "compile", "-n", workers]
    command += [f"--tasnet-profile={profile}", *(f"--tasnet-case={each}" for each in case or ())]
    command += [f"--tasnet-{name}={value}" if value else f"--tasnet-{name}" for name, value in options.given()]
    command += [*(["-k", keyword] if keyword else []), *(["-x"] if first else [])]
    command += [f"--tasnet-ledger={ledger}"] if ledger else []
    known_runs = set(run_folders(place)) if as_json else set()
    code = subprocess.call(command, stdout=_STDERR if as_json else None)
    if as_json:
        begun = [folder for folder in run_folders(place) if folder not in known_runs]
        if len(begun) > 1:
            raise UsageError(f"{place}: {len(begun)} runs began at once, and one is meant; see tasnet runs --json")
        for folder in begun:
            show(run_json(read_run(folder)))
    if code == _NO_TESTS and keyword:
        raise UsageError(
            f"-k {keyword}: no case of {profile} is named so; tasnet matrix --profile {profile} --list has them"
        )
    # pytest's own codes: 4 is wrong usage
    return {0: OK, 4: USAGE, _NO_TESTS: USAGE}.get(code, NOT_CLEAR)


app.command(rich_help_panel=BY_HAND)(graphs.export)
app.command(rich_help_panel=BY_HAND)(graphs.translate)
app.command(rich_help_panel=BY_HAND)(checking.check)
app.command(rich_help_panel=BY_HAND)(graphs.inspect)
app.command(rich_help_panel=BY_HAND)(isolation.isolate)
app.command(rich_help_panel=BY_HAND)(numbers.listen)
app.add_typer(plan.commands, name="plan", rich_help_panel=PLANS)
app.command(rich_help_panel=SUITE)(init)
app.command(rich_help_panel=SUITE)(matrix)
app.add_typer(ledger_.commands, name="ledger", rich_help_panel=SUITE)
app.command(rich_help_panel=SUITE)(numbers.parity)
app.add_typer(numbers.limits, name="thresholds", rich_help_panel=SUITE)
app.command(rich_help_panel=RUNS)(report.report)
app.command(rich_help_panel=RUNS)(report.support)
app.command(rich_help_panel=RUNS)(history.runs)
app.command(rich_help_panel=RUNS)(history.compare)
app.command(rich_help_panel=RUNS)(history.trend)
app.command(rich_help_panel=RUNS)(gate.gate)
app.command(rich_help_panel=COMPILER)(suggesting.suggest)
app.command(rich_help_panel=COMPILER)(compiler.calibrate)
app.command(rich_help_panel=COMPILER)(compiler.sweep)
app.command(rich_help_panel=COMPILER)(compiler.classify)
app.command(name="import-runs", rich_help_panel=COMPILER)(compiler.import_runs)
app.command(rich_help_panel=COMPILER)(compiler.emulate)
app.add_typer(evidence.evidence, name="evidence", rich_help_panel=COMPILER)
