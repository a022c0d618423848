"""docs/asking.md: every command runs, one after another, in one folder."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tasnet.cli import main
from tasnet.suite.cases import parse_case
from tasnet.suite.observed import Evidence, keep_evidence
from tasnet.suite.run import open_store
from tests.doubles.outcomes import DFC, SUPER_DECONV, outcomes
from tests.project.shown import console_blocks

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "asking.md").read_text(encoding="utf-8")
SMALL = "+T=400+N=16+L=16+B=8+H=8+Sc=8+X=2+R=1"
CASES = tuple(parse_case(f"project-normal-{decoder}-k1{SMALL}") for decoder in ("grouped", "conv1x1_head"))


def test_every_command_of_the_page_runs_one_after_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TASNET_STORE", raising=False)
    # Small graphs in the place of the profile's: what is shown is the same, and it takes seconds.
    monkeypatch.setattr("tasnet.suite.cases.profiles.PROFILES", {"notes": lambda: CASES})
    told = tuple(outcomes(SUPER_DECONV, by=DFC).values())[1:]
    keep_evidence(open_store(tmp_path / ".tasnet"), Evidence(case_id=CASES[0].id, tag=CASES[0].id, outcomes=told))
    said = {}
    for command, _ in (step for block in console_blocks(PAGE) for step in block):
        program, *words = shlex.split(command)
        assert program == "tasnet"
        assert main(words) == 0, command
        said[" ".join(words[:2])] = capsys.readouterr().out
    assert len(said) == 5
    assert "1 observed" in said["suggest --profile"]
    assert "never easier" in said["suggest --profile"]
    assert "decided: nothing is open" in said["sweep --profile"]
    assert "observed: failed" in said["evidence show"]
    assert "kept 0, known 1" in said["evidence import"]
    page = (tmp_path / "questions.html").read_text()
    for word in ("observed", "predicted"):
        assert f'class="word {word}' in page
    assert "What to compile next" in page
