"""A Python program in a fork of this process: as in one of its own, but for the imports, which are done.

torch alone takes a second and a half, tasnet a quarter of one, and dozens of tests start commands. tasnet is imported
anew where the program would find another than this checkout's, and the tests' modules always; its folder, environment,
streams and arguments are those that are given.
"""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
OWN = ("tests", "conftest", "benchmarks", "contracts")
"""packages and modules that the program imports for itself"""


def run_module(
    name: str, words: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """What `python -m NAME WORDS` does in a folder, or `python NAME.py WORDS`: its exit code and what it printed."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = start_module(name, words, folder, environment, (out.fileno(), err.fileno()))
        _, ended = os.waitpid(child, 0)
        printed = []
        for stream in (out, err):
            stream.seek(0)
            printed.append(stream.read().decode())
    return subprocess.CompletedProcess([name, *words], os.waitstatus_to_exitcode(ended), *printed)


def start_module(
    name: str, words: Sequence[str], folder: Path, environment: Mapping[str, str], streams: tuple[int, int]
) -> int:
    """Starts what `run_module` runs, and returns its process id; `streams` are its standard output and error."""
    child = os.fork()
    if not child:
        _become(name, words, folder, environment, streams)
    return child


def _become(
    name: str, words: Sequence[str], folder: Path, environment: Mapping[str, str], streams: tuple[int, int]
) -> None:
    """Runs the module and ends this process. Whatever happens, nothing of the tests around it goes on here."""
    code: Any = 70
    try:
        with open(os.devnull, "rb") as nothing:
            os.dup2(nothing.fileno(), 0)
        for stream, number in zip(streams, (1, 2), strict=True):
            os.dup2(stream, number)
        sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False, buffering=1)
        os.environ.clear()
        os.environ.update(environment)
        tempfile.tempdir = None
        # No test can see what a power cut leaves, and on a busy disk a run's end would wait for it.
        os.fsync = lambda _: None
        os.chdir(folder)
        sys.argv = [name, *words]
        # What `-m` and PYTHONPATH put before all else.
        before = [str(folder), *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
        sys.path[:0] = before
        # Neither pytest's rewriting of assertions nor its reading of warnings is the program's.
        sys.meta_path[:] = [each for each in sys.meta_path if not type(each).__module__.startswith("_pytest")]
        warnings.resetwarnings()
        # As Python begins, but for what `-W` and PYTHONWARNINGS add.
        for ignored in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
            warnings.simplefilter("ignore", ignored)
        warnings.filterwarnings("default", category=DeprecationWarning, module="__main__")
        nearest = next((Path(each) for each in before if os.path.isdir(os.path.join(each, "tasnet"))), ROOT)
        own = OWN if nearest.samefile(ROOT) else (*OWN, "tasnet")
        for module in [each for each in sys.modules if each.partition(".")[0] in own]:
            del sys.modules[module]
        try:
            if name.endswith(".py"):
                runpy.run_path(name, run_name="__main__")
            else:
                runpy.run_module(name, run_name="__main__", alter_sys=True)
            code = 0
        except SystemExit as end:
            code = end.code
        sys.stdout.flush()
        if code is not None and not isinstance(code, int):
            print(code, file=sys.stderr)
            code = 1
    except BaseException:
        traceback.print_exc()
        code = 1
    finally:
        sys.stderr.flush()
        os._exit(code or 0)
