"""Popular plugins in the same environment: what they bring works, and the suite says what it says without them.

`make .venv/beside/installed` puts them into a folder of their own, where no other run sees them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasnet.suite.history.run import StoredRun, find_run
from tests.doubles.repository import run_pytest
from tests.suite.plugin.small_suite import tells

pytest_plugins = "pytester"

BESIDE = Path(sys.prefix) / "beside"
PLUGINS = ("html", "profiling", "randomly", "rerunfailures", "sugar")

pytestmark = pytest.mark.skipif(not BESIDE.is_dir(), reason="no plugins to stand beside: make .venv/beside/installed")

BAD = "project-bypass-conv1x1_head-k1"
SUITE = ("-m", "compile", "--tasnet-profile", "notes")


@pytest.fixture
def crowded(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.Pytester]:
    """The small suite with one failing case, and five plugins that are found as any that is installed."""
    tells(suite, f"{{'{BAD}': outcomes(OTHER)}}")
    monkeypatch.setenv("PYTHONPATH", str(BESIDE), prepend=":")
    return suite


def run(suite: pytest.Pytester, *options: str) -> str:
    return run_pytest(*SUITE, *options, folder=suite.path).stdout


def judged(suite: pytest.Pytester) -> dict[str, str]:
    """Each case of the last run, and its kind; a case that was kept twice is found."""
    last = find_run(suite.path / ".tasnet", "last")
    assert isinstance(last, StoredRun)
    lines = (last.folder / "records.jsonl").read_text().splitlines()
    assert len(lines) == 20 + 20, "the records of translations and of compiles, each once"
    return {each.case_id: each.kind.value for each in last.records}


def test_five_plugins_change_no_judgement(crowded: pytest.Pytester) -> None:
    options = ("--html=report.html", "--self-contained-html", "--profile", "--reruns=2", "-n", "1")
    # in a process of its own, into which they are loaded from the start
    told = crowded.runpytest_subprocess(*SUITE, *options).stdout.str()
    for name in PLUGINS:
        assert re.search(rf"^plugins: .*\b{name}-[0-9]", told, re.MULTILINE), name
    assert "note: --profile is another plugin's here; tasnet's is --tasnet-profile" in told
    assert (crowded.path / "prof").is_dir(), "the profile that was asked for is pytest-profiling's"
    assert BAD in (crowded.path / "report.html").read_text()
    kinds = judged(crowded)
    assert kinds.pop(BAD) == "unexpected_failure"
    assert set(kinds.values()) == {"expected_pass", "expected_failure"}
    assert re.search(r"1 failed, 28 passed, 13 xfailed, 2 rerun", told)
    assert told.count("next      1 unexpected failure: ") == 1
    # A test that is run again counts once.
    assert "cases 20/20: 6 passed 13 xfailed 1 failed" in told


def test_an_order_by_chance_changes_nothing_that_is_said(crowded: pytest.Pytester) -> None:
    def said(seed: str) -> str:
        told = run(crowded, f"--randomly-seed={seed}", "compile/test_compile.py")
        return told.partition("= notes on hailo8")[2].partition("files     ")[0]

    assert said("1") == said("2") != ""


def test_another_plugins_progress_stands_alone(crowded: pytest.Pytester) -> None:
    told = run(crowded, "--force-sugar", "compile/test_compile.py")
    assert "100%" in told
    assert "cases 20/20" not in told
    assert "verdicts  predicted " in told


def test_a_short_name_that_another_has_is_explained_where_it_leads_astray(crowded: pytest.Pytester) -> None:
    ran = run_pytest("-m", "compile", "--profile", "notes", folder=crowded.path)
    assert ran.returncode == pytest.ExitCode.USAGE_ERROR
    assert "note: --profile is another plugin's here; tasnet's is --tasnet-profile" in ran.stdout.splitlines()
    assert "ERROR: file or directory not found: notes" in ran.stderr.splitlines()
