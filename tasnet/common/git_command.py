"""The one way to call git: about the folder that is named, whatever repository the environment names.

In a hook git sets GIT_DIR, GIT_INDEX_FILE and more, and each of them goes before `-C`: a run would be kept under
another repository's commit, and a worktree made in it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

KEPT = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_EXEC_PATH", "GIT_CEILING_DIRECTORIES")
"""what says where git and its settings lie, and nothing of a repository"""


class GitError(RuntimeError):
    """git said no, wasn't there, or didn't answer in time. One line, git's own last one where there is one."""


def git_environment(of: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment (this process's) in which git finds its repository by the folder alone, and asks nobody."""
    given = os.environ if of is None else of
    kept = {name: value for name, value in given.items() if not name.startswith("GIT_") or name in KEPT}
    # Looking at a checkout that another git is at work on is not to hold its lock.
    return {**kept, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}


def git(folder: Path, *words: str, stdin: str = "", seconds: float = 60.0) -> str:
    """What `git -C folder …` prints, without its last newline; names that are no UTF-8 in surrogate escapes.

    Raises GitError.
    """
    command = ["git", "-C", str(folder), *words]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            env=git_environment(),
            input=stdin.encode(errors="surrogateescape"),
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise GitError(
            f"{folder}: git {words[0]} gave no answer in {seconds:g} s; is another git at work there?"
        ) from None
    except OSError as error:
        raise GitError(f"git can't be run: {error.strerror}; install git") from None
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise GitError(lines[-1] if lines else f"git {words[0]} ended with {done.returncode}")
    return done.stdout.decode(errors="surrogateescape").removesuffix("\n")
