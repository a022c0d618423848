"""Options whose values are paths elsewhere, from a bare `pytest` in the checkout: they work, or one line says how."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def run(here: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "TASNET_"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    return subprocess.run(command, cwd=here, env=environ, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("folder", "option"), [(".", "--tasnet-store"), ("tests/suite", "--store")])
def test_a_path_elsewhere_takes_an_equals_sign(tmp_path: Path, folder: str, option: str) -> None:
    (tmp_path / "store").mkdir()
    ran = run(ROOT / folder, "-m", "compile", "--collect-only", option, str(tmp_path / "store"))
    assert ran.returncode == 4
    told = (
        f"{option} {tmp_path / 'store'}: pytest takes the path for tests and leaves {ROOT}; write {option}={tmp_path}"
    )
    assert told in ran.stderr
    assert "Traceback" not in ran.stderr

    wanted = (
        "-m",
        "compile",
        "--collect-only",
        f"{option}={tmp_path / 'store'}",
        "--tasnet-profile",
        "notes",
        "-k",
        "evidence",
    )
    ran = run(ROOT / folder, *wanted, str(ROOT / "tests" / "compile"))
    assert "test_predictions_agree_with_the_evidence" in ran.stdout
    assert ran.returncode == 0


def test_another_projects_tests_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text("def test_it():\n    assert 1\n")
    ran = run(tmp_path, "-p", "no:xdist", "test_theirs.py")
    assert (ran.returncode, "1 passed" in ran.stdout) == (0, True)
