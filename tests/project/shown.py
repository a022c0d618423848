"""What a page of the project shows: its console blocks, run and compared with what they print."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.doubles.repository import environment
from tests.forked import run_module

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


def run(command: str, folder: Path, *, codes: tuple[int, ...] = (0, 1), **more: str) -> list[str]:
    """The lines that a command, `tasnet` or `pytest`, prints in `folder`, 100 columns wide."""
    program, *words = shlex.split(command)
    beside = Path(sys.executable).parent
    assert shutil.which(program, path=str(beside)), f"{program} is not installed in {beside}"
    # A run's stages need torch: the pytest that works them out is this fork, which has it.
    module = "tests.project.with_pytest_inside" if words[:1] == ["matrix"] else program
    done = run_module(module, words, folder, environment(COLUMNS="100", **more))
    assert done.returncode in codes, f"{command}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return (done.stdout + done.stderr).splitlines()


def holds(command: str, shown: list[str], printed: list[str]) -> None:
    """Asserts that every line shown was printed; a line with `…` stands for any."""
    for line in shown:
        if line.strip() and "…" not in line:
            assert _plain(line) in map(_plain, printed), f"{command}: no line {line!r} in:\n" + "\n".join(printed)


def _plain(line: str) -> str:
    """A line without what differs from run to run: times, run folders, the checkout's place."""
    line = re.sub(r"\d+(\.\d+)?s( \(\d+:\d+:\d+\))?", "N s", line)
    line = re.sub(r"\d{8}T\d{6}Z(-\d+)?", "TIME", line)
    return re.sub(r"(=|-){3,}", "=", line).rstrip()
