"""Trends: a case and an entry over all stored runs, predicted and observed apart, nothing left out in silence."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasnet.cli import main
from tasnet.suite.cases.outcome import Stage, Status
from tasnet.suite.cases.profiles import profile_cases
from tasnet.suite.history.lines import sparkline, trend_lines
from tasnet.suite.history.run import HEAD, RunError
from tasnet.suite.history.trends import find_trend
from tests.doubles.outcomes import DFC, SUPER_DECONV, failure, outcomes
from tests.doubles.stored_runs import ENTRIES, ended_record, parity_measure, store_run

CASES = [case.id for case in profile_cases("notes")]
BASELINE = CASES[0]
GROUPED = [case for case in CASES if "-grouped-" in case]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Three predicted runs, the second in part and the third measured; one observed; one of another schema."""
    runs = tmp_path / "runs"
    known = [ended_record(case, outcomes(*([SUPER_DECONV] if case in GROUPED else [])), ENTRIES) for case in CASES]
    store_run(runs / "20260601T120000Z", known)
    store_run(runs / "20260602T120000Z", known[:4], ended=False, cases=20)
    clear = ended_record(BASELINE, outcomes(), ENTRIES)
    store_run(
        runs / "20260603T120000Z",
        [clear, *known[1:]],
        [parity_measure(BASELINE, math.inf), parity_measure(BASELINE, 30, "har8")],
    )
    observed = ended_record(BASELINE, outcomes(SUPER_DECONV, by=DFC), ENTRIES)
    store_run(runs / "20260604T120000Z", [observed], toolchain="dfc", version="3.33.1")
    (runs / "20260605T120000Z").mkdir()
    (runs / "20260605T120000Z" / HEAD).write_text('{"schema": 9}')
    return tmp_path


def test_a_case(store: Path) -> None:
    found = find_trend(store, BASELINE)
    assert [point.verdict for point in found.points] == ["blocked", "blocked", "clear", "blocked"]
    assert [point.known for point in found.points] == ["predicted", "predicted", "predicted", "observed"]
    assert [point.whole for point in found.points] == [True, False, True, True]
    assert found.points[2].parity == {"onnx": math.inf, "har8": 30}
    text = "\n".join(trend_lines(found))
    assert f"{BASELINE}: in 4 of 4 runs" in text
    assert "onnx inf, har8 30.0" in text
    assert text.splitlines()[1] == "function  another function: ReLU for PReLU, no norms"
    assert "predicted ONNX bytes, 1,500,000 to 1,500,000: ▁▁▁" in text
    assert "observed ONNX bytes" not in text, "one run is no trend"
    assert "20260605T120000Z: unreadable: " in text


def test_parity_is_that_of_the_graph_whichever_of_its_cases_was_measured(tmp_path: Path) -> None:
    case, other = "concat-bypass-grouped-all", "concat-bypass-grouped-k4"
    runs = tmp_path / "runs"
    store_run(
        runs / "20260601T120000Z",
        [ended_record(other, outcomes(SUPER_DECONV), ENTRIES)],
        [parity_measure(case, 120)],
    )
    assert find_trend(tmp_path, other).points[0].parity == {"onnx": 120}


@pytest.mark.parametrize("name", ["baseline", "skip_topology_mode=concat,deconv_mode=grouped"])
def test_the_notes_own_words_mean_the_case(store: Path, name: str) -> None:
    assert find_trend(store, name).name == BASELINE


def test_a_case_that_some_runs_lack(store: Path) -> None:
    found = find_trend(store, CASES[-1])
    assert [point.run for point in found.points] == ["20260601T120000Z", "20260603T120000Z"]
    assert found.runs == 4


def test_an_entry(store: Path) -> None:
    found = find_trend(store, "super-deconv")
    assert [(point.covers, point.cases) for point in found.points] == [
        (len(GROUPED), 20),
        (4, 4),
        (len(GROUPED) - 1, 20),
        (1, 1),
    ]
    lines = [*trend_lines(found)]
    assert lines[0] == "super-deconv: in 4 of 4 runs"
    assert "20260602T120000Z (in part)" in lines[3]
    assert any(line.startswith("predicted covers, 4 to ") for line in lines)


def test_a_case_without_a_verdict_is_none_that_the_entry_left(store: Path) -> None:
    """Runs that took no case to the compile, or whose tools broke down, show no fall of what the entry covers."""
    translated = [ended_record(case, outcomes(), ENTRIES, Stage.TRANSLATE) for case in GROUPED]
    store_run(store / "runs" / "20260606T120000Z", translated)
    broken = outcomes(status=Status.INFRA, reason="no memory")
    ended = [
        ended_record(GROUPED[0], outcomes(SUPER_DECONV), ENTRIES),
        *(ended_record(case, broken, ENTRIES) for case in GROUPED[1:]),
    ]
    store_run(store / "runs" / "20260607T120000Z", ended)
    points = find_trend(store, "super-deconv").points
    assert [point.run for point in points][4:] == ["20260607T120000Z"]
    assert (points[4].covers, points[4].cases) == (1, 1)


def test_an_unknown_name_says_what_comes_nearest(store: Path) -> None:
    with pytest.raises(
        RunError, match=r"'super-deconf': .*4 stored runs \(1 can't be read: see tasnet runs\); did you"
    ):
        find_trend(store, "super-deconf")
    with pytest.raises(RunError, match="no run is stored there"):
        find_trend(store / "none", "super-deconv")


def test_the_command(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trend", BASELINE, "--store", str(store), "--json"]) == 0
    told_json = json.loads(capsys.readouterr().out)
    assert told_json["of"] == "case"
    assert told_json["points"][2]["parity"] == {"onnx": None, "har8": 30}
    assert [each["id"] for each in told_json["unreadable"]] == ["20260605T120000Z"]
    assert main(["trend", "none", "--store", str(store)]) == 2
    assert main(["runs", "--store", str(store)]) == 0
    assert "20260605T120000Z: unreadable" in capsys.readouterr().out


def test_a_family_that_no_entry_covers_is_in_the_case_and_in_no_entry(tmp_path: Path) -> None:
    store_run(
        tmp_path / "runs" / "20260601T120000Z",
        [ended_record(BASELINE, outcomes(failure("memory_units")), ENTRIES)],
    )
    assert find_trend(tmp_path, BASELINE).points[0].families == ("memory_units",)
    with pytest.raises(RunError, match="no case and no entry"):
        find_trend(tmp_path, "memory_units")


@given(st.lists(st.integers(0, 10**9), min_size=1))
def test_bars_keep_the_order_of_values(values: list[int]) -> None:
    bars = sparkline(values)
    assert len(bars) == len(values)
    assert all((a <= b) or (bars[i] >= bars[j]) for i, a in enumerate(values) for j, b in enumerate(values))
