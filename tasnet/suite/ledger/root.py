"""The root: the folder whose ledger, store and limits are meant by a command, or by pytest, started anywhere in it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from tasnet.common import PACKAGE, TasnetError

LEDGER_FILE = "expected_failures.yaml"
"""the ledger's name in a root; the folder that has it is one"""


class RootError(TasnetError, ValueError):
    """`--root` names what can't be a root, or there is no folder to stand in. One line."""


def root_folder(given: Path | None = None) -> Path:
    """The root that is given, else the nearest one; the folder one stands in where there is none. Raises RootError."""
    if given is not None:
        if not given.is_dir():
            what = "not a folder" if os.path.lexists(given) else "no such folder"
            raise RootError(f"--root {given}: {what}; name a folder with an {LEDGER_FILE} in it")
        return given.resolve()
    here = _here()
    return nearest_root(here) or here


def nearest_root(start: Path) -> Path | None:
    """The nearest folder with a ledger in it: `start`, links followed, or one above it. None where there is none.

    Above `start` a root is only what is plainly of the same project: the way up ends at the home folder, at `/`, at a
    folder of another owner, at one that everybody may write to, and at one that can't be looked into. What lies there
    is somebody else's, such as a ledger among temporary files, and pytest would run the tests beside it.
    """
    start = Path(os.path.realpath(start))
    try:
        owner, home = os.stat(start).st_uid, os.path.realpath(Path.home())
    except (OSError, RuntimeError):
        return start if os.path.lexists(start / LEDGER_FILE) else None
    for folder in (start, *start.parents):
        if folder != start and (str(folder) in (home, folder.anchor) or not _is_safe(folder, owner)):
            return None
        # A broken link, too: it is said to be broken, where its root is, rather than passed over.
        if os.path.lexists(folder / LEDGER_FILE):
            return folder
    return None


def _is_safe(folder: Path, owner: int) -> bool:
    try:
        found = os.stat(folder)
    except OSError:
        return False
    return found.st_uid == owner and not found.st_mode & stat.S_IWOTH and os.access(folder, os.X_OK)


def ledger_of(root: Path) -> Path:
    """The root's ledger, as a person would name it from here: entries are named by it in every failure."""
    return from_here(root / LEDGER_FILE)


def from_here(path: Path) -> Path:
    """The path as it is named from the folder one stands in, if that lies above or below; else as it is."""
    here = _here()
    inside = here.is_relative_to(path.parent) or path.is_relative_to(here)
    return Path(os.path.relpath(path, here)) if inside else path


def other_package(root: Path) -> str:
    """A note where `root` has a tasnet of its own and another one is running; empty where it hasn't."""
    own = root / "tasnet" / "__init__.py"
    if not own.is_file() or own.parent.samefile(PACKAGE):
        return ""
    return f"{root} has a tasnet of its own, and {PACKAGE} is running: take the environment of that checkout"


def _here() -> Path:
    try:
        return Path.cwd()
    except OSError:
        raise RootError("the folder that you stand in is gone; change to one that is there") from None
