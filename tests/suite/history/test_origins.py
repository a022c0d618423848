"""The commit a run is of, as git tells it of a clean checkout, a changed one, and one without branch or commit."""

from __future__ import annotations

from pathlib import Path

from tasnet.suite.history.origins import find_origin
from tests.doubles.repository import commit, git


def of_git(folder: Path) -> tuple[str, str, bool]:
    found = find_origin(folder)
    return found.commit, found.branch, found.dirty


def test_a_checkout_is_told_by_its_commit_branch_and_changes(tmp_path: Path) -> None:
    assert of_git(tmp_path) == ("", "", False), "no repository"
    git(tmp_path, "init", "--quiet", "--initial-branch", "a/branch")
    (tmp_path / "a file").write_text("1")
    git(tmp_path, "add", "--all")
    assert of_git(tmp_path) == ("", "", False), "no commit yet"
    commit(tmp_path, "first")
    first = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "beside").write_text("not git's")
    assert of_git(tmp_path) == (first, "a/branch", False)
    (tmp_path / "a file").write_text("2")
    assert of_git(tmp_path) == (first, "a/branch", True)
    git(tmp_path, "checkout", "--quiet", "--detach")
    git(tmp_path, "rm", "--quiet", "--force", "a file")
    assert of_git(tmp_path) == (first, "", True), "removed, and not committed"
