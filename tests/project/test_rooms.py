"""Each room's door opens on what it names, lets out nothing unused, and the contract sees who climbs in by a window."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.project.imports import statements, tree

ROOT = Path(__file__).parents[2]
DOORS = sorted((ROOT / "tasnet").glob("**/__init__.pyi"))


def room(door: Path) -> str:
    return ".".join(door.parent.relative_to(ROOT).parts)


@pytest.mark.parametrize("door", DOORS, ids=room)
def test_a_door_opens_on_each_name_whatever_was_imported_before(door: Path) -> None:
    """A module of the same name as what it holds would stand before it once someone inside had imported it."""
    package = importlib.import_module(room(door))
    modules = {path.stem for path in door.parent.glob("*.py")} | {path.name for path in door.parent.iterdir()}
    for name in package.__all__:
        assert isinstance(getattr(package, name), ModuleType) == (name in modules), name


def test_a_door_names_nothing_that_no_other_room_uses() -> None:
    used: dict[str, set[str]] = {room(door): set() for door in DOORS}
    for path in (each for top in ("tasnet", "benchmarks") for each in (ROOT / top).rglob("*.py")):
        own = ".".join(path.parent.relative_to(ROOT).parts)
        for node in statements(tree(path)):
            if isinstance(node, ast.ImportFrom) and node.module in used and node.module != own:
                used[node.module] |= {each.name for each in node.names}
    unused = {room: set(importlib.import_module(room).__all__) - names for room, names in used.items()}
    assert {room: names for room, names in unused.items() if names} == {}


def test_an_import_past_a_door_breaks_the_contract(tmp_path: Path) -> None:
    (tmp_path / "tasnet" / "room").mkdir(parents=True)
    (tmp_path / "tasnet" / "__init__.py").touch()
    (tmp_path / "tasnet" / "room" / "__init__.py").touch()
    (tmp_path / "tasnet" / "room" / "__init__.pyi").write_text('from .inner import shown\n\n__all__ = ["shown"]\n')
    (tmp_path / "tasnet" / "room" / "inner.py").write_text("shown = hidden = 1\n")
    (tmp_path / "pyproject.toml").write_text(
        '[tool.importlinter]\nroot_package = "tasnet"\ncontract_types = ["doors: contracts.doors.DoorsContract"]\n'
        '[[tool.importlinter.contracts]]\nname = "doors"\ntype = "doors"\n'
    )
    (tmp_path / "contracts").symlink_to(ROOT / "contracts")
    outside = tmp_path / "tasnet" / "outside.py"
    linted = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"]

    outside.write_text("from tasnet.room import shown\n")
    kept = subprocess.run(linted, cwd=tmp_path, capture_output=True, text=True, check=False)
    outside.write_text("from tasnet.room.inner import hidden\n")
    broken = subprocess.run(linted, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert kept.returncode == 0, kept.stdout + kept.stderr
    assert broken.returncode == 1
    assert "tasnet.outside: import from tasnet.room" in broken.stdout
    assert "line 1: from tasnet.room.inner import hidden" in broken.stdout


def test_one_name_is_one_class() -> None:
    """Two rooms that call different things by one name can't be talked about; programs that run alone are apart."""
    where: dict[str, list[str]] = {}
    for path in (ROOT / "tasnet").rglob("*.py"):
        for node in statements(tree(path)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                where.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    assert {name: files for name, files in where.items() if len(files) > 1} == {}
