"""Every command of the README runs, and prints what the README shows."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> Iterator[list[tuple[str, list[str]]]]:
    """The console blocks: (command, the lines shown below it), in the README's order."""
    for match in BLOCK.finditer(README.read_text(encoding="utf-8")):
        steps: list[tuple[str, list[str]]] = []
        for line in match.group(1).splitlines():
            if line.startswith("$ "):
                steps.append((line[2:], []))
            elif steps:
                steps[-1][1].append(line)
        yield steps


IN_THE_CHECKOUT = ("expected_failures.yaml", "SUPPORT.md")
"""what the commands find where they are typed"""
BLOCKS = list(blocks())


def test_the_readme_shows_the_commands_that_it_is_about() -> None:
    assert {command.split()[0] for block in BLOCKS for command, _ in block} >= {"make", "tasnet", "pytest"}


@pytest.mark.parametrize("block", BLOCKS, ids=[block[0][0] for block in BLOCKS])
def test_block(block: list[tuple[str, list[str]]], tmp_path: Path) -> None:
    """The commands of a block run one after the other in one folder, and print the lines below them."""
    for name in IN_THE_CHECKOUT:
        (tmp_path / name).symlink_to(ROOT / name)
    for command, shown in block:
        words = shlex.split(command)
        if words[0] in {"git", "cd"}:
            continue
        if words[0] == "make":
            # CI runs the targets themselves: here it is enough that they are there.
            subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, capture_output=True, check=True)
            continue
        printed = run(words, tmp_path)
        for line in shown:
            if line.strip() and "…" not in line:
                assert _plain(line) in map(_plain, printed), f"{command}: no line {line!r} in:\n" + "\n".join(printed)


def run(words: list[str], folder: Path) -> list[str]:
    """The lines that a command prints. The suite runs in the checkout, on the store that this run fills too."""
    binary = shutil.which(words[0], path=str(Path(sys.executable).parent))
    assert binary, f"{words[0]} is not installed beside {sys.executable}"
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    kept.setdefault("TASNET_STORE", str(ROOT / ".tasnet"))
    place = ROOT if words[0] == "pytest" else folder
    done = subprocess.run(
        [binary, *words[1:]], cwd=place, env={**kept, "COLUMNS": "100"}, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    return (done.stdout + done.stderr).splitlines()


def _plain(line: str) -> str:
    """A line without what differs from run to run: times, run folders, the checkout's place."""
    line = re.sub(r"\d+(\.\d+)?s( \(\d+:\d+:\d+\))?", "N s", line)
    line = re.sub(r"\d{8}T\d{6}Z(-\d+)?", "TIME", line)
    return re.sub(r"(=|-){3,}", "=", line).rstrip()
