"""CONTRIBUTING's worked examples, carried out on a copy of the project: the diffs apply, the commands do as shown."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from tests.doubles.repository import environment, git
from tests.doubles.stored_runs import copy_store
from tests.project.shown import console_blocks, holds, run

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTIONS = {part.partition("\n")[0]: part for part in re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]}
BLOCK = re.compile(r"^```(diff|console)\n.*?^```$", re.MULTILINE | re.DOTALL)
WORKED = [title for title, part in SECTIONS.items() if "```diff\n" in part]
PARTS = ("tasnet", "tests", "pyproject.toml", "conftest.py", "expected_failures.yaml", "thresholds.yaml")


def test_every_kind_of_change_has_a_worked_example() -> None:
    assert WORKED == ["An axis value", "A translation rule", "A constraint, with its evidence", "An entry"]


def test_each_example_does_as_it_says(tmp_path: Path, notes_store: Path) -> None:
    """Each on the project as it is, but for the entry, which goes on from the constraint.

    The last two change neither the network nor its translation, so a store that knows the graphs still knows them.
    """
    project, store = tmp_path / "project", tmp_path / "store"
    project.mkdir()
    copy_project(project)
    copy_store(notes_store, store)
    for title in WORKED:
        if title != "An entry":
            git(project, "reset", "--quiet", "--hard")
        for block in BLOCK.finditer(SECTIONS[title]):
            if block.group(1) == "diff":
                apply(block.group(), project)
                continue
            for command, shown in next(console_blocks(block.group())):
                # Before the installed package, in the processes that the command starts too.
                more = {"PYTHONPATH": str(project), "TASNET_STORE": str(store)}
                holds(command, shown, run(command, project, **more))


def test_the_diffs_apply_one_after_the_other(tmp_path: Path) -> None:
    diffs = [block.group() for title in WORKED for block in BLOCK.finditer(SECTIONS[title]) if block.group(1) == "diff"]
    for name in {name for diff in diffs for name in re.findall(r"^\+\+\+ b/(.*)$", diff, re.MULTILINE)}:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for diff in diffs:
        apply(diff, tmp_path)


def apply(block: str, folder: Path) -> None:
    diff = block.removeprefix("```diff\n").removesuffix("```")
    subprocess.run(["git", "apply", "-"], cwd=folder, input=diff, text=True, check=True, env=environment())


def copy_project(folder: Path) -> None:
    """The project's own files in a repository of their own, with one commit to hold a change against.

    The bytecode comes with them: it holds for the copies, and each of a dozen commands would compile it anew.
    """
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part)
        else:
            shutil.copy(source, folder)
    (folder / ".gitignore").write_text("__pycache__/\n.tasnet/\n")
    for words in (["init", "-q"], ["add", "--all"], ["commit", "-q", "-m", "before"]):
        git(folder, *words)
