"""git is asked about the folder that is named, whatever the environment names: in a hook, another repository."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from tasnet.common.git_command import GitError, git_environment
from tasnet.common.git_command import git as asked
from tasnet.suite.gate.checkout import blobs_of, checkout, revision
from tasnet.suite.history.origins import find_origin
from tasnet.suite.upkeep.base_ledger import ledger_at
from tests.doubles.repository import ROOT, commit, git


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return _repository(tmp_path / "here", "schema: 1\nbudget: 0\nentries: []\n")


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return _repository(tmp_path / "other", "schema: 1\nbudget: 7\nentries: []\n")


def _repository(folder: Path, ledger: str) -> Path:
    (folder / "tasnet").mkdir(parents=True)
    (folder / "tasnet" / "__init__.py").write_text(f"# {folder.name}\n")
    (folder / "expected_failures.yaml").write_text(ledger)
    git(folder, "init", "--quiet", "--initial-branch", folder.name)
    commit(folder, folder.name)
    return folder


@pytest.fixture
def in_a_hook(other: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `git rev-parse --local-env-vars` lists, each set to the other repository's."""
    for name in git(other, "rev-parse", "--local-env-vars").split():
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other / ".git" / "objects"))
    monkeypatch.setenv("GIT_COMMON_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.worktree")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(other))


@pytest.mark.usefixtures("in_a_hook")
def test_a_run_in_a_hook_of_another_repository_has_its_own_commit(here: Path) -> None:
    (here / "expected_failures.yaml").write_text("schema: 1\nbudget: 9\nentries: []\n")
    found = find_origin(here)
    assert (found.commit, found.branch, found.dirty) == (git(here, "rev-parse", "HEAD"), "here", True)


@pytest.mark.usefixtures("in_a_hook")
def test_so_has_the_ledger_s_base(here: Path) -> None:
    assert ledger_at(here / "expected_failures.yaml", "HEAD").ledger.budget == 0
    assert ledger_at(here / "expected_failures.yaml", "here").ledger is not None


@pytest.mark.usefixtures("in_a_hook")
def test_so_has_the_gate(here: Path) -> None:
    found = checkout(here)
    assert (found.top, found.inside) == (here, "")
    assert blobs_of(found, revision(found, "HEAD").commit) == {
        "tasnet/__init__.py": git(here, "hash-object", "tasnet/__init__.py")
    }


def test_a_real_hook_of_a_worktree(here: Path, other: Path, tmp_path: Path) -> None:
    """git itself sets GIT_DIR and GIT_INDEX_FILE for it."""
    script = f"import sys; sys.path[:0] = {sys.path!r}\n" + (
        "import os; from pathlib import Path; from tasnet.suite.history.origins import find_origin\n"
        f"recorded = find_origin(Path({str(here)!r})).commit\n"
        f"Path({str(tmp_path / 'told')!r}).write_text(os.environ['GIT_DIR'] + ' ' + recorded)\n"
    )
    (tmp_path / "hook.py").write_text(script)
    git(other, "worktree", "add", "--quiet", str(tmp_path / "linked"))
    hook = other / ".git" / "hooks" / "post-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{tmp_path / "hook.py"}"\n')
    hook.chmod(0o755)
    commit(tmp_path / "linked", "a change")
    named, recorded = (tmp_path / "told").read_text().split()
    assert Path(named).is_relative_to(other / ".git"), "the hook's environment names the other repository"
    assert recorded == git(here, "rev-parse", "HEAD")


def test_an_environment_without_a_repository_keeps_where_git_and_its_settings_are() -> None:
    given = {"PATH": "/bin", "GIT_DIR": "x", "GIT_TRACE": "1", "GIT_CONFIG_GLOBAL": "/etc/one", "GIT_ASKPASS": "x"}
    kept = git_environment(given)
    assert {name for name in kept if name in given} == {"PATH", "GIT_CONFIG_GLOBAL"}


def test_an_answer_that_doesn_t_come_is_an_error_of_one_line(here: Path) -> None:
    git(here, "config", "alias.wait", "!sleep 5")
    with pytest.raises(GitError, match=r"git wait gave no answer in 0\.2 s; is another git at work there\?$"):
        asked(here, "wait", seconds=0.2)


def test_nothing_in_the_package_calls_git_by_itself() -> None:
    """A call starts with a list whose first item is the word."""
    found = [
        source.relative_to(ROOT).as_posix()
        for source in sorted((ROOT / "tasnet").rglob("*.py"))
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.List | ast.Tuple)
        and node.elts
        and isinstance(node.elts[0], ast.Constant)
        and node.elts[0].value == "git"
    ]
    assert found == ["tasnet/common/git_command.py"]
