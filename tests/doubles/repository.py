"""A git repository with this checkout's tasnet in it, to be changed and judged: real files, real commits."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.forked import run_module

ROOT = Path(__file__).parents[2]
FILES = ("expected_failures.yaml", "thresholds.yaml", "pyproject.toml")


def made(folder: Path, settings: str = "") -> Path:
    """A repository at `folder` with one commit on `main`; `settings` stand in its [tool.tasnet.gate]."""
    folder.mkdir(parents=True)
    # With its bytecode, which holds for the copy: each of the many processes that run here would compile it anew.
    shutil.copytree(ROOT / "tasnet", folder / "tasnet", ignore=shutil.ignore_patterns("*-pytest-*.pyc"))
    for name in FILES:
        shutil.copyfile(ROOT / name, folder / name)
    if settings:
        settle(folder, settings)
    (folder / ".gitignore").write_text("__pycache__/\n.tasnet/\n")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commit(folder, "the suite")
    return folder


def settle(folder: Path, settings: str) -> None:
    """Puts text in the place of the gate's settings."""
    path = folder / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"(?ms)^\[tool\.tasnet\.gate\]\n.*?(?=^\[|\Z)", "", text)
    path.write_text(f"{text}\n[tool.tasnet.gate]\n{settings}\n", encoding="utf-8")


def git(folder: Path, *words: str) -> str:
    """What git prints in the folder; an error of it is the test's."""
    named = ["-c", "user.name=someone", "-c", "user.email=someone@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *named, *words], cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"git {' '.join(words)}: {done.stderr}"
    return done.stdout.strip()


def commit(folder: Path, message: str) -> None:
    """Commits all that is there."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)


def changed(folder: Path, file: str, *replacements: tuple[str, str]) -> None:
    """Replaces text in a file, each of which must be there, and commits."""
    path = folder / file
    text = path.read_text(encoding="utf-8")
    for old, new in replacements:
        assert old in text, f"{file} has no {old!r}: give the test a text that it has"
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    commit(folder, f"change {file}")


def environment(**more: str) -> dict[str, str]:
    """This process's, without what belongs to its own pytest or to a git hook around it."""
    dropped = ("PYTEST_", "GIT_", "TASNET_")
    return {**{key: value for key, value in os.environ.items() if not key.startswith(dropped)}, **more}


def run_pytest(*words: str, folder: Path = ROOT, **more: str) -> subprocess.CompletedProcess[str]:
    """Runs pytest in a folder, here this checkout."""
    return run_module("pytest", words, folder, environment(**more))


def tasnet(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Runs the folder's own `tasnet`."""
    return run_module("tasnet", words, folder, environment(**more))
