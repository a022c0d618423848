"""The report's file: whole or not at all, small, of equal things once, and clear about what it can't show."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tasnet.cli import main
from tasnet.hailo.failures import Failure
from tasnet.suite.cases.case import Case
from tasnet.suite.cases.names import parse_case
from tasnet.suite.cases.profiles import profile_cases
from tasnet.suite.history.records import CaseRecord
from tasnet.suite.history.run import ParityFigure, StoredRun
from tasnet.suite.report.map import map_layout, row_of
from tasnet.suite.report.pack import page_data
from tasnet.suite.report.page import FOLDER, SCRIPTS, page_html, script, write_page
from tasnet.suite.report.sources import ReportError, ReportSource, gather_runs
from tasnet.suite.report.tables import entry_rows, map_rows, run_rows
from tasnet.suite.run.store import Store
from tests.doubles.outcomes import DFC, SUPER_DECONV, failure, outcomes
from tests.doubles.stored_runs import ended_record, set_schema, store_copy, store_run, with_log

TODAY = date(2026, 12, 1)
RESHAPE = failure("reshape_insertion", "Reshape is needed for layers: conv2, conv3, </script><b>", "conv2", "conv3")


def told(case: Case, *blockers: Failure, **how: Any) -> CaseRecord:
    return ended_record(case, outcomes(*blockers, **how), name="matrix")


def stored(store: Path, records: list[CaseRecord], name: str = "20261101T000000Z", **head: object) -> StoredRun:
    given = {"started": "2026-11-01T00:00:00Z", "profile": "matrix", **head}
    return store_run(store / "runs" / name, records, **given)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def some(count: int = 12) -> list[CaseRecord]:
    return [
        told(case, RESHAPE) if index % 3 else told(case, RESHAPE, SUPER_DECONV)
        for index, case in enumerate(profile_cases("matrix")[:count])
    ]


def embedded(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert found
    told: dict[str, Any] = json.loads(found[1])
    return told


def source(store: Path, **options: object) -> ReportSource:
    return gather_runs(Store(store), TODAY, **options)  # type: ignore[arg-type]


# --- the page ----------------------------------------------------------------------------------------------


def test_the_page_names_no_address_outside_itself(store: Path) -> None:
    stored(store, some())
    html = page_html(source(store))
    assert re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?(?!#|data:)([^"'\s>)]+)""", html.partition("<body>")[0]) == []
    assert "default-src 'none'" in html
    assert not re.search(r"https?://", html.replace("http-equiv", ""))


def test_no_text_of_a_compiler_becomes_markup(store: Path) -> None:
    stored(store, some())
    html = page_html(source(store))
    assert html.count("</script>") == 2
    assert "</script><b>" not in html
    told = embedded(html)
    assert any("</script><b>" in each for each in told["words"])


def test_a_repeated_run_costs_its_cases_and_nothing_else(store: Path) -> None:
    run = stored(store, some(200))
    once = len(page_html(source(store)))
    for day in range(1, 5):
        store_copy(run, store, days=day)
    five = len(page_html(source(store)))
    assert (five - once) / 4 < 0.3 * once


def test_every_case_of_every_run_is_packed(store: Path) -> None:
    run = stored(store, some())
    store_copy(run, store, records=run.records[:5])
    told = page_data(source(store))
    cases = [[told["cases"][case[0]][0] for case in each["cases"]] for each in told["runs"]]
    assert [Counter(each) for each in cases] == [
        Counter(record.case_id for record in run.records),
        Counter(record.case_id for record in run.records[:5]),
    ]


def test_a_case_says_what_is_vacuous_in_it(store: Path) -> None:
    records = [told(parse_case(name)) for name in ("project-bypass-grouped-k1", "project-normal-grouped-k1")]
    stored(store, records)
    packed = page_data(source(store))
    said = {case_id: [packed["words"][at] for at in vacuous] for case_id, _, _, vacuous, *_ in packed["cases"]}
    assert said["project-bypass-grouped-k1"][0] == "blocks=1 changes nothing: blocks=all gives the same graph"
    assert said["project-normal-grouped-k1"] == []


def test_a_case_stands_in_the_row_and_column_of_the_terminals_map() -> None:
    records = [told(case) for case in profile_cases("matrix")]
    plan = map_layout(records)
    assert (len(plan.rows), plan.width) == (24, 35)
    flat = [(decoder, blocks) for decoder, columns in plan.groups for blocks, _ in columns]
    for each in records:
        down, across = divmod(plan.at[each.case_id], plan.width)
        assert plan.rows[down] == row_of(each)
        assert flat[across] == (each.axes["decoder"], str(each.axes["blocks"]))
    assert len(set(plan.at.values())) == 840


