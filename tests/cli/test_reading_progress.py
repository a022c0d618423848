"""A report that takes a while says how far it is; one that doesn't says nothing."""

from __future__ import annotations

import pytest

from tasnet.cli import reading_progress as module
from tasnet.cli.reading_progress import reading_progress


def _read(count: int) -> None:
    with reading_progress() as tell:
        for done in range(1, count + 1):
            tell(done, count)


def test_a_quick_one_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    _read(100)
    assert capsys.readouterr() == ("", "")


def test_a_slow_one_says_how_far_it_is_on_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "QUIET", -1.0)
    _read(100)
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert len(lines) == 10
    assert lines[-1].endswith("100 of 100")
