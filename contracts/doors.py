"""A contract for import-linter: what lies behind a room's door is used in the room alone.

A room is a folder with an `__init__.pyi`, which names what others may use. Others import from the folder:
`from tasnet.hailo.files import Network`, never `from tasnet.hailo.files.hn import Network`.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, output


class DoorsContract(Contract):
    """Broken by each import of another room's module that its door doesn't name."""

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        doors = {_module(door): _named(door) for door in Path().glob("tasnet/**/__init__.pyi")}
        broken = []
        for importer in sorted(graph.modules):
            for imported in sorted(graph.find_modules_directly_imported_by(importer)):
                room = _room(imported, doors)
                if room is None or imported == room or _room(importer, doors) == room:
                    continue
                if imported.removeprefix(f"{room}.") not in doors[room]:
                    details = graph.get_import_details(importer=importer, imported=imported)
                    broken.append(
                        (importer, room, [f"line {each['line_number']}: {each['line_contents']}" for each in details])
                    )
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        broken: list[Any] = check.metadata["broken"]
        for importer, room, lines in broken:
            output.print_error(
                f"{importer}: import from {room}, whose __init__.pyi names what others may use", bold=True
            )
            for line in lines:
                output.print_error(f"    {line}")


def _module(door: Path) -> str:
    return ".".join(door.parent.parts)


def _room(module: str, doors: dict[str, set[str]]) -> str | None:
    """The innermost folder with a door in which a module lies."""
    inside = [door for door in doors if module == door or module.startswith(f"{door}.")]
    return max(inside, key=len, default=None)


def _named(door: Path) -> set[str]:
    """The names in a door's `__all__`."""
    for statement in ast.parse(door.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
            return set(ast.literal_eval(statement.value))
    raise ValueError(f"{door}: has no __all__; name there what other rooms may use")