def test_cases_come_in_the_profiles_order_whatever_the_order_of_the_workers(store: Path) -> None:
    records = some(40)
    stored(store, records[::-1])
    assert [each.case_id for each in source(store).runs[0].records] == [each.case_id for each in records]


def test_what_is_not_finite_is_told_all_the_same(store: Path) -> None:
    run = stored(store, some(1))
    odd = told(profile_cases("matrix")[0], RESHAPE.model_copy(update={"figures": {"ratio": float("inf")}}))
    same = ParityFigure(case_id=odd.case_id, stage="onnx", form="x", length=16000, snr_db=float("inf"), of_peak=0.0)
    shown = replace(source(store), runs=(replace(run, records=(odd,), measures=(same,)),))
    (packed,) = page_data(shown)["runs"]
    assert packed["measures"][0][-2:] == ["∞", "0.00e+00"]
    assert embedded(page_html(shown))["failures"][0][5][0][1] == "inf"


def test_the_tables_count_what_the_records_say(store: Path) -> None:
    run = stored(store, some())
    store_copy(run, store, killed=True)
    shown = source(store)
    assert [row.state for row in run_rows(shown)] == ["killed, or still going: 12 of 12 cases", "ended"]
    assert dict(run_rows(shown)[0].counts)["news"] == 12
    assert sum(cell is not None for _, _, cells in map_rows(shown.shown) for cell in cells) == 12
    assert entry_rows(shown, shown.shown) == ()


def test_a_double_is_neither_predicted_nor_observed(store: Path) -> None:
    stored(store, some(), double=True, toolchain="dfc")
    (row,) = run_rows(source(store))
    assert row.word == "by a test double"
    cells = [cell for _, _, cells in map_rows(row.run) for cell in cells if cell]
    assert all("blocked by a test double" in cell.label and "predicted" not in cell.label for cell in cells)


# --- logs and graphs ---------------------------------------------------------------------------------------


