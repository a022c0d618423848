"""The worker that runs in the compiler's interpreter, by itself: its Python, its imports."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import vermin

from tasnet.hailo.compiler.dfc import connect_compiler
from tasnet.hailo.compiler.find import WORKER, DfcError
from tasnet.hailo.toolchain import StageEnd
from tests.doubles.dfc_python import dfc_python
from tests.hailo.compiler.stages import ALLOCATOR, QUICK_LIMITS, RESHAPE, stage

# The worker by itself


def test_the_worker_is_python_3_8_and_imports_no_other_package() -> None:
    tree = ast.parse(WORKER.read_text(), feature_version=(3, 8))
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    assert imported - set(sys.stdlib_module_names) == {"numpy"}
    # What 3.8 can't evaluate must stand in an annotation, where it isn't.
    annotations = {
        id(inner)
        for node in ast.walk(tree)
        for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if annotation is not None
        for inner in ast.walk(annotation)
    }
    generic = {"dict", "list", "tuple", "set", "type", "Callable"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id in generic:
            assert id(node) in annotations, f"line {node.lineno}"
    # An outside word on the calls that it makes.
    (_, least) = vermin.detect(WORKER.read_text())
    assert (3, 0) < least <= (3, 8)


def interpreter(version: str) -> Path | None:
    """A Python of that version on this machine, among pyenv's or on PATH: itself, and no script that starts it."""
    named = shutil.which(f"python{version}")
    # pyenv's scripts on PATH take longer than any Python to start.
    places = [*Path.home().glob(f".pyenv/versions/{version}.*/bin/python"), *([Path(named)] if named else [])]
    for python in places:
        code = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"
        ran = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
        found, _, itself = ran.stdout.strip().partition(" ")
        if found == version:
            return Path(itself)
    return None


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10", "3.11", "3.12"])
def test_the_worker_runs_on_every_python_that_the_compiler_has(files: Path, token: str, version: str) -> None:
    """Where this machine has one; without numpy, which a translation and a compilation don't need."""
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} here")
    chip = connect_compiler(
        dfc_python(files / "env", python=python), limits=QUICK_LIMITS, memory_slots=files / "places"
    )
    assert stage(chip, "translate", files).ended is StageEnd.PASSED
    assert stage(chip, "compile", files).ended is StageEnd.PASSED
    raises = dfc_python(files / "bad", {"compile": {"do": "raise", "type": ALLOCATOR, "text": RESHAPE}}, python=python)
    failed = stage(replace(chip, python=raises), "compile", files)
    assert (failed.ended, failed.failures[0].family) == (StageEnd.FAILED, "reshape_insertion")


def test_no_neighbour_of_the_worker_passes_for_a_module(tmp_path: Path) -> None:
    """`import limits` in the SDK must not find this package's file of that name."""
    package = tmp_path / "site" / "hailo_sdk_client"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("import limits")
    python = tmp_path / "python3"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={tmp_path / "site"} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    with pytest.raises(DfcError, match="No module named 'limits'"):
        connect_compiler(python)


def test_the_double_is_no_part_of_the_package() -> None:
    ran = subprocess.run(
        [sys.executable, "-I", "-c", "import tasnet.hailo.compiler.dfc, hailo_sdk_client"],
        capture_output=True,
        check=False,
    )
    assert b"No module named 'hailo_sdk_client'" in ran.stderr or b"No module named 'tasnet'" in ran.stderr
