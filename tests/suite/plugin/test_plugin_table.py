"""The truth table through pytest: expected x actual x stage x strictness x scope, and with workers each kind of end.

220 cases in one run. What pytest makes of each is read off its own JUnit file, what it was judged to be off the
run's history.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tasnet.suite.cases.case import graph_key
from tasnet.suite.history.run import find_run
from tests.doubles.stored_runs import store_copy
from tests.doubles.truth_table import ACTUAL, EXPECTED, ROWS, SPEAKERS, Row, ledger
from tests.suite.plugin.small_suite import run_with_workers

ROOT = Path(__file__).parents[3]
pytest_plugins = "pytester"

CONFTEST = """\
import pytest
from tests.doubles.outcomes import FakePipeline
from tests.doubles.truth_table import ROWS, TODAY, tell

pytest_plugins = ["tasnet.suite.plugin"]

def pytest_collection_modifyitems(items):
    names = {f"[{row.case.id}]" for row in ROWS}
    items[:] = [item for item in items if item.name[item.name.find("["):] in names]

@pytest.fixture(scope="session")
def pipeline():
    return FakePipeline(tell)

@pytest.fixture(scope="session")
def today():
    return TODAY
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.syspath_prepend(ROOT)
    monkeypatch.delenv("TASNET_STORE", raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    pytester.makepyfile(test_compile=(ROOT / "tests" / "compile" / "test_compile.py").read_text())
    pytester.makeconftest(CONFTEST)
    (pytester.path / "expected_failures.yaml").write_text(ledger())
    return pytester


def test_the_table_is_whole() -> None:
    assert len(ROWS) == len(EXPECTED) * len(ACTUAL) * len(SPEAKERS) == 220


def test_truth_table(suite: pytest.Pytester) -> None:
    check_table(suite, suite.runpytest_inprocess(*TABLE), ROWS)


def test_truth_table_with_workers_of_whom_one_has_all_cases_of_a_graph(suite: pytest.Pytester) -> None:
    """And what each of them sees, a review within a week, is warned of once.

    How a case is judged is the same in any process: of those that end alike, and are judged alike, there is one here.
    """
    rows = (*{(row.kind, row.actual, row.speaker): row for row in ROWS}.values(),)
    text = ledger(*rows).replace("review: 2126-01-01", "review: 2026-06-08", 1)
    (suite.path / "expected_failures.yaml").write_text(text)
    names = [f"--tasnet-case={row.case.id}" for row in rows]
    result = run_with_workers(suite, *TABLE, "-n", "2", "-v", *names)
    check_table(suite, result, rows)
    ran = {case: worker for worker, case in re.findall(r"\[(gw\d)\].*\[(\S+)\]", result.stdout.str())}
    graphs: dict[str, set[str]] = {}
    for row in rows:
        graphs.setdefault(graph_key(row.case), set()).add(ran[row.case.id])
    assert [graph for graph, workers in graphs.items() if len(workers) > 1] == []
    assert {*ran.values()} == {"gw0", "gw1"}
    assert len(graphs) < len(rows), "some have several cases"
    told = "*expected_failures.yaml:*: entry row-* is to be reviewed by 2026-06-08, by the team; *"
    result.stdout.fnmatch_lines(["*warnings summary*", "*ReviewDue: " + told, "review    " + told])
    assert len([line for line in result.outlines if line.startswith("review ")]) == 1


TABLE = ["-m", "compile", "-rN", "-p", "no:hypothesispytest", "--junitxml", "junit.xml"]


def check_table(suite: pytest.Pytester, result: pytest.RunResult, rows: Sequence[Row]) -> None:
    """Each case is judged, and told by pytest, as its row says."""
    kinds = {record.case_id: record.kind.value for record in find_run(suite.path / ".tasnet", "last").records}
    verdicts = junit(suite.path / "junit.xml")
    wrong = [
        f"{row.expected} / {row.actual} / {row.speaker}: {kinds[row.case.id]}, {verdicts[row.case.id]}"
        for row in rows
        if (kinds[row.case.id], verdicts[row.case.id]) != (row.kind, JUNIT.get(row.verdict, row.verdict))
    ]
    assert not wrong
    counts = {name: sum(row.verdict == name for row in rows) for name in ("passed", "xpassed", "xfailed", "skipped")}
    result.assert_outcomes(
        **counts,
        failed=sum(row.verdict == "failed" for row in rows),
        errors=sum(row.verdict == "error" for row in rows),
    )
    readable(result.stdout.str())


JUNIT = {"xpassed": "passed"}
"""JUnit knows no unexpected pass that is allowed"""


def junit(path: Path) -> dict[str, str]:
    """Case -> passed, failed, error, skipped or xfailed, as pytest's JUnit file has it."""
    found = {}
    for case in ElementTree.parse(path).iter("testcase"):
        name = case.get("name", "").partition("[")[2].rstrip("]")
        end = next((child for child in case if child.tag in ("failure", "error", "skipped")), None)
        words = {"failure": "failed", "error": "error", "skipped": "skipped"}
        word = "passed" if end is None else words[end.tag]
        found[name] = "xfailed" if end is not None and end.get("type") == "pytest.xfail" else word
    return found


def readable(text: str) -> None:
    """Every failure is short, of the case alone, and fits 80 columns but for what is copied."""
    blocks = re.split(r"^_+ .* _+$", text, flags=re.MULTILINE)[1:]
    assert blocks
    for block in blocks:
        lines = re.split(r"^(?:==|-+ generated)", block, flags=re.MULTILINE)[0].strip().splitlines()
        lines = [line for line in lines if not line.startswith("[gw")]
        assert 5 <= len(lines) <= 16, block
        assert [line.split()[0] for line in lines if line[0] != " "][1:4] == ["function", "expected", "happened"], block
        assert lines[-1].startswith("repeat    pytest ")
        assert all(len(line) <= 80 or line.startswith(("repeat ", "entry ", "near ")) for line in lines), block
        assert not any("tasnet/suite" in line for line in lines)


def only(suite: pytest.Pytester, expected: str, actual: str) -> Row:
    """The first row of these ends; the ledger knows of it alone, which is quicker to read."""
    row = next(row for row in ROWS if (row.expected, row.actual) == (expected, actual))
    (suite.path / "expected_failures.yaml").write_text(ledger(row))
    return row


def test_what_differs_is_marked(suite: pytest.Pytester) -> None:
    row = only(suite, "it", "other words")
    result = suite.runpytest_inprocess("-m", "compile", "-k", row.case.id)
    result.stdout.fnmatch_lines(
        [
            f"wrong failure: {row.case.id}",
            "entry     row-* at expected_failures.yaml:*",
            "differs   message of entry row-*",
            "            entry    Super deconv is not supported with groups",
            "            failure  Super conv is new",
            "                           ^",
        ]
    )


def test_a_near_entry_is_named(suite: pytest.Pytester) -> None:
    row = next(row for row in ROWS if (row.expected, row.actual) == ("nothing", "fails so"))
    result = suite.runpytest_inprocess("-m", "compile", "-k", row.case.id)
    result.stdout.fnmatch_lines(
        ["near      row-* at expected_failures.yaml:*", "*tells of this failure, but not here: *"]
    )


def test_what_is_blocked_names_the_entry_in_its_way(suite: pytest.Pytester) -> None:
    row = only(suite, "another stage", "other stage")
    result = suite.runpytest_inprocess("-m", "compile", "-k", f"[{row.case.id}]", "-v", "-rx")
    result.stdout.fnmatch_lines(["XFAIL * - predicted: row-*; compile blocked by optimize"])


def test_a_traceback_comes_when_it_is_asked_for(suite: pytest.Pytester) -> None:
    row = only(suite, "it", "other words")
    short = suite.runpytest_inprocess("-m", "compile", "-k", row.case.id)
    short.stdout.no_fnmatch_line("*def test_compile*")
    long = suite.runpytest_inprocess("-m", "compile", "-k", row.case.id, "--tb=long")
    long.stdout.fnmatch_lines(["*def test_compile*", "*wrong failure: *"])


def test_a_flaky_case_is_never_silent(suite: pytest.Pytester) -> None:
    rows = [row for row in ROWS if row.kind == "flaky"]
    result = suite.runpytest_inprocess("-m", "compile", "-k", " or ".join(f"[{row.case.id}]" for row in rows), "-ra")
    names = {row.case.id for row in rows}
    result.stdout.fnmatch_lines(
        ["cells *~ flaky, as its entry says*", "flaky     4 cases, 2 failed and 2 passed: row-*"]
    )
    assert {re.search(r"\[(.*?)\]", line)[1] for line in result.outlines if line.startswith("XPASS")} <= names  # type: ignore[index]
    result.assert_outcomes(xpassed=2, xfailed=2)


def test_a_flaky_case_that_always_fails_is_said_to_with_the_figures(suite: pytest.Pytester) -> None:
    row = only(suite, "it, flaky", "fails so")
    one = ["-m", "compile", "-k", f"[{row.case.id}]"]
    assert suite.runpytest_inprocess(*one).ret == 0
    # Nine more that ended so.
    store = suite.path / ".tasnet"
    for days in range(1, 10):
        store_copy(find_run(store, "last"), store, days=days)
    result = suite.runpytest_inprocess(*one)
    result.assert_outcomes(failed=1)
    text = " ".join(result.stdout.str().split())
    assert "off rate: " in text
    assert "10 of the last 10 runs failed, and the entry says 0.5 of them (by chance 0.001)" in text