def test_the_last_runs_logs_find_room_first_and_the_rest_is_left_out(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasnet.suite.report.sources.ALL_TAILS_BYTES", room := 100_000)
    keeper = Store(store)
    count = room // 3000 + 10
    first = [
        with_log(each, "compile", keeper.put_file(f"{index} first\n".encode() + b"x" * 2990, ".log"))
        for index, each in enumerate(told(case, by=DFC) for case in profile_cases("matrix")[:count])
    ]
    stored(store, first, "20261101T000000Z")
    later = [with_log(each, "compile", keeper.put_file(b"later\n" + b"y" * 2000, ".log")) for each in first[:1]]
    stored(store, later, "20261102T000000Z", started="2026-11-02T00:00:00Z")
    tails = source(store).tails
    assert room - 3000 < sum(map(len, tails.values())) <= room
    assert any(text.startswith("later") for text in tails.values())
    assert 0 < len(tails) < count


def test_a_log_and_a_graph_that_are_gone_leave_a_report_that_says_so(store: Path) -> None:
    one = told(profile_cases("matrix")[0], RESHAPE)
    gone = one.outcomes[1].model_copy(update={"artifact": "har/" + "0" * 64 + ".parts"})
    one = one.model_copy(update={"outcomes": (one.outcomes[0], gone, *one.outcomes[2:])})
    stored(store, [with_log(one, "compile", "files/gone.log")])
    shown = source(store)
    assert (shown.graphs, shown.tails) == ({}, {})
    assert "not in the store; run the case again" in page_html(shown)


# --- whole or not at all -----------------------------------------------------------------------------------


def test_a_report_is_written_whole_or_the_one_before_stays(store: Path, tmp_path: Path) -> None:
    stored(store, some())
    target = tmp_path / "out" / "report.html"
    with pytest.raises(ReportError, match="No such file or directory; the report was not written"):
        write_page(source(store), target)
    target.parent.mkdir()
    target.mkdir()
    with pytest.raises(ReportError, match="the report was not written"):
        write_page(source(store), target)
    assert [path.name for path in target.parent.iterdir()] == ["report.html"]
    target.rmdir()
    assert write_page(source(store), target).size == target.stat().st_size


def test_a_link_stays_a_link_and_a_pipe_is_written_into(store: Path, tmp_path: Path) -> None:
    stored(store, some())
    shown = source(store)
    (tmp_path / "link.html").symlink_to(tmp_path / "report.html")
    write_page(shown, tmp_path / "link.html")
    assert (tmp_path / "link.html").is_symlink()
    os.mkfifo(tmp_path / "pipe")
    reader = subprocess.Popen(["cat", str(tmp_path / "pipe")], stdout=subprocess.PIPE)
    write_page(shown, tmp_path / "pipe")
    assert reader.communicate()[0] == (tmp_path / "report.html").read_bytes()


def test_a_store_that_cant_be_written_is_reported_all_the_same(store: Path, tmp_path: Path) -> None:
    stored(store, some())
    before = set(store.rglob("*"))
    write_page(source(store), tmp_path / "report.html")
    assert set(store.rglob("*")) == before


# --- the command -------------------------------------------------------------------------------------------


def complaint(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(arguments) == 2
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    return text


def test_bad_input_is_one_line_and_nothing_is_written(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "report.html"
    command = ["report", "--store", str(store), "-o", str(target)]
    assert "no run is stored there; run tasnet matrix first" in complaint(command, capsys)
    assert not store.exists()
    run = stored(store, [])
    assert "no case is in any of 1 stored runs" in complaint(command, capsys)
    set_schema(run.folder, 99)
    assert "schema 99, and this version reads 2" in complaint(command, capsys)
    assert "run 'nope': no run begins so" in complaint([*command, "--run", "nope"], capsys)
    assert "schema 99" in complaint([*command, "--run", run.id], capsys)
    assert "no directory" in complaint(["report", "--store", str(store), "-o", str(tmp_path / "a" / "b")], capsys)
    assert "name a ledger" in complaint([*command, "--ledger", str(tmp_path / "nope")], capsys)
    assert not target.exists()


def test_without_a_name_the_page_is_report_html_and_no_file_of_the_users_is_lost(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stored(store, some())
    monkeypatch.chdir(tmp_path)
    page = Path("report.html")
    page.write_text("<title>mine</title>")
    assert "report.html: is no report of tasnet" in complaint(["report", "--store", str(store)], capsys)
    assert page.read_text() == "<title>mine</title>"
    page.unlink()
    for _ in range(2):
        assert main(["report", "--store", str(store)]) == 0
        assert capsys.readouterr().out.startswith("report.html: ")
    assert "tasnet report</title>" in page.read_text()


def test_a_run_that_cant_be_read_is_left_out_and_named(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = stored(store, some())
    broken = store_copy(run, store, killed=True)
    (broken / "records.jsonl").write_text("{}\n{}\n")
    target = tmp_path / "report.html"
    assert main(["report", "--store", str(store), "-o", str(target)]) == 0
    said = capsys.readouterr().out
    assert f"{target}: 1 run, 12 cases" in said
    assert f"left out {broken}/records.jsonl:1" in said


def test_the_last_runs_or_the_named_ones(store: Path, tmp_path: Path) -> None:
    run = stored(store, some())
    more = [store_copy(run, store, days=day).name for day in range(1, 4)]
    assert [each.id for each in source(store, last=2).runs] == more[1:]
    assert [each.id for each in source(store, names=["last", run.id, run.id]).runs] == [run.id, more[-1]]


def test_without_a_browser_a_picture_is_refused_in_a_line(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stored(store, some())
    monkeypatch.setattr(shutil, "which", lambda name: None)
    picture = tmp_path / "report.png"
    command = ["report", "--store", str(store), "--picture", str(picture)]
    assert "no chromium on the path; install one" in complaint(command, capsys)
    assert not picture.exists()


# --- the code of the page ----------------------------------------------------------------------------------


def test_node_finds_no_fault_in_the_pages_code(tmp_path: Path) -> None:
    driver = pytest.importorskip("playwright._impl._driver")
    node = driver.compute_driver_executable()[0]
    path = tmp_path / "page.js"
    path.write_text(script())
    done = subprocess.run([node, "--check", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_text_never_becomes_markup_by_the_pages_code() -> None:
    for name in SCRIPTS:
        code = (FOLDER / name).read_text()
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|fetch\(|XMLHttp", code), (
            name
        )
        assert len(code.splitlines()) < 400


def test_every_file_of_the_page_is_in_it() -> None:
    names = {path.name for path in FOLDER.iterdir()}
    text = (FOLDER.parent / "page.py").read_text()
    assert all(f'"{name}"' in text or f"/{name}" in text for name in names)
