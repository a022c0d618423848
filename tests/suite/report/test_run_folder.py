"""What a run leaves: for the embedded toolchain a table and a picture, for a compiler the notes' files of each case."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tasnet.hailo.logs.key_lines import key_trace_lines
from tasnet.network.variant import Variant
from tasnet.suite.cases.case import Case
from tasnet.suite.cases.outcome import Outcome, Provenance, Stage, Status
from tasnet.suite.notes.importing import read_night_runs
from tasnet.suite.report.run_folder import new_folder, write_run
from tasnet.suite.run.store import Store
from tests.doubles.outcomes import DFC, SUPER_DECONV, failure, outcomes
from tests.doubles.stored_runs import ended_record

GROUPED, HEAD = Case(Variant("project", "bypass", blocks=1)), Case(Variant("project", "bypass", decoder="conv1x1_head"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def logged(store: Store, ended: dict[Stage, Outcome], **logs: str) -> dict[Stage, Outcome]:
    """The outcomes, with a log in the store for each stage named."""
    for name, text in logs.items():
        stage = Stage(name)
        figures = {**ended[stage].figures, "log": store.put_file(text.encode(), ".log")}
        ended[stage] = ended[stage].model_copy(update={"figures": figures})
    return ended


def rows(summary: Path) -> list[dict[str, str]]:
    with summary.open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_the_embedded_toolchain_leaves_a_table_and_a_picture(store: Store, tmp_path: Path) -> None:
    folder = new_folder(tmp_path / "runs")
    write_run(folder, [ended_record(GROUPED, outcomes(SUPER_DECONV))], store)
    assert sorted(path.name for path in folder.iterdir()) == ["heatmap.svg", "summary.tsv"]


def test_a_compiler_leaves_the_notes_files_which_are_read_back(store: Store, tmp_path: Path) -> None:
    failed = logged(
        store,
        outcomes(SUPER_DECONV, by=DFC),
        translate="[info] parsed",
        compile=f"\x1b[31m[error]\x1b[0m {SUPER_DECONV.message}\nBackendAllocatorException: it failed",
    )
    passed = logged(store, outcomes(by=DFC), compile="[info] done")
    passed[Stage.COMPILE] = passed[Stage.COMPILE].model_copy(update={"artifact": store.put_file(b"hef", ".hef")})
    folder = new_folder(tmp_path / "runs")
    summary = write_run(folder, [ended_record(GROUPED, failed), ended_record(HEAD, passed)], store)
    first, second = rows(summary)
    tag = "truncate-k-1-project-mask-bypass"
    log = (folder / first["log_path"]).read_text()
    assert log.splitlines() == [
        f"[tasnet] {GROUPED.id}: observed with Dataflow Compiler 3.33.1",
        "Starting Translation...",
        "[info] parsed",
        "Step 3 Success",
        "Starting Compilation...",
        f"\x1b[31m[error]\x1b[0m {SUPER_DECONV.message}",
        "BackendAllocatorException: it failed",
        "Step 4 Failed",
    ]
    expected = f"6:[error] {SUPER_DECONV.message}|7:BackendAllocatorException: it failed|8:Step 4 Failed"
    assert first["key_trace"] == expected
    assert json.loads((folder / first["failure_json"]).read_text())["predicted"] is False
    assert (folder / first["failure_json"].removesuffix(".json")).read_text().startswith("exception_type:")
    assert (first["run_tag"], first["hef_success"], first["hef_path"]) == (tag, "false", "")
    assert (second["hef_success"], second["hef_path"]) == ("true", f"hef/{HEAD.id}.hef")
    assert (folder / second["hef_path"]).read_bytes() == b"hef"

    runs = {run.case.id: run.stages for run in read_night_runs(folder).runs}
    assert runs[GROUPED.id][Stage.COMPILE].failures == (SUPER_DECONV,)
    assert runs[HEAD.id][Stage.COMPILE].status is Status.PASSED
    assert runs[HEAD.id][Stage.COMPILE].provenance.version == "3.33.1"


def ended_late() -> dict[str, dict[Stage, Outcome]]:
    infra = outcomes(status=Status.INFRA, by=DFC, reason="compile exceeded its limit of 3600 s")
    infra[Stage.COMPILE] = infra[Stage.COMPILE].model_copy(update={"figures": {"limit_seconds": 3600.0}})
    return {
        "the compiler's own": outcomes(failure("mapping_timeout", "Mapping Failed (Timeout)"), by=DFC),
        "its stage's": infra,
    }


@pytest.mark.parametrize("ended", ended_late().values(), ids=ended_late())
def test_over_its_time(ended: dict[Stage, Outcome], store: Store, tmp_path: Path) -> None:
    folder = new_folder(tmp_path / "runs")
    (row,) = rows(write_run(folder, [ended_record(GROUPED, logged(store, ended, compile="[info] on"))], store))
    assert (row["timed_out"], row["command_status"]) == ("true", "124")
    assert "[TIMEOUT] " in (folder / row["log_path"]).read_text()


def test_a_stand_in_is_never_observed(store: Store, tmp_path: Path) -> None:
    by = Provenance(toolchain="dfc", version="3.33.0+double", predicted=True, exhaustive=False, arch="hailo8")
    ended = logged(store, outcomes(by=by), compile="[info] done")
    ended[Stage.COMPILE] = ended[Stage.COMPILE].model_copy(update={"artifact": store.put_file(b"hef", ".hef")})
    folder = new_folder(tmp_path / "runs")
    (row,) = rows(write_run(folder, [ended_record(HEAD, ended)], store))
    assert (row["predicted"], row["hef_success"]) == ("true", "false")
    assert not (folder / "hef").exists()
    assert "observed" not in (folder / row["log_path"]).read_text()
    assert read_night_runs(folder).runs == ()


def test_a_log_that_is_gone_is_said(store: Store, tmp_path: Path) -> None:
    ended = logged(store, outcomes(by=DFC), compile="[info] done")
    store.path(str(ended[Stage.COMPILE].figures["log"])).unlink()
    folder = new_folder(tmp_path / "runs")
    (row,) = rows(write_run(folder, [ended_record(HEAD, ended)], store))
    assert "not in the store" in (folder / row["log_path"]).read_text()


def test_two_runs_in_one_second_have_two_folders(tmp_path: Path) -> None:
    assert len({new_folder(tmp_path) for _ in range(3)}) == 3


def test_the_last_lines_that_say_how_a_log_ended(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(
        b"x\n" * 1000 + b"\x1b[31m[error]\x1b[0m dw66 errors:\n\tAgent infeasible\n" + b"\xff" * 9000 + b"\n"
    )
    assert key_trace_lines(log) == ((1001, "[error] dw66 errors:"), (1002, "Agent infeasible"))
