"""Plans in the history: kept with a run, sealed as its records are, and compared from one run to the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasnet.suite.cases.names import parse_any_case
from tasnet.suite.history.comparison import compare_runs
from tasnet.suite.history.lines import comparison_json, comparison_lines
from tasnet.suite.history.plans import PlanRecord
from tasnet.suite.history.run import RunError, StoredRun, read_run
from tasnet.suite.history.writer import begin_run
from tests.doubles.outcomes import outcomes
from tests.doubles.stored_runs import ended_record, plan_record, run_head

WHOLE = "split-normal-polyphase-all+activation=prelu+norm=gln"
SEGMENT = f"{WHOLE}+segment=scaled+stages=2-3+phase=2+rows=4x501"
PLAN = plan_record(WHOLE, plan="files/0.json")


def stored(folder: Path, plan: PlanRecord, cases: tuple[str, ...] = (WHOLE,)) -> StoredRun:
    records = [ended_record(parse_any_case(case), outcomes(), name="plans") for case in cases]
    folder.mkdir()
    writer = begin_run(folder, run_head(records, profile="plans"))
    writer.add_plan(plan)
    for record in records:
        writer.add_record(record)
    writer.end(records, 0)
    return read_run(folder)


def test_a_plan_is_kept_with_its_run(tmp_path: Path) -> None:
    assert stored(tmp_path / "run", PLAN, (WHOLE, SEGMENT)).plans == (PLAN,)


def test_a_plan_that_was_changed_afterwards_is_never_read(tmp_path: Path) -> None:
    stored(tmp_path / "run", PLAN)
    path = tmp_path / "run" / "plans.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"hefs":24', b'"hefs":23'))
    with pytest.raises(RunError, match=r"plans\.jsonl: its lines are not as they were kept"):
        read_run(tmp_path / "run")


@pytest.mark.parametrize(
    ("change", "worse", "what"),
    [
        ({}, False, ""),
        ({"seconds": 0.33}, True, "notes: dearer: 316.4 -> 330.0 ms modelled (+4.3%)"),
        (
            {"hefs": 25, "seconds": 0.3},
            True,
            "notes: dearer: 316.4 -> 300.0 ms modelled (-5.2%), 24 -> 25 HEFs (+4.2%)",
        ),
        ({"invocations": 40}, False, "notes: cheaper: 48 -> 40 invocations (-16.7%)"),
        ({"trouble": "block 8 binds"}, True, "notes: no plan any more: block 8 binds"),
    ],
)
def test_what_a_plan_costs_is_compared(tmp_path: Path, change: dict, worse: bool, what: str) -> None:
    before = stored(tmp_path / "before", PLAN)
    after = stored(tmp_path / "after", PLAN.model_copy(update=change))
    found = compare_runs(before, after)
    assert [group.what for group in found.groups if group.change.value == "changed plan"] == [what] * bool(what)
    assert found.worse is worse
    if what:
        assert any(what in line for line in comparison_lines(found))
        assert what in str(comparison_json(found))


def test_a_segment_of_one_run_alone_is_a_case_of_that_run(tmp_path: Path) -> None:
    found = compare_runs(stored(tmp_path / "before", PLAN, (WHOLE, SEGMENT)), stored(tmp_path / "after", PLAN))
    assert [(group.change.value, group.cases) for group in found.groups] == [("only before", (SEGMENT,))]
