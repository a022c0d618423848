"""The package's structure in figures: modules, lines, rooms with their doors, arrows between rooms, circles, contracts.

python -m benchmarks.house
"""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import grimp
from importlinter.api import read_configuration

ROOT = Path(__file__).parents[1] / "tasnet"


def rooms() -> dict[str, Path]:
    """A folder with a door, by its dotted name."""
    return {".".join(door.parent.relative_to(ROOT.parent).parts): door.parent for door in ROOT.glob("**/__init__.pyi")}


def room_of(module: str, names: set[str]) -> str:
    """The innermost room that a module lies in; the package itself for none."""
    return max((name for name in names if module == name or module.startswith(f"{name}.")), key=len, default="tasnet")


def circles(arrows: set[tuple[str, str]]) -> list[set[str]]:
    """Rooms that reach each other."""
    below: dict[str, set[str]] = {}
    for above, under in arrows:
        below.setdefault(above, set()).add(under)
    reached = {room: _reached(room, below) for room in below}
    found: list[set[str]] = []
    for one, other in itertools.combinations(reached, 2):
        if other in reached[one] and one in reached[other] and not any(one in each for each in found):
            found.append({each for each in reached if each in reached[one] and one in reached[each]} | {one})
    return found


def _reached(room: str, below: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [room]
    while waiting:
        for each in below.get(waiting.pop(), ()):
            if each not in seen:
                seen.add(each)
                waiting.append(each)
    return seen


def main() -> None:
    """Prints it."""
    graph = grimp.build_graph("tasnet", cache_dir=None)
    found = rooms()
    names = set(found)
    arrows: Counter[tuple[str, str]] = Counter()
    for importer in graph.modules:
        for imported in graph.find_modules_directly_imported_by(importer):
            pair = room_of(importer, names), room_of(imported, names)
            if pair[0] != pair[1] and "tasnet" not in pair:
                arrows[pair] += 1
    files = list(ROOT.rglob("*.py"))
    sizes = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in files}
    contracts = read_configuration()["contracts_options"]
    print(f"{len(files)} modules, {sum(sizes.values()):,} lines, the longest {max(sizes.values())}")
    print(
        f"{len(found)} rooms, {len(arrows)} arrows between them by {arrows.total()} imports, "
        f"{len(circles(set(arrows)))} circles, {len(contracts)} contracts"
    )
    for name in sorted(names):
        own = [size for file, size in sizes.items() if room_of(_module(file), names) == name]
        uses = sorted(under.removeprefix("tasnet.") for above, under in arrows if above == name)
        size = f"{len(own):3} modules{sum(own):6,} lines"
        print(f"  {name.removeprefix('tasnet.'):16}{size} -> {', '.join(uses) or 'nothing'}")


def _module(file: Path) -> str:
    return ".".join(file.with_suffix("").relative_to(ROOT.parent).parts)


if __name__ == "__main__":
    main()
