"""CONTRIBUTING's worked examples, carried out on a copy of the project: the diffs apply, the commands do as shown."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from tests.doubles.repository import environment, git
from tests.project.shown import console_blocks, holds, run

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTIONS = {part.partition("\n")[0]: part for part in re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]}
BLOCK = re.compile(r"^```(diff|console)\n.*?^```$", re.MULTILINE | re.DOTALL)
WORKED = [title for title, part in SECTIONS.items() if "```diff\n" in part]
PARTS = ("tasnet", "tests", "pyproject.toml", "conftest.py", "expected_failures.yaml", "thresholds.yaml")


def test_every_kind_of_change_has_a_worked_example() -> None:
    assert WORKED == ["An axis value", "A translation rule", "A constraint, with its evidence", "An entry"]


def test_the_examples_do_as_they_say_one_after_the_other(tmp_path: Path) -> None:
    copy_project(tmp_path)
    for title in WORKED:
        for block in BLOCK.finditer(SECTIONS[title]):
            if block.group(1) == "diff":
                diff = block.group().removeprefix("```diff\n").removesuffix("```")
                subprocess.run(
                    ["git", "apply", "-"], cwd=tmp_path, input=diff, text=True, check=True, env=environment()
                )
                continue
            for command, shown in next(console_blocks(block.group())):
                # Before the installed package, in the processes that the command starts too.
                holds(command, shown, run(command, tmp_path, PYTHONPATH=str(tmp_path)))


def copy_project(folder: Path) -> None:
    """The project's own files in a repository of their own, with one commit to hold a change against."""
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder)
    for words in (["init", "-q"], ["add", "--all"], ["commit", "-q", "-m", "before"]):
        git(folder, *words)
