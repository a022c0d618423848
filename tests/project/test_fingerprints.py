"""What is stored is valid for the code that made it: each room that a result depends on changes its fingerprint.

The rooms come from the imports, so a new import that no fingerprint knows of fails here.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tasnet.common import sources
from tasnet.hailo.predict import reference
from tasnet.suite.gate.sides import same_sources
from tasnet.suite.numerics import kept_figures
from tasnet.suite.run.pipeline import Pipeline
from tasnet.suite.run.store import open_store
from tests.project.imports import needed_by

ROOT = Path(__file__).parents[2]
STARTS = {
    # What is kept was computed with the embedded toolchain, which the command line hands to the pipeline.
    "a kept figure": ["tasnet.suite.numerics.measuring", "tasnet.hailo.predict.reference"],
    "the embedded toolchain": ["tasnet.hailo.predict.reference"],
    "an exported graph": ["tasnet.network.export", "tasnet.network.checkpoint"],
    "the gate's graphs": [
        *("tasnet.suite.cases.case", "tasnet.suite.cases.profiles", "tasnet.suite.cases.outcome"),
        *("tasnet.suite.run.pipeline", "tasnet.suite.run.recipe", "tasnet.suite.run.store"),
    ],
}
"""the modules at which the code begins that a stored result comes from"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the package, whose files are hashed in the place of its own."""
    copy = tmp_path / "tasnet"
    shutil.copytree(ROOT / "tasnet", copy, ignore=shutil.ignore_patterns("__pycache__", "assets"))
    monkeypatch.setattr(sources, "PACKAGE", copy)
    # The voices are no sources, and reading them takes a while.
    monkeypatch.setattr(kept_figures, "voices", tuple)
    yield copy
    sources.source_digest.cache_clear()


def test_one_byte_of_a_room_changes_the_fingerprints_of_what_depends_on_it_and_no_other(package: Path) -> None:
    def name_of(path: Path) -> str:
        return path.relative_to(package.parent).as_posix()

    store = open_store(package.parent / "store")
    before = {name_of(path): path.read_text() for path in package.rglob("*.py*")}
    after = dict(before)
    fingerprints: dict[str, Callable[[], object]] = {
        "a kept figure": kept_figures.code_digest.__wrapped__,
        "the embedded toolchain": reference._fingerprint.__wrapped__,
        "an exported graph": lambda: Pipeline(store, reference.Reference())._exporter,
        "the gate's graphs": lambda: same_sources(before, after),
    }
    sources.source_digest.cache_clear()
    unchanged = {name: fingerprint() for name, fingerprint in fingerprints.items()}
    changed: dict[str, set[str]] = {name: set() for name in fingerprints}
    doors: dict[str, set[str]] = {name: set() for name in fingerprints}
    for init in sorted(package.glob("*/**/__init__.py*")):
        room = ".".join(init.parent.relative_to(package.parent).parts)
        text = init.read_text()
        init.write_text(f"{text}\n")
        after[name_of(init)] = f"{text}\n"
        sources.source_digest.cache_clear()
        for name, fingerprint in fingerprints.items():
            if fingerprint() != unchanged[name]:
                (changed if init.suffix == ".py" else doors)[name].add(room)
        init.write_text(text)
        after[name_of(init)] = text
    # The package's own `__init__` holds the version, which is beside a fingerprint wherever one is stored.
    expected = {name: {_room(module) for module in needed_by(starts)} - {"tasnet"} for name, starts in STARTS.items()}
    assert changed == expected
    with_a_door = {".".join(door.parent.relative_to(ROOT).parts) for door in ROOT.glob("tasnet/**/__init__.pyi")}
    assert doors == {name: rooms & with_a_door for name, rooms in expected.items()}


def _room(module: str) -> str:
    return module if ROOT.joinpath(*module.split(".")).is_dir() else module.rpartition(".")[0]
