"""What a page of the project shows: its console blocks, run and compared with what they print."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

Step = tuple[str, list[str]]
"""a command, and the lines shown below it"""

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def console_blocks(text: str) -> Iterator[list[Step]]:
    """The console blocks of a page, in its order."""
    for match in _BLOCK.finditer(text):
        steps: list[Step] = []
        for line in match.group(1).splitlines():
            if line.startswith("$ "):
                steps.append((line[2:], []))
            elif steps:
                steps[-1][1].append(line)
        yield steps


def run(command: str, folder: Path, *, codes: tuple[int, ...] = (0, 1), **environment: str) -> list[str]:
    """The lines that a command prints in `folder`, 100 columns wide. It is the one beside this Python."""
    words = shlex.split(command)
    binary = shutil.which(words[0], path=str(Path(sys.executable).parent))
    assert binary, f"{words[0]} is not installed beside {sys.executable}"
    done = subprocess.run(
        [binary, *words[1:]],
        cwd=folder,
        env={**_outside(os.environ), "COLUMNS": "100", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in codes, f"{command}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return (done.stdout + done.stderr).splitlines()


def holds(command: str, shown: list[str], printed: list[str]) -> None:
    """Asserts that every line shown was printed; a line with `…` stands for any."""
    for line in shown:
        if line.strip() and "…" not in line:
            assert _plain(line) in map(_plain, printed), f"{command}: no line {line!r} in:\n" + "\n".join(printed)


def _outside(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what the pytest around this test has put there."""
    return {key: value for key, value in environment.items() if not key.startswith(("PYTEST_", "COV_"))}


def _plain(line: str) -> str:
    """A line without what differs from run to run: times, run folders, the checkout's place."""
    line = re.sub(r"\d+(\.\d+)?s( \(\d+:\d+:\d+\))?", "N s", line)
    line = re.sub(r"\d{8}T\d{6}Z(-\d+)?", "TIME", line)
    return re.sub(r"(=|-){3,}", "=", line).rstrip()
