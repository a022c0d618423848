"""Finds the Dataflow Compiler's interpreter: a given path, TASNET_DFC_PYTHON, or the usual places."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tasnet.common import TasnetError
from tasnet.hailo.compiler.worker import ABOUT, PROTOCOL

VARIABLE = "TASNET_DFC_PYTHON"
WORKER = Path(__file__).with_name("worker.py")

_ADVICE = (
    f"give the interpreter that has hailo_sdk_client with --dfc-python or {VARIABLE}, or run with --toolchain reference"
)
_PYTHON_VARIABLES = (
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "PYTHONSAFEPATH",
    "__PYVENV_LAUNCHER__",
    "VIRTUAL_ENV",
)
_ANSWER_SECONDS = 20.0


class DfcError(TasnetError, ValueError):
    """The Dataflow Compiler can't be used so. The message says what is wrong, where, and what to do."""


class DfcNotFound(DfcError):
    """No interpreter with the Dataflow Compiler. `looked` are the places, each with what was there."""

    def __init__(self, looked: tuple[str, ...]) -> None:
        super().__init__(f"no Dataflow Compiler found; looked at {'; '.join(looked) or 'nothing'}; {_ADVICE}")


@dataclass(frozen=True)
class Interpreter:
    """An interpreter that has hailo_sdk_client. `sdk` is the wheel's version, empty if there is no wheel."""

    python: Path
    sdk: str


def compiler_environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Environment variables for the compiler's interpreter: this process's, without those that change imports."""
    given = os.environ if environ is None else environ
    return {name: value for name, value in given.items() if name not in _PYTHON_VARIABLES}


def find_compiler(
    explicit: str | Path | None = None, environ: Mapping[str, str] | None = None, here: Path | None = None
) -> Interpreter:
    """The compiler's interpreter: `explicit`, else the variable, else the first of the usual places that has it.

    What is named and doesn't answer is an error and no reason to look further. Raises DfcNotFound.
    """
    env = compiler_environment(environ)
    named = (explicit, "given") if explicit else (env[VARIABLE], f"from {VARIABLE}") if env.get(VARIABLE) else None
    if named:
        found = _interpreter(Path(named[0]), env)
        if isinstance(found, str):
            raise DfcNotFound((f"{named[0]} ({named[1]}): {found}",))
        return found
    looked: list[str] = []
    for path, how in _usual(env, here or Path.cwd()):
        found = _interpreter(path, env)
        if isinstance(found, Interpreter):
            return found
        looked.append(f"{path} ({how}): {found}")
    raise DfcNotFound((*looked, "no environment named *hailo* or *dfc* here or at home with hailo_sdk_client in it"))


def _usual(env: Mapping[str, str], here: Path) -> Iterator[tuple[Path, str]]:
    """Environments, recognised by their folders without starting a process, then the interpreters on PATH."""
    home = Path(env.get("HOME") or os.path.expanduser("~"))
    for folder, patterns in (
        (here, ("*hailo*", ".*hailo*", "*dfc*", ".*dfc*")),
        (here.parent, ("*hailo*", ".*hailo*", "*dfc*", ".*dfc*")),
        (home, ("*hailo*", ".*hailo*", "*hailo*/*env*", "*dfc*", ".*dfc*")),
        (home / ".virtualenvs", ("*hailo*", "*dfc*")),
        (Path("/local/workspace"), ("*hailo*",)),
        (Path("/opt"), ("*hailo*", "*hailo*/*env*")),
    ):
        for pattern in patterns:
            for place in sorted(_glob(folder, pattern)):
                python = place / "bin" / "python3"
                if any(_glob(place, "lib/python3*/site-packages/hailo_sdk_client")) and python.exists():
                    yield python, "environment"
    seen = set()
    for name in ("python3", *(f"python3.{minor}" for minor in range(12, 7, -1))):
        path = shutil.which(name, path=env.get("PATH"))
        if path and os.path.realpath(path) not in seen:
            seen.add(os.path.realpath(path))
            yield Path(path), "on PATH"


def _glob(folder: Path, pattern: str) -> list[Path]:
    try:
        return list(folder.glob(pattern))
    except OSError:
        return []


def _interpreter(path: Path, env: Mapping[str, str]) -> Interpreter | str:
    """The interpreter at `path`, or why it is none that can be used. The SDK isn't imported."""
    # Not resolved: an environment's interpreter is a link, and the link's own folder makes the environment.
    python = Path(os.path.abspath(path.expanduser()))
    if not python.exists():
        return "there is no such file"
    if python.is_dir() or not os.access(python, os.X_OK):
        return "not a program"
    try:
        ran = subprocess.run(
            [str(python), str(WORKER), "about"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_ANSWER_SECONDS,
            env=dict(env),
            start_new_session=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no answer in {_ANSWER_SECONDS:.0f} s"
    except OSError as error:
        return f"can't be run: {error.strerror}"
    answers = [line for line in ran.stdout.decode(errors="replace").splitlines() if line.startswith(ABOUT)]
    if not answers:
        # What it said instead is whatever another program has to say, and not ours to pass on.
        return f"not a Python from 3.8 on (exit code {ran.returncode})"
    try:
        answer = json.loads(answers[-1][len(ABOUT) :])
        if answer["protocol"] != PROTOCOL:
            return f"speaks protocol {answer['protocol']}, not {PROTOCOL}"
        if not answer["found"]:
            return f"Python {answer['python']} without hailo_sdk_client"
        return Interpreter(python, str(answer["sdk"]))
    except (ValueError, KeyError, TypeError):
        return "an answer that can't be read"
