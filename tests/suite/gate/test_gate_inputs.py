"""What the gate can't compare is told in one line, exit code 2; nothing is left behind, by a stop or a kill either."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tasnet.cli import main
from tasnet.suite.gate.checkout import terminated_as_interrupted
from tasnet.suite.gate.sides import ExportRequest, Side, export_both
from tasnet.suite.run import Recipe
from tests.doubles.processes import TOKEN, left, until
from tests.doubles.repository import ROOT, commit, environment, git, settle
from tests.suite.gate.repositories import copied, nothing_left, once, small, with_network


def orphan(folder: Path, name: str, *files: str) -> None:
    """A branch that begins with these files alone."""
    git(folder, "checkout", "--quiet", "--orphan", name)
    git(folder, "rm", "-r", "--quiet", "--cached", ".")
    for file in files:
        git(folder, "add", file)
    git(folder, "commit", "--quiet", "--allow-empty", "--message", name)
    git(folder, "checkout", "--quiet", "--force", "main")


def _made(folder: Path) -> None:
    small(folder)
    # What an older day left: no package at all, and a package that has no suite.
    orphan(folder, "empty")
    orphan(folder, "old", "tasnet/__init__.py", "tasnet/network/__init__.py")
    with_network(folder, "# later\n")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "the same again")


@pytest.fixture(scope="module")
def first(shared_folder: Path) -> Path:
    return once(shared_folder, "gate-inputs", _made)


@pytest.fixture
def repository(first: Path, tmp_path: Path) -> Path:
    return copied(first, tmp_path / "repository")


Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """The command, run by this process in a repository with the same tasnet: its exit code, and what it printed."""

    def called(folder: Path, *words: str) -> tuple[int, str, str]:
        monkeypatch.chdir(folder)
        with nothing_left(folder, tmp_path / "tmp"):
            code = main(["gate", *words, "--store", str(tmp_path / "store")])
        return code, *capsys.readouterr()

    return called


def touched(folder: Path) -> None:
    (folder / "tasnet" / "network" / "__init__.py").write_text("# touched\n")


def strange(folder: Path) -> None:
    (folder / "tasnet" / "network" / "more.py").write_text("")


def shared(folder: Path) -> None:
    """A clone of the last commit alone."""
    whole = folder.rename(folder.with_name("whole"))
    git(whole, "clone", "--quiet", "--depth", "1", whole.as_uri(), str(folder))


def no_git(folder: Path) -> None:
    shutil.rmtree(folder / ".git")


def untracked(folder: Path) -> None:
    shutil.rmtree(folder / ".git")
    git(folder, "init", "--quiet")


def settings(text: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        settle(folder, text)
        commit(folder, "settings")

    return write


def nothing(folder: Path) -> None:
    pass


INPUTS: dict[str, tuple[Callable[[Path], None], list[str], str]] = {
    "unknown revision": (nothing, ["--base", "nope"], "--base nope: no such revision; see git log, or fetch it first"),
    "an option as revision": (nothing, ["--base=--all"], "--base --all: no such revision; "),
    "a file as revision": (nothing, ["--base", "HEAD:tasnet"], "--base HEAD:tasnet: no such revision; "),
    "shallow": (shared, ["--base", "HEAD~1"], "this clone is shallow: git fetch --unshallow"),
    "not a checkout": (no_git, ["--base", "HEAD"], "not a git checkout ("),
    "not under git": (untracked, ["--base", "HEAD"], "tasnet isn't under git there"),
    "dirty": (
        touched,
        ["--base", "HEAD"],
        "1 file isn't committed (tasnet/network/__init__.py); commit first, or judge",
    ),
    "untracked": (strange, ["--base", "HEAD"], "1 file isn't committed (tasnet/network/more.py); "),
    "no package": (nothing, ["--base", "empty"], "the base has no graphs to compare: it has no tasnet package; choose"),
    "no suite": (nothing, ["--base", "old"], "the base has no graphs to compare: its tasnet can't be used: "),
    "profile": (nothing, ["--base", "HEAD", "--profile", "all"], "profile 'all' is unknown; one of matrix, "),
    "arch": (nothing, ["--base", "HEAD", "--arch", "hailo9"], "arch=hailo9: unknown architecture; "),
    "toolchain": (nothing, ["--base", "HEAD", "--toolchain", "gcc"], "--toolchain gcc: unknown; "),
    "checkpoint": (nothing, ["--base", "HEAD", "--checkpoint", "x.pt"], "--checkpoint x.pt: no such file; "),
    "markdown": (nothing, ["--base", "HEAD", "--markdown", "no/x.md"], "no directory no; make it first"),
    "a share of text": (settings("size_share = '5%'\n"), ["--base", "HEAD"], "tool.tasnet.gate.size_share: "),
    "a share below zero": (settings("size_share = -1.0\n"), ["--base", "HEAD"], "tool.tasnet.gate.size_share: "),
    "unknown setting": (settings("sise = 1\n"), ["--base", "HEAD"], "size_share, seconds, parity_graphs are known"),
    "no TOML": (settings("[tool"), ["--base", "HEAD"], "pyproject.toml: can't be read ("),
    "no base": (nothing, [], "Missing option '--base'; see tasnet gate --help"),
}


@pytest.mark.parametrize(("change", "words", "says"), INPUTS.values(), ids=INPUTS)
def test_one_line(repository: Path, gate: Command, change: Callable[[Path], None], words: list[str], says: str) -> None:
    change(repository)
    code, out, err = gate(repository, *words)
    assert code == 2
    assert out == ""
    (line,) = (line for line in err.splitlines() if not line.startswith("tasnet gate: "))
    assert line.startswith("tasnet: ")
    assert says in line


def test_uncommitted_files_are_judged_where_that_is_asked(repository: Path, gate: Command) -> None:
    (repository / "expected_failures.yaml").write_text(
        "# a comment\n" + (repository / "expected_failures.yaml").read_text()
    )
    code, out, err = gate(repository, "--base", "HEAD", "--uncommitted")
    assert code == 0, err
    assert "with uncommitted files" in out
    assert "- 1 file isn't committed: expected_failures.yaml" in out


def test_a_suite_below_the_top_of_its_repository(first: Path, tmp_path: Path, gate: Command) -> None:
    top = tmp_path / "top"
    top.mkdir()
    no_git(copied(first, top / "model"))
    git(top, "init", "--quiet", "--initial-branch", "main")
    commit(top, "all of it")
    (top / "other.txt").write_text("beside it")
    commit(top, "another file")
    code, out, err = gate(top / "model", "--base", "HEAD~1", "--profile", "notes")
    assert code == 0, err
    assert "No file that decides a graph differs: all 20 cases are what they were." in out


def test_a_base_that_is_ahead_is_said(repository: Path, gate: Command) -> None:
    git(repository, "checkout", "--quiet", "-b", "behind", "HEAD~1")
    code, out, err = gate(repository, "--base", "main")
    assert code == 0, err
    assert "this side lacks 1 of the base's commits: what they changed shows the wrong way round" in out


def _endless(folder: Path) -> None:
    small(folder, "import time\ntime.sleep(600)\n")
    orphan(folder, "empty")
    with_network(folder, "import time\ntime.sleep(601)\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda each: each.name)
def test_a_stop_leaves_nothing_behind(
    number: signal.Signals, shared_folder: Path, tmp_path: Path, gate: Command
) -> None:
    """Both sides' code would be at work for ten minutes."""
    repository = copied(once(shared_folder, "gate-endless", _endless), tmp_path / "repository")
    temporary, token = tmp_path / "tmp", str(tmp_path)
    temporary.mkdir()
    command = [sys.executable, "-m", "tasnet", "gate", "--root", str(repository), "--base", "HEAD~1"]
    command += ["--store", str(tmp_path / "store")]
    surroundings = environment(TMPDIR=str(temporary), **{TOKEN: token})
    with subprocess.Popen(
        command, cwd=ROOT, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert until(lambda: list(temporary.glob("tasnet-gate.*/base/tasnet")) or running.poll() is not None)
        assert until(lambda: len(left(token)) >= 3 or running.poll() is not None), "both sides' processes"
        os.kill(running.pid, number)
        _, said = running.communicate()
    if number is signal.SIGKILL:
        # Nobody could clean up: the next gate does, once the keepers have ended what was running.
        assert until(lambda: not left(token)), "a side's process lives on"
        assert list(temporary.glob("tasnet-gate.*"))
        code, _, said = gate(repository, "--base", "empty")
        assert code == 2, said
    else:
        assert running.returncode == 130, said
        assert said.splitlines()[-1].startswith("tasnet: stopped; the base's worktree is removed")
    assert until(lambda: not left(token)), "a side's process lives on"
    assert not list(temporary.glob("tasnet-gate.*"))
    assert len(git(repository, "worktree", "list").splitlines()) == 1


def test_a_signal_that_interrupts_no_wait_is_heard_all_the_same(
    shared_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that another thread is given sets a flag alone, as one does that comes just before the wait."""
    monkeypatch.setattr("tasnet.suite.gate.sides._HEARD_SECONDS", 0.1)
    repository = once(shared_folder, "gate-endless", _endless)
    sides = (Side(repository, name, tmp_path / name) for name in ("the base", "this side"))
    other = threading.Timer(0.2, lambda: signal.pthread_kill(threading.get_ident(), signal.SIGTERM))

    def waiting() -> None:
        with terminated_as_interrupted():
            # Else the signal would end the tests.
            assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
            other.start()
            export_both(*sides, ExportRequest("notes", "hailo8", Recipe(), 60.0), lambda text: None)

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        waiting()
    assert time.monotonic() - began < 30, "only when the sides had used up their time"
    other.join()
