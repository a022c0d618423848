"""The two revisions in git: this side's files as they are, the base's in a temporary worktree."""

from __future__ import annotations

import shutil
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from tasnet.common import GitError, TasnetError, git, unfinished

PREFIX = "tasnet-gate"
"""of the worktree's folder"""

INPUTS = ("tasnet", "expected_failures.yaml", "thresholds.yaml", "pyproject.toml")
"""the files of a checkout on which the gate's result depends"""


class GateError(TasnetError, RuntimeError):
    """The gate can't be run. One line: what is wrong, and what to do."""


@dataclass(frozen=True)
class Checkout:
    """A checkout of the repository that tasnet is in. `inside` is tasnet's folder below `top`, empty at the top."""

    top: Path
    inside: str

    @property
    def root(self) -> Path:
        """The folder with the package, the ledger and the thresholds."""
        return self.top / self.inside


@dataclass(frozen=True)
class Revision:
    """A commit, and the words that it was named by."""

    commit: str
    name: str

    def __str__(self) -> str:
        return self.commit[:9] if self.commit.startswith(self.name) else f"{self.name} ({self.commit[:9]})"


def checkout(root: Path) -> Checkout:
    """The checkout that `root` lies in: with the package, or without one where a tasnet is installed.

    Raises GateError where there is none, or where the package is there and git doesn't know it.
    """
    try:
        top, inside = _git(root, "rev-parse", "--show-toplevel", "--show-prefix").split("\n")[:2]
    except GateError as error:
        raise GateError(
            f"{root}: not a git checkout ({error}); the gate compares commits: clone the repository"
        ) from None
    if not _git(root, "ls-files", "--", "tasnet") and (root / "tasnet").exists():
        raise GateError(f"{root}: tasnet isn't under git there; run the gate of a clone: python -m tasnet gate")
    return Checkout(Path(top), inside.rstrip("/"))


def revision(at: Checkout, name: str) -> Revision:
    """The commit that `name` means. Raises GateError, and says so where the clone is a shallow one."""
    try:
        return Revision(
            _git(at.root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"), name
        )
    except GateError:
        shallow = _git(at.root, "rev-parse", "--is-shallow-repository") == "true"
        todo = "this clone is shallow: git fetch --unshallow" if shallow else "see git log, or fetch it first"
        raise GateError(f"--base {name}: no such revision; {todo}") from None


def uncommitted(at: Checkout) -> tuple[str, ...]:
    """The files that differ from the last commit, or that it doesn't have, of those that the answer depends on."""
    status = _git(at.root, "status", "--porcelain", "--untracked-files=all", "-z", "--", *INPUTS)
    return tuple(entry[3:] for entry in status.split("\0") if len(entry) > 3 and entry[2] == " ")


def missing_commits(at: Checkout, base: Revision) -> int:
    """How many commits of the base this side lacks: their changes show in reverse."""
    return int(_git(at.root, "rev-list", "--count", f"HEAD..{base.commit}"))


def blobs_of(at: Checkout, commit: str) -> Mapping[str, str]:
    """Path below the root -> git blob, of the package's files in a commit."""
    place = f"{commit}:{at.inside}" if at.inside else commit
    listed = _git(at.top, "ls-tree", "-r", "-z", place, "--", "tasnet/")
    return {path: meta.split()[2] for meta, _, path in (line.partition("\t") for line in listed.split("\0") if line)}


def blobs_here(at: Checkout) -> Mapping[str, str]:
    """The same for the files as they are now, without ignored ones."""
    files = _git(at.root, "ls-files", "-co", "--exclude-standard", "-z", "--", "tasnet")
    paths = [path for path in files.split("\0") if path and (at.root / path).is_file()]
    # Relative to the top: git reads them so from stdin.
    listed = "".join(f"{at.inside and at.inside + '/'}{path}\n" for path in paths)
    names = _git(at.top, "hash-object", "--stdin-paths", stdin=listed).split()
    return dict(zip(paths, names, strict=True))


@contextmanager
def worktree(at: Checkout, base: Revision) -> Iterator[Path]:
    """The base's files in a folder of their own; removed when left, also by an error, Ctrl-C or SIGTERM.

    The next gate removes what a killed one left behind. Raises GateError.
    """
    _remove_left_behind(at)
    with unfinished.folder(prefix=PREFIX) as folder, terminated_as_interrupted():
        try:
            # Without the repository's hooks: the folder is temporary.
            words = ("worktree", "add", "--detach", "--quiet", str(folder / "base"), base.commit)
            _git(at.top, "-c", "core.hooksPath=", *words, seconds=600)
            yield folder / "base" / at.inside
        finally:
            _remove(at, folder)


def _remove(at: Checkout, folder: Path) -> None:
    with suppress(GateError):
        _git(at.top, "worktree", "remove", "--force", "--force", str(folder / "base"))
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(GateError):
        _git(at.top, "worktree", "prune")


def _remove_left_behind(at: Checkout) -> None:
    """Remove the worktrees of gates whose process is gone, wherever their temporary files are."""
    for entry in _git(at.top, "worktree", "list", "--porcelain").splitlines():
        word, _, place = entry.partition(" ")
        folder = Path(place).parent
        if word == "worktree" and folder.name.startswith(f"{PREFIX}."):
            unfinished.sweep(folder.parent, f"{PREFIX}.")
    _git(at.top, "worktree", "prune")


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Inside, SIGTERM raises KeyboardInterrupt: CI ends a job with it, and nothing must be left behind."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _git(folder: Path, *words: str, stdin: str = "", seconds: float = 60.0) -> str:
    """The output of git. Raises GateError with git's own last line."""
    try:
        return git(folder, *words, stdin=stdin, seconds=seconds)
    except GitError as error:
        raise GateError(str(error)) from None
