"""What can't work is one line and exit code 4, before a test is collected, however quiet pytest is told to be."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = "pytester"
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def checkout(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A checkout whose tests would fail, each, if they were run."""
    for name in ("TASNET_STORE", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.syspath_prepend(ROOT)
    folder = pytester.path
    for name in ("conftest.py", "expected_failures.yaml", "thresholds.yaml"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    for name in ("compile", "numerics"):
        (folder / "tests" / name).mkdir(parents=True)
        (folder / "tests" / name / f"test_{name}.py").write_text("def test_a():\n    assert 0\n")
    (folder / "garbage").write_bytes(b"\x08\xff garbage")
    (folder / "pytest.ini").write_text("[pytest]\n")
    return pytester


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
def test_what_cannot_work_is_one_line_before_any_test(checkout: pytest.Pytester, options: list[str], says: str) -> None:
    if "numerics" in options:
        (checkout.path / "thresholds.yaml").unlink()
    ran = checkout.runpytest_inprocess("-q", "-p", "no:cacheprovider", "-p", "no:xdist", *options)
    assert (ran.ret, ran.stdout.str()) == (pytest.ExitCode.USAGE_ERROR, "")
    assert says in ran.stderr.str()
    assert len(ran.stderr.str().strip().splitlines()) == 1
