"""What can't work is one line and exit code 4, before a test is collected, however quiet pytest is told to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles.repository import run_pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose tests would fail, each, if they were run."""
    for name in ("conftest.py", "expected_failures.yaml", "thresholds.yaml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    for name in ("compile", "numerics"):
        (tmp_path / "tests" / name).mkdir(parents=True)
        (tmp_path / "tests" / name / f"test_{name}.py").write_text("def test_a():\n    assert 0\n")
    (tmp_path / "garbage").write_bytes(b"\x08\xff garbage")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


WRONG = {
    "a checkpoint that is none": (["--tasnet-checkpoint=garbage"], "garbage: "),
    "a checkpoint that is missing": (["--tasnet-checkpoint=none.pt"], "--tasnet-checkpoint none.pt: no such file"),
    "a store that can't be made": (["--tasnet-store=/proc/none"], "--tasnet-store /proc/none: /proc can't be written"),
    "a store in a file": (["--tasnet-store=garbage/s"], "--tasnet-store garbage/s"),
    "an unknown profile": (["--tasnet-profile=all"], "all"),
    "no ledger": (["--tasnet-ledger=none.yaml"], "none.yaml"),
    "no limits": (["-m", "numerics"], "thresholds.yaml: no such file"),
}


@pytest.mark.parametrize(("options", "says"), WRONG.values(), ids=WRONG)
def test_what_cannot_work_is_one_line_before_any_test(checkout: Path, options: list[str], says: str) -> None:
    if "numerics" in options:
        (checkout / "thresholds.yaml").unlink()
    words = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", *options]
    ran = run_pytest(*words, folder=checkout, PYTHONPATH=str(ROOT))
    assert (ran.returncode, ran.stdout) == (4, "")
    assert says in ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1
