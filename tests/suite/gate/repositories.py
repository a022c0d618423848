"""Repositories whose revisions a gate compares, made once for all workers, and the gate called on a copy of one.

The gate is this process's own: only the code that exports each side's graphs is the repository's, as always.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from tasnet.suite.gate.judging import GateRequest, gate_context
from tasnet.suite.gate.result import GateResult
from tasnet.suite.gate.run import run_gate
from tasnet.suite.run import Recipe, ToolchainOptions
from tests.doubles.repository import FILES, ROOT, commit, git


def once(shared: Path, name: str, make: Callable[[Path], object]) -> Path:
    """The folder of this name that `make` makes, by the first worker that asks. Take a copy for a gate of it."""
    folder = shared / name
    with FileLock(shared / f"{name}.lock"):
        if not folder.exists():
            draft = shared / f"{name}.draft" / name
            make(draft)
            draft.rename(folder)
    return folder


def small(folder: Path, network: str = "") -> None:
    """A repository with one commit on `main`, whose package is a few lines: of a gate that exports no graph of it."""
    package = folder / "tasnet"
    (package / "network").mkdir(parents=True)
    (package / "__init__.py").write_text("import tasnet.network\n")
    (package / "network" / "__init__.py").write_text(network)
    for name in FILES:
        shutil.copyfile(ROOT / name, folder / name)
    (folder / ".gitignore").write_text("__pycache__/\n")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commit(folder, "the suite")


def with_network(folder: Path, network: str) -> None:
    """Commits other code of the network."""
    (folder / "tasnet" / "network" / "__init__.py").write_text(network)
    commit(folder, "another network")


def copied(folder: Path, to: Path) -> Path:
    """A copy, to be changed."""
    return Path(shutil.copytree(folder, to))


@contextmanager
def nothing_left(repository: Path, temporary: Path) -> Iterator[None]:
    """Inside, temporary files are made in a folder of their own; none is left in the end, nor a worktree."""
    temporary.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tempfile, "tempdir", str(temporary))
        # It is this process's, and what it remembers is of the repository as it was.
        gate_context.cache_clear()
        yield
    # The places of memory stay: whoever runs a stage on this machine takes from the same ones.
    assert not [each.name for each in temporary.iterdir() if not each.name.startswith("tasnet-places-")]
    if (repository / ".git").exists():
        assert len(git(repository, "worktree", "list").splitlines()) == 1


def gated(
    repository: Path,
    store: Path,
    *,
    base: str = "main",
    profile: str = "notes",
    toolchain: ToolchainOptions | None = None,
    said: list[str] | None = None,
) -> GateResult:
    """What the gate finds; nothing is left behind, whatever the answer. Its progress goes to `said`."""
    request = GateRequest(repository, base, profile, toolchain or ToolchainOptions(), store, Recipe())
    with nothing_left(repository, repository.parent / "tmp"):
        return run_gate(request, ([] if said is None else said).append)
