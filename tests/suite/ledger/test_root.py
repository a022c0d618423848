"""The root: the nearest folder with a ledger, and never one that somebody else may have put one into."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tasnet.suite.ledger import from_here, nearest_root, root_folder
from tasnet.suite.ledger.root import RootError, other_package
from tests.doubles.repository import environment

LEDGER = "expected_failures.yaml"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A root in a home folder, with folders in it."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    made = tmp_path / "home" / "work" / "suite"
    (made / "tests" / "compile").mkdir(parents=True)
    (made / LEDGER).touch()
    return made


def test_it_is_the_nearest_folder_with_a_ledger_here_or_above(root: Path) -> None:
    assert nearest_root(root) == root
    assert nearest_root(root / "tests" / "compile") == root
    assert nearest_root(root.parent) is None
    (root / "tests" / LEDGER).touch()
    assert nearest_root(root / "tests" / "compile") == root / "tests"


def test_the_way_up_ends_at_home_and_a_ledger_there_is_only_for_who_stands_there(root: Path) -> None:
    home = root.parents[1]
    (home / LEDGER).touch()
    (home.parent / LEDGER).touch()
    assert nearest_root(root.parent) is None
    assert nearest_root(home) == home
    assert nearest_root(root) == root


def test_a_link_into_a_root_leads_to_it_and_not_to_where_the_link_lies(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / LEDGER).touch()
    (tmp_path / "elsewhere" / "link").symlink_to(root / "tests")
    assert nearest_root(tmp_path / "elsewhere" / "link") == root
    monkeypatch.chdir(tmp_path / "elsewhere" / "link")
    assert root_folder() == root
    # and what is said of a file opens it from there: the system follows the link before the dots
    assert str(from_here(root / LEDGER)) == f"../{LEDGER}"
    assert from_here(root / LEDGER).samefile(root / LEDGER)


def test_a_folder_for_everybody_or_of_another_owner_is_no_root_from_below(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger's ledger in /tmp would bring its conftest.py with it."""
    inside = root / "tests"
    root.chmod(0o1777)
    assert nearest_root(inside) is None
    assert nearest_root(root) == root
    root.chmod(0o755)
    assert nearest_root(inside) == root
    usual = os.stat

    def others(path: Path, **how: bool) -> os.stat_result:
        found = usual(path, **how)
        return os.stat_result((*found[:4], found.st_uid + 1, *found[5:])) if Path(path) == root else found

    monkeypatch.setattr("tasnet.suite.ledger.root.os.stat", others)
    assert nearest_root(inside) is None


def test_a_folder_above_that_cannot_be_looked_into_is_no_root_and_no_error(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # who runs this may be allowed everything: what the system would say is said for it
    monkeypatch.setattr("tasnet.suite.ledger.root.os.access", lambda path, mode: Path(path) != root)
    assert nearest_root(root / "tests") is None


def test_a_broken_ledger_is_a_ledger_and_is_not_walked_past(root: Path) -> None:
    (root / "tests" / LEDGER).symlink_to("nowhere")
    assert nearest_root(root / "tests" / "compile") == root / "tests"


def test_a_worktree_in_a_checkout_is_a_root_of_its_own(root: Path) -> None:
    def git(*words: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *who, *words], cwd=root, env=environment(), check=True, capture_output=True)

    git("init", "-q")
    git("add", LEDGER)
    git("commit", "-qm", "a")
    git("worktree", "add", "-q", "trees/other")
    (root / "trees" / "other" / "deep").mkdir()
    assert nearest_root(root / "trees" / "other" / "deep") == root / "trees" / "other"


def test_without_one_it_is_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert root_folder() == tmp_path / "empty"


def test_a_named_one_is_taken_as_it_is(root: Path, tmp_path: Path) -> None:
    assert root_folder(root.parent) == root.parent
    (tmp_path / "file").touch()
    with pytest.raises(RootError, match=r"--root .*file: not a folder; name a folder with an expected_failures\.yaml"):
        root_folder(tmp_path / "file")
    with pytest.raises(RootError, match="none: no such folder"):
        root_folder(tmp_path / "none")


def test_a_folder_that_is_gone_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(RootError, match="the folder that you stand in is gone"):
        root_folder()
    monkeypatch.chdir(tmp_path)


def test_a_root_with_a_package_of_its_own_says_that_another_one_is_running(root: Path) -> None:
    assert other_package(root) == ""
    assert other_package(Path(__file__).parents[3]) == ""
    (root / "tasnet").mkdir()
    (root / "tasnet" / "__init__.py").touch()
    assert other_package(root).startswith(f"{root} has a tasnet of its own, and ")
