"""Night runs: read as what was observed, kept once, written back the same, and held against the predictions."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasnet.hailo.failures import Certainty
from tasnet.suite.cases.names import parse_case
from tasnet.suite.cases.outcome import Stage, Status
from tasnet.suite.cases.profiles import NOTES_TAGS
from tasnet.suite.notes.failure_note import as_text, from_text, note_of, read_note
from tasnet.suite.notes.importing import import_night_runs, read_night_runs
from tasnet.suite.notes.run_tables import NightRunsError
from tasnet.suite.observed.evidence import (
    all_evidence,
)
from tasnet.suite.run.store import Store
from tests.doubles.outcomes import failure
from tests.suite.notes.tables import (
    ENDS,
    FAILED,
    FEBRUARY,
    HEADER,
    INFRA,
    PASSED,
    SKIPPED,
    UNCLASSIFIED,
    one,
    table,
)

# --- reading


def test_the_notes_six_failures_are_read_with_cause_layers_and_provenance():
    reading = read_night_runs(FEBRUARY, version="3.33.0")
    assert reading.left_out == ()
    ends = {run.case.id: run.stages[Stage.COMPILE].failures[0] for run in reading.runs}
    assert {name: (each.family, each.layers[:2]) for name, each in ends.items()} == {
        "concat-normal-grouped-all": ("reshape_insertion", ("conv5", "conv6")),
        "project-bypass-grouped-k1": ("unsupported_kernel", ()),
        "project-bypass-ungrouped_blockdiag-k1": ("memory_units", ()),
        "project-bypass-reduced_deconv_128-k1": ("reshape_insertion", ("conv2", "conv3")),
        "project-bypass-reduced_deconv_64-k1": ("reshape_insertion", ("conv2", "conv3")),
        "project-bypass-conv1x1_head-k1": ("reshape_insertion", ("conv2", "conv3")),
    }
    baseline = reading.runs[0]
    # The table's head is cut; the JSON beside it has every layer.
    assert ends["concat-normal-grouped-all"].layers[-3:] == ("shortcut1", "concat1", "ew_mult1")
    assert (baseline.tag, baseline.run, baseline.source) == ("baseline", "20260217_081500", "summary.tsv:2")
    assert [each.status for each in baseline.stages.values()] == [Status.PASSED, Status.PASSED, Status.FAILED]
    assert baseline.stages[Stage.COMPILE].seconds == 1902.4
    for run in reading.runs:
        for outcome in run.stages.values():
            by = outcome.provenance
            assert (by.toolchain, by.version, by.predicted, by.exhaustive) == ("dfc", "3.33.0", False, False)
        assert run.stages[Stage.COMPILE].provenance.arch == "hailo8"


def test_the_version_is_the_logs_else_the_callers_else_unknown():
    said = {run.tag: run.stages[Stage.COMPILE].provenance.version for run in read_night_runs(FEBRUARY).runs}
    assert said["truncate-k-1-project-mask-bypass"] == "3.33.0"
    assert said["baseline"] == "unknown"
    told = {
        run.tag: run.stages[Stage.COMPILE].provenance.version for run in read_night_runs(FEBRUARY, version="3.34").runs
    }
    assert (told["truncate-k-1-project-mask-bypass"], told["baseline"]) == ("3.33.0", "3.34")


def test_one_table_of_any_columns_in_any_order_is_read_by_name(tmp_path):
    header = ("hef_log", "exception_type", "note", "hef_success", "failure_head", "har_success", "run_tag")
    row = {
        "run_tag": "baseline",
        "har_success": "TRUE",
        "hef_success": "False",
        "exception_type": "BackendAllocatorException",
        "failure_head": "Memory units capacity exceeded (available: 128, required: 138)",
    }
    run = one(table(tmp_path, row, header=header, name="later_summary.tsv"))
    (found,) = run.stages[Stage.COMPILE].failures
    assert (found.family, found.figures["required"]) == ("memory_units", 138)
    assert one(tmp_path).case == run.case


@pytest.mark.parametrize(("row", "ends"), ENDS.values(), ids=ENDS)
def test_each_end_of_a_run_becomes_its_outcome(tmp_path, row, ends):
    run = one(table(tmp_path, {"run_tag": "baseline", **row}))
    assert tuple(each.status for each in run.stages.values()) == ends
    assert list(run.stages) == [Stage.TRANSLATE, Stage.OPTIMIZE, Stage.COMPILE]
    compiled = run.stages[Stage.COMPILE]
    assert compiled.certainty is (Certainty.OBSERVED if ends[2] is PASSED else None)
    for outcome in run.stages.values():
        assert bool(outcome.failures) is (outcome.status is FAILED)
        assert not outcome.doubts or outcome.status is UNCLASSIFIED
        assert all(each.stage == outcome.stage.value for each in outcome.failures)
        assert bool(outcome.reason) is (outcome.status in (INFRA, SKIPPED, UNCLASSIFIED))


LEFT_OUT = {
    "tag": ({"run_tag": "bogus", "har_success": "true"}, "bogus"),
    "predicted": ({"run_tag": "baseline", "hef_success": "false", "predicted": "true"}, "not observed"),
    "reference": ({"run_tag": "baseline", "hef_success": "false", "toolchain": "reference"}, "not observed"),
    "double": (
        {"run_tag": "baseline", "hef_success": "true", "toolchain_version": "3.33.0+double"}, "test double"
    ),
    "both": ({"run_tag": "baseline", "har_success": "false", "hef_success": "true"}, "both"),
    "either": ({"run_tag": "baseline", "hef_success": "false", "compile_success": "true"}, "differ"),
    "nothing": ({"run_tag": "baseline"}, "of no stage"),
    "infra": ({"run_tag": "baseline", "har_success": "true", "verdict": "infra"}, "nothing was learned"),
    "stage": ({"run_tag": "baseline", "har_success": "true", "failure_stage": "launch"}, "launch"),
    "flags": (
        {"run_tag": "baseline", "har_success": "true",
         "export_flags": "disable_skip=false,mask_mul_mode=bypass,force_n_src_1=false,bypass_concat=false,"
         "skip_topology_mode=project,deconv_mode=conv1x1_head,truncate_k_blocks=1"},
        "the flags mean project-bypass-conv1x1_head-k1",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("row", "told"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_a_row_that_cannot_be_placed_is_left_out_by_name(tmp_path, row, told):
    header = (*HEADER, "predicted", "toolchain", "toolchain_version", "export_flags", "verdict", "compile_success")
    good = {"run_tag": "baseline", "har_success": "true", "hef_success": "true"}
    reading = read_night_runs(table(tmp_path, row, good, header=header))
    assert len(reading.runs) == 1
    assert (reading.left_out[0].source, reading.left_out[0].tag) == ("summary.tsv:2", row["run_tag"])
    assert told in reading.left_out[0].reason


def test_flags_place_a_row_whose_tag_is_unknown(tmp_path):
    flags = (
        "disable_skip=true,mask_mul_mode=normal,force_n_src_1=true,bypass_concat=true,skip_topology_mode=concat,"
        "deconv_mode=reduced_deconv_64,truncate_k_blocks=4"
    )
    row = {"run_tag": "tuesday", "har_success": "true", "hef_success": "true", "export_flags": flags}
    assert one(table(tmp_path, row, header=(*HEADER, "export_flags"))).case == parse_case(flags)


@pytest.mark.parametrize("tag", NOTES_TAGS)
def test_every_tag_of_the_notes_and_every_id_is_a_case(tmp_path, tag):
    for name in (tag, NOTES_TAGS[tag].id):
        assert one(table(tmp_path, {"run_tag": name, "hef_success": "true"})).case == NOTES_TAGS[tag]


BAD_TABLES = {
    "columns": ("name\tresult\nx\t1\n", "no column run_tag, har_success, hef_success"),
    "twice": ("run_tag\trun_tag\tcase_status\n", "column run_tag stands twice"),
    "commas": ("run_tag,har_success,hef_success\n", "tab-separated"),
    "empty": ("", "empty"),
}


@pytest.mark.parametrize(("text", "told"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_a_table_of_other_columns_is_one_line_that_names_what_is_missing(tmp_path, text, told):
    (tmp_path / "summary.tsv").write_text(text)
    with pytest.raises(NightRunsError, match=told) as caught:
        read_night_runs(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_path_without_runs_is_an_error(tmp_path):
    with pytest.raises(NightRunsError, match=r"no summary\.tsv in it"):
        read_night_runs(tmp_path)
    with pytest.raises(NightRunsError, match="no such folder"):
        read_night_runs(tmp_path / "none")


@settings(max_examples=150)
@given(data=st.binary(max_size=400), note=st.binary(max_size=200))
def test_rubbish_is_the_packages_own_error_or_left_out(tmp_path_factory, data, note):
    folder = tmp_path_factory.mktemp("rubbish")
    (folder / "summary.tsv").write_bytes(b"run_tag\tcase_status\texception_head\nbaseline\tfailed\tx\n" + data)
    (folder / "baseline.failure.txt.json").write_bytes(note)
    (folder / "baseline.failure.txt").write_bytes(note)
    (folder / "baseline.log").write_bytes(note)
    assert read_night_runs(folder).runs
    (folder / "summary.tsv").write_bytes(data)
    with suppress(NightRunsError):
        read_night_runs(folder)


def test_files_outside_the_tables_folder_are_not_read(tmp_path):
    secret = tmp_path / "secret.log"
    secret.write_text("Starting Compilation...\nMemory units capacity exceeded (available: 128, required: 138)\n")
    inner = tmp_path / "runs"
    inner.mkdir()
    header = (*HEADER, "log_path")
    for path in (str(secret), "../secret.log"):
        row = {"run_tag": "baseline", "har_success": "true", "failure_stage": "compile", "log_path": path}
        run = one(table(inner, row, header=header))
        assert run.log is None
        assert (run.stages[Stage.COMPILE].status, run.stages[Stage.COMPILE].failures) == (UNCLASSIFIED, ())
    (inner / "baseline.log").symlink_to(secret)
    assert one(inner).log is None
    for path in ("x" * 5000, "a/\0/b", "/", ".."):
        row = {"run_tag": "baseline", "har_success": "true", "failure_stage": "compile", "log_path": path}
        assert one(table(inner, row, header=header)).log is None


def test_a_log_tells_of_an_earlier_cause_than_the_exception(tmp_path):
    (tmp_path / "20260301_000000").mkdir()
    log = "Starting Compilation...\ndw66 errors:\n\tAgent infeasible\n" + "noise\n" * 100_000
    (tmp_path / "20260301_000000" / "baseline.log").write_text(log + "Mapping Failed (Timeout, allocation time: 2s)\n")
    row = {"run_tag": "baseline", "har_success": "true", "failure_stage": "timeout"}
    run = one(table(tmp_path, row))
    (found,) = run.stages[Stage.COMPILE].failures
    assert (found.family, found.layers, run.run) == ("agent_infeasible", ("dw66",), "20260301_000000")


def test_a_log_and_its_row_that_contradict_each_other_are_left_out(tmp_path):
    went_well = "Starting Compilation...\n[info] Successful Compilation (compilation time: 3s)\n"
    failed = "Starting Compilation...\n[error] Memory units required 133 and 128 are available\n"
    for text, hef, told in ((went_well, "false", "its log that it compiled"), (failed, "true", "(memory_units)")):
        (tmp_path / "baseline.log").write_text(text)
        row = {"run_tag": "baseline", "har_success": "true", "hef_success": hef}
        reading = read_night_runs(table(tmp_path, row))
        assert reading.runs == ()
        assert told in reading.left_out[0].reason


def test_an_import_keeps_nothing_of_which_nothing_was_learned(tmp_path):
    rows = [{"run_tag": "baseline", **ENDS[name][0]} for name in ("its own time limit", "no reason", "set-up")]
    store = Store(tmp_path / "store")
    done = import_night_runs(store, table(tmp_path, *rows))
    assert (done.kept, done.known) == (0, 0)
    assert [each.reason.split(",")[0] for each in done.left_out] == [
        "infra at compile",
        "unclassified at translate",
        "infra at optimize",
    ]
    assert all_evidence(store) == ()


def test_the_notes_text_form_reads_like_the_json(tmp_path):
    negative = failure("negative_slope", "Quantization failed in layer n/avgpool6\nDesired shift is 10.0", "avgpool6")
    negative = negative.model_copy(update={"exception": "NegativeSlope", "figures": {"desired_shift": 10.0}})
    for each in (negative, failure("reshape_insertion", "Reshape is needed", "conv2", "conv3")):
        note = note_of([each], predicted=False)
        text = from_text(as_text(note))
        for key in ("exception_type", "exception_message", "reshape_layers"):
            assert text[key] == note[key]
        assert bool(text.get("negexp")) is (each is negative)
    assert note_of([negative], predicted=False)["signature"] == "NegativeSlope:avgpool6"
    found = read_note(FEBRUARY / "20260217_101500" / "k1-project-mask-bypass-deconv-reduced64.failure.txt")
    assert found["reshape_layers"] == ["conv2", "conv3"]
