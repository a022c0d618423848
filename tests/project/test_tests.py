"""The tests' own order: nobody imports from a test file, and every folder of tests has a room of the package."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for folder in ("tests", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
FROM_A_TEST_FILE = re.compile(r"^\s*(from|import)\s.*\btest_\w")
OURS = re.compile(r"^\s*from ((?:tasnet|tests|benchmarks)[\w.]*) import (\w+(?: as \w+)?(?:, \w+(?: as \w+)?)*)\s*$")
ROOMS = ("network", "hailo", "suite", "common", "cli")


def imports_from_a_test_file(text: str) -> list[str]:
    """The lines that import a test file, or from one; those inside a string, which another process runs, too."""
    return [line.strip() for line in text.splitlines() if FROM_A_TEST_FILE.match(line)]


@pytest.mark.parametrize(
    "line",
    [
        "from tests.suite.test_it import helper",
        "from .test_it import helper",
        "from tests.suite import test_it",
        "from . import helper, test_it",
        "    import tests.suite.test_it as it",
    ],
)
def test_an_import_from_a_test_file_is_found(line: str) -> None:
    assert imports_from_a_test_file(f"import os\n{line}\nfrom tests.suite.helper import testing\n") == [line.strip()]


def test_nothing_is_imported_from_a_test_file() -> None:
    found = {str(path.relative_to(ROOT)): imports_from_a_test_file(path.read_text("utf-8")) for path in SOURCES}
    del found["tests/project/test_tests.py"]
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_programs_in_strings_import_what_is_there() -> None:
    """No linter reads them: a name that was changed everywhere else is found here. The project's own are examples."""
    absent = []
    for path in (each for each in SOURCES if each.parent.name != "project"):
        texts = [node.value for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Constant)]
        lines = [line for text in texts if isinstance(text, str) for line in text.splitlines()]
        for line in filter(None, map(OURS.match, lines)):
            module = importlib.import_module(line[1])
            for name in (part.split()[0] for part in line[2].split(", ")):
                if not hasattr(module, name) and not (ROOT / line[1].replace(".", "/") / f"{name}.py").exists():
                    absent.append(f"{path.relative_to(ROOT)}: {line[0].strip()}: no {name}")
    assert not absent


def test_the_folders_mirror_the_rooms() -> None:
    for room in ROOMS:
        for path in (ROOT / "tests" / room).rglob("test_*.py"):
            folder = path.parent.relative_to(ROOT / "tests")
            assert (ROOT / "tasnet" / folder).is_dir(), f"{path}: the package has no tasnet/{folder}"
