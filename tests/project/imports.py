"""Which modules of the package a module needs: what it imports, and what that imports, through the rooms' doors."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


def needed_by(modules: Iterable[str]) -> set[str]:
    """The modules, and all modules of the package that they import, at any depth and in any function."""
    found: set[str] = set()
    waiting = [*modules]
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += _imported_by(module)
    return found


@cache
def _imported_by(module: str) -> tuple[str, ...]:
    return tuple(_imports(_file(module)))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """All statements of a tree, at any depth, and none of the many expressions in them."""
    for each in ast.iter_child_nodes(node):
        if isinstance(each, (ast.stmt, ast.ExceptHandler, ast.match_case)):
            yield each
            yield from statements(each)


def _imports(path: Path) -> Iterator[str]:
    for node in _run_at_all(tree(path)):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name.startswith("tasnet."))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "tasnet":
            for each in node.names:
                yield from _behind(str(node.module), each.name)


def _run_at_all(tree: ast.AST) -> Iterator[ast.AST]:
    """All statements but those that only a type checker sees."""
    for node in ast.iter_child_nodes(tree):
        only_checked = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if isinstance(node, (ast.stmt, ast.ExceptHandler, ast.match_case)) and not only_checked:
            yield node
            yield from _run_at_all(node)


def _behind(module: str, name: str) -> Iterator[str]:
    """The modules that `from module import name` runs: the room's own, and the one behind its door."""
    yield module
    if _file(f"{module}.{name}").is_file():
        yield f"{module}.{name}"
    elif name in (door := _door(module)):
        yield f"{module}.{door[name]}"


@cache
def _door(module: str) -> Mapping[str, str]:
    """What a room hands out, by the module behind it; nothing for what is no room."""
    path = _file(module).with_suffix(".pyi")
    if path.name != "__init__.pyi" or not path.is_file():
        return {}
    parts = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ImportFrom) and node.module]
    return {each.name: str(node.module) for node in parts for each in node.names}


def _file(module: str) -> Path:
    folder = ROOT.joinpath(*module.split("."))
    return folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
