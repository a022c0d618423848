"""Commands that have nothing to do leave nothing behind: no store, no folder in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasnet.cli import main

NOTHING_TO_DO = {
    "runs": ["runs"],
    "trend": ["trend", "baseline"],
    "compare": ["compare"],
    "report": ["report"],
    "support": ["support"],
    "ledger check": ["ledger", "check"],
    "ledger update": ["ledger", "update"],
    "ledger explain": ["ledger", "explain", "baseline"],
    "evidence show": ["evidence", "show"],
    "evidence export": ["evidence", "export", "evidence.json"],
    "evidence import": ["evidence", "import", "none.json"],
    "import-runs": ["import-runs", "none"],
    "thresholds check": ["thresholds", "check"],
    "thresholds propose": ["thresholds", "propose"],
    "a list": ["matrix", "--list", "--profile", "notes"],
    "an unknown profile": ["matrix", "--profile", "none"],
    "an unknown case": ["listen", "none"],
    "a plan that isn't there": ["plan", "show", "none"],
    "no compiler": ["sweep", "--toolchain", "dfc", "--dfc-python", "none"],
}


@pytest.mark.parametrize("arguments", NOTHING_TO_DO.values(), ids=NOTHING_TO_DO)
def test_a_command_without_anything_to_do_leaves_the_folder_as_it_was(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("expected_failures.yaml", "thresholds.yaml"):
        (tmp_path / name).write_text(Path(name).read_text())
    monkeypatch.chdir(tmp_path)
    before = sorted(Path().rglob("*"))
    assert main(arguments) in (0, 2)
    assert capsys.readouterr().err.count("\n") <= 1
    assert sorted(Path().rglob("*")) == before
