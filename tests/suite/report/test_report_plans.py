"""Plans in the report: their costs, segments and drawing, what is said where a plan is gone, the order of the cases."""

from __future__ import annotations

import base64
import re
from datetime import date
from pathlib import Path

import pytest

from tasnet.plan.drawing import drawing_svg
from tasnet.plan.table import plan_lines
from tasnet.suite.history.plans import PlanRecord
from tasnet.suite.history.run import StoredRun, read_run
from tasnet.suite.history.writer import begin_run
from tasnet.suite.report.map import map_layout
from tasnet.suite.report.page import page_html
from tasnet.suite.report.sources import ReportSource, gather_runs
from tasnet.suite.run.plans import kept_plans, plan_record, read_kept
from tasnet.suite.run.store import Store, open_store
from tests.doubles.outcomes import outcomes
from tests.doubles.stored_runs import ended_record, run_head
from tests.suite.run.small_plans import NONE_FITS, SMALL


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def stored(store: Store, plans: tuple[PlanRecord, ...], cases: list, day: int = 1) -> StoredRun:
    records = [ended_record(case, outcomes(), name="plans") for case in cases]
    folder = store.root / "runs" / f"2026110{day}T000000Z"
    folder.mkdir(parents=True)
    writer = begin_run(folder, run_head(records, profile="plans"))
    for plan in plans:
        writer.add_plan(plan)
    for record in records:
        writer.add_record(record)
    writer.end(records, 0)
    return read_run(folder)


def filled(store: Store) -> ReportSource:
    """A run of two networks, one of which no plan fits, its cases as workers happen to end them."""
    kept = kept_plans(store, "hailo8", [SMALL, NONE_FITS])
    cases = [*reversed(kept[0].segments), NONE_FITS.whole, SMALL.whole]
    stored(store, tuple(plan_record(store, each) for each in kept), cases)
    return gather_runs(store, date(2026, 12, 1))


def test_each_plan_stands_there_with_its_drawing_its_segments_its_costs_and_the_null_plan(store: Store) -> None:
    source = filled(store)
    html, plan = page_html(source), read_kept(store, source.plans[0].record.plan)
    (drawn,) = re.findall(r'<img src="data:image/svg\+xml;base64,([^"]+)"', html)
    assert base64.b64decode(drawn).decode() == drawing_svg(plan)
    assert source.plans[0].table == "\n".join(plan_lines(plan))
    assert "null plan" in source.plans[0].table
    for line in source.plans[0].table.splitlines():
        assert line in html.replace("&#39;", "'")
    for cell in source.plans[0].record.cells[:-1]:
        assert f">{cell}</" in html
    assert "nothing was measured" in html


def test_a_network_without_a_plan_says_what_binds_and_is_marked(store: Store) -> None:
    html = page_html(filled(store))
    assert re.search(r'<tr class="bad"><th scope="row">too short</th>', html)
    assert "block 8 (dilation 128) alone takes 384 frames, 149 are allowed" in html


def test_a_plan_whose_file_is_gone_is_said_and_the_rest_is_shown(store: Store) -> None:
    record = filled(store).plans[0].record
    (store.root / record.plan).unlink()
    shown = gather_runs(store, date(2026, 12, 1)).plans[0]
    assert "not in the store" in shown.gone
    assert not shown.drawing
    assert shown.record == record


def test_a_report_without_plans_has_no_section_of_them(store: Store) -> None:
    stored(store, (), [SMALL.whole])
    assert "plans-title" not in page_html(gather_runs(store, date(2026, 12, 1)))


def test_the_plans_are_those_of_the_newest_run_that_has_any(store: Store) -> None:
    first = filled(store)
    changed = first.plans[0].record.model_copy(update={"seconds": 9.0})
    stored(store, (changed,), [SMALL.whole], day=2)
    stored(store, (), [SMALL.whole], day=3)
    assert [each.record for each in gather_runs(store, date(2026, 12, 1)).plans] == [changed]


def test_segments_stand_in_their_networks_row_in_the_order_of_the_depth(store: Store) -> None:
    run = filled(store).runs[0]
    names = [record.case_id for record in run.records]
    assert names[0] == SMALL.whole.id
    assert names[-1] == NONE_FITS.whole.id
    starts = [record.axes["start"] for record in run.records[1:-1]]
    assert starts == sorted(starts)
    layout = map_layout(run.records)
    assert len(layout.rows) == 2
    groups = dict(layout.groups)
    columns = [int(column.partition("-")[0]) for column, _ in groups["scaled segment"]]
    assert columns == sorted(set(starts))
    assert len(set(layout.at.values())) == len(run.records)
