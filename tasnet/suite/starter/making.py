"""The files of a suite, written into a folder and never over anything."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tasnet.common import PACKAGE, TasnetError, why_no_folder

HERE = Path(__file__).parent
PATTERNS = tuple((HERE / "files.txt").read_text(encoding="utf-8").split())
"""The files of a suite, as globs below its root; setup.py reads them, too."""
_TABLES = ("tool.pytest.ini_options", "tool.tasnet.limits", "tool.tasnet.gate")
"""what is a suite's in a pyproject.toml; the rest makes a package of tasnet"""
_PLUGIN = "tasnet.suite.plugin"


class StarterError(TasnetError, RuntimeError):
    """No suite can be made there. One line: why, and what to do."""


@dataclass(frozen=True)
class StartedSuite:
    """What was done in a folder: files that were written, that were there already, and that were there and differ."""

    folder: Path
    written: tuple[str, ...]
    there: tuple[str, ...]
    other: tuple[str, ...]
    plugin_missing: bool
    """whether a conftest.py was there that doesn't load the suite's plugin"""


def start_suite(folder: Path) -> StartedSuite:
    """Writes the files that the folder lacks; the folder is made where it is missing. Raises StarterError, OSError."""
    files = shipped_files()
    if instead := why_no_folder(folder.absolute()):
        raise StarterError(f"{folder}: {instead}")
    # Before the first is written: a file where one of the folders is to be.
    for name in files:
        where = folder / Path(name).parent
        if why_no_folder(where.absolute()):
            raise StarterError(f"{where}: no folder can be made there for {name}; see what is there, or name another")
    there = [name for name in files if os.path.lexists(folder / name)]
    other = [name for name in there if not _same(folder / name, files[name])]
    missing = [name for name in files if name not in there]
    for name in missing:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        # Exclusively: what came in between is somebody's, too.
        with (folder / name).open("xb") as file:
            file.write(files[name])
    own = "conftest.py" in other and not _loads_plugin(folder / "conftest.py")
    return StartedSuite(folder, tuple(missing), tuple(each for each in there if each not in other), tuple(other), own)


def shipped_files() -> Mapping[str, bytes]:
    """Path below a root -> content: of the wheel, else of the checkout that the package is in. Raises StarterError."""
    source = HERE / "files" if (HERE / "files").is_dir() else PACKAGE.parent
    found = {
        path.relative_to(source).as_posix(): path.read_bytes()
        for pattern in PATTERNS
        for path in sorted(source.glob(pattern))
    }
    if lacking := [each for each in PATTERNS if "*" not in each and each not in found]:
        raise StarterError(f"{source}: this tasnet has no {lacking[0]} with it; install it again, from a wheel")
    found["pyproject.toml"] = _settings(found["pyproject.toml"].decode()).encode()
    return found


def _settings(pyproject: str) -> str:
    """The tables of a suite alone, each with the comments before it and in it."""
    heads = tuple(f"[{name}{end}" for name in _TABLES for end in "].")
    kept: list[str] = []
    comments: list[str] = []
    inside = False
    for line in pyproject.splitlines():
        if line.startswith("#"):
            comments.append(line)
            continue
        if line.startswith("["):
            inside = line.startswith(heads)
        kept += [*comments, line] if inside else []
        comments = []
    return "\n".join(kept).strip() + "\n"


def _same(path: Path, content: bytes) -> bool:
    return path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content


def _loads_plugin(conftest: Path) -> bool:
    return conftest.is_file() and _PLUGIN.encode() in conftest.read_bytes()
