"""A count of blocks past the network's is refused: it would be another name of the whole network."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasnet.cli import main
from tasnet.suite.cases.case import CaseError
from tasnet.suite.cases.names import parse_any_case, parse_case
from tasnet.suite.cases.profiles import PROFILES, profile_cases

CALLS = {
    "export": ["export", "{}", "-o", "out"],
    "plan": ["plan", "make", "{}", "-o", "out"],
    "parity": ["parity", "--case", "{}", "-o", "out.html"],
    "listen": ["listen", "{}", "-o", "out"],
    "isolate": ["isolate", "{}", "-o", "out"],
    "explain": ["ledger", "explain", "{}"],
    "thresholds": ["thresholds", "check", "--case", "{}"],
}


def _complaint(arguments: list[str], case: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main([each.format(case) for each in arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, [line for line in err.splitlines() if not line.startswith("note: ")][1:]) == ("", [])
    assert not Path("out").exists()
    return str(err)


@pytest.mark.parametrize("arguments", CALLS.values(), ids=CALLS)
def test_more_blocks_than_the_network_has_are_refused(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = Path.cwd()
    monkeypatch.chdir(tmp_path)
    for name in ("expected_failures.yaml", "thresholds.yaml"):
        Path(name).write_text((root / name).read_text())
    said = "k25: the network has 24 blocks (R=3, X=8); write all, or k23 at most"
    assert said in _complaint(arguments, "split-normal-polyphase-k25", capsys)


@pytest.mark.parametrize("name", ["export", "plan", "parity", "listen", "isolate"])
def test_the_checkpoints_network_counts(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The small one that ships has 12 blocks, as its card says."""
    root = Path.cwd()
    monkeypatch.chdir(tmp_path)
    Path("thresholds.yaml").write_text((root / "thresholds.yaml").read_text())
    arguments = [*CALLS[name], "--checkpoint", "tasnet:small"]
    assert "k16: the network has 12 blocks (R=2, X=6)" in _complaint(arguments, "split-normal-polyphase-k16", capsys)


def test_a_name_counts_the_blocks_of_its_own_sizes() -> None:
    for right in ("concat-normal-grouped-k24", "concat-normal-grouped-k2+X=2+R=1", "truncate-k-16", "blocks=24"):
        parse_case(right)
    for wrong in ("concat-normal-grouped-k3+X=2+R=1", "truncate-k-16+X=2", "blocks=25", "concat-bypass-grouped-k25"):
        with pytest.raises(CaseError, match="the network has"):
            parse_case(wrong)
    assert all(parse_any_case(case.id) == case for name in PROFILES for case in profile_cases(name))
