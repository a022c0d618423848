"""Options whose values are paths elsewhere, from a bare `pytest` in the checkout: they work, or one line says how."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.doubles.repository import run_pytest

ROOT = Path(__file__).resolve().parents[3]


def run(here: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return run_pytest("-q", "-p", "no:cacheprovider", *options, folder=here)


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
