"""CONTRIBUTING's worked examples, carried out on a copy of the project: the diffs apply, the commands do as shown."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from tests.shown import console_blocks, holds, run

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
DIFF = re.compile(r"^```diff\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECTIONS = {part.partition("\n")[0]: part for part in re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]}
WORKED = [title for title, part in SECTIONS.items() if DIFF.search(part)]
PARTS = ("tasnet", "tests", "pyproject.toml", "conftest.py", "expected_failures.yaml", "thresholds.yaml")


def test_every_kind_of_change_has_a_worked_example() -> None:
    assert WORKED == ["An axis value", "A translation rule", "A constraint, with its evidence", "An entry"]


def test_the_examples_do_as_they_say_one_after_the_other(tmp_path: Path) -> None:
    for part in PARTS:
        source, ignored = ROOT / part, shutil.ignore_patterns("__pycache__")
        if source.is_dir():
            shutil.copytree(source, tmp_path / part, ignore=ignored)
        else:
            shutil.copy(source, tmp_path)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    for title in WORKED:
        for diff in DIFF.findall(SECTIONS[title]):
            subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=diff, text=True, check=True)
        for block in console_blocks(SECTIONS[title]):
            for command, shown in block:
                # Before the installed package, in the processes that the command starts too.
                holds(command, shown, run(command, tmp_path, PYTHONPATH=str(tmp_path)))
