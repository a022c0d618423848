"""Night runs: read as what was observed, kept once, written back the same, and held against the predictions."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import textwrap
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasnet.hailo.failures import Certainty
from tasnet.hailo.predict.reference import Reference
from tasnet.suite import ledger
from tasnet.suite.cases.names import parse_case
from tasnet.suite.cases.outcome import Stage, Status
from tasnet.suite.cases.profiles import NOTES_TAGS
from tasnet.suite.history.records import case_record
from tasnet.suite.ledger.judgement import JudgementKind, judge
from tasnet.suite.notes.exporting import write_night_run
from tasnet.suite.notes.failure_note import as_text, from_text, note_of, read_note
from tasnet.suite.notes.importing import import_night_runs, read_night_runs
from tasnet.suite.notes.run_tables import NightRunsError
from tasnet.suite.observed.confusions import Agreement, confusion_table, refutation_text, refuted_predictions
from tasnet.suite.observed.evidence import (
    Evidence,
    EvidenceError,
    all_evidence,
    evidence_by_entry,
    evidence_of_case,
    keep_evidence,
)
from tasnet.suite.run.pipeline import Pipeline
from tasnet.suite.run.store import Store
from tests.doubles.outcomes import REFERENCE, SUPER_DECONV, failure, outcomes

FEBRUARY = Path(__file__).parent / "data" / "night_runs2"
HEADER = ("run_tag", "har_success", "hef_success", "failure_stage", "exception_type", "exception_head")


def table(tmp_path, *rows, header=HEADER, name="summary.tsv"):
    lines = ["\t".join(header), *("\t".join(str(row.get(column, "")) for column in header) for row in rows)]
    (tmp_path / name).write_text("\n".join(lines) + "\n")
    return tmp_path / name


def one(path, **options):
    (run,) = read_night_runs(path, **options).runs
    return run


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


PASSED, FAILED, BLOCKED, INFRA, SKIPPED, UNCLASSIFIED = (
    Status.PASSED,
    Status.FAILED,
    Status.BLOCKED,
    Status.INFRA,
    Status.SKIPPED,
    Status.UNCLASSIFIED,
)
ENDS = {
    "compiled": ({"har_success": "true", "hef_success": "true"}, (PASSED, PASSED, PASSED)),
    "translate": (
        {"har_success": "false", "failure_stage": "translate", "exception_head": "UnsupportedOperationError in op x"},
        (FAILED, BLOCKED, BLOCKED),
    ),
    "optimize": (
        {"har_success": "true", "hef_success": "false", "exception_type": "NegativeSlopeExponentNonFixable",
         "exception_head": "Quantization failed in layer n/avgpool6 due to unsupported required slope. Desired shift "
         "is 10.0, but op has only 8 data bits."},
        (PASSED, FAILED, BLOCKED),
    ),
    "nobody knows": (
        {"har_success": "true", "hef_success": "false", "failure_stage": "optimize", "exception_head": "Whatever"},
        (PASSED, UNCLASSIFIED, UNCLASSIFIED),
    ),
    "mapping timeout": (
        {"har_success": "true", "failure_stage": "timeout", "exception_type": "BackendAllocatorException",
         "exception_head": "Mapping Failed (Timeout, allocation time: 31m 42s)"},
        (PASSED, PASSED, FAILED),
    ),
    "its own time limit": (
        {"har_success": "true", "hef_success": "false", "failure_stage": "timeout"},
        (PASSED, PASSED, INFRA),
    ),
    "its own time limit, in a search": (
        {"har_success": "true", "failure_stage": "timeout", "exception_head": "dw66 Agent infeasible"},
        (PASSED, PASSED, INFRA),
    ),
    "set-up": (
        {"har_success": "true", "failure_stage": "optimize", "exception_type": "BackendScriptParserException",
         "exception_head": "Parsing failed at: a(b"},
        (PASSED, INFRA, INFRA),
    ),
    "environment": (
        {"har_success": "false", "exception_type": "ImportError", "exception_head": "libx.so: symbol lookup error"},
        (INFRA, INFRA, INFRA),
    ),
    "har only": ({"har_success": "true", "hef_success": "false"}, (PASSED, SKIPPED, SKIPPED)),
    "no reason": ({"har_success": "false", "hef_success": "false"}, (UNCLASSIFIED,) * 3),
}  # fmt: skip


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


# --- evidence


def test_an_import_keeps_each_run_once_from_wherever_it_is_read(tmp_path):
    store = Store(tmp_path / "store")
    first = import_night_runs(store, FEBRUARY, version="3.33.0")
    assert (first.kept, first.known) == (6, 0)
    shutil.copytree(FEBRUARY, tmp_path / "copy")
    lines = (FEBRUARY / "summary.tsv").read_text().splitlines()
    (tmp_path / "copy" / "summary.tsv").write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    second = import_night_runs(store, tmp_path / "copy", version="3.33.0")
    assert (second.kept, second.known) == (0, 6)
    assert len(all_evidence(store)) == 6
    (found,) = evidence_of_case(store, "concat-normal-grouped-all")
    assert "summary.tsv:2" in found.line
    assert "\n" not in found.line


def test_two_imports_at_once_lose_and_double_nothing(tmp_path):
    code = f"""
        from pathlib import Path
        from tasnet.suite.notes.importing import import_runs
        from tasnet.suite.run.store import Store
        import_runs(Store(Path({str(tmp_path / "store")!r})), Path({str(FEBRUARY)!r}), version="3.33.0")
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    running = [subprocess.Popen(command) for _ in range(3)]
    assert [each.wait(timeout=120) for each in running] == [0, 0, 0]
    assert len(all_evidence(Store(tmp_path / "store"))) == 6
    assert not list((tmp_path / "store" / "tmp").iterdir())


def test_predictions_and_unknown_cases_are_no_evidence_and_damaged_files_are_passed_over(tmp_path):
    store = Store(tmp_path)
    predicted = Evidence(case_id="baseline", tag="x", outcomes=tuple(outcomes(SUPER_DECONV, by=REFERENCE).values()))
    with pytest.raises(EvidenceError, match="predicted by reference"):
        keep_evidence(store, predicted)
    run = read_night_runs(FEBRUARY).runs[0].evidence
    with pytest.raises(EvidenceError, match="bogus"):
        keep_evidence(store, run.model_copy(update={"case_id": "bogus"}))
    with pytest.raises(EvidenceError, match=r"dfc 3\.33\.0\+double"):
        keep_evidence(store, read_night_runs(FEBRUARY, version="3.33.0+double").runs[0].evidence)
    with pytest.raises(EvidenceError, match="without outcomes"):
        keep_evidence(store, run.model_copy(update={"outcomes": ()}))
    assert keep_evidence(store, run)
    (file,) = (tmp_path / "evidence").glob("*/*.json")
    file.write_text(file.read_text()[:-9])
    assert all_evidence(store) == ()
    assert keep_evidence(store, run)
    assert all_evidence(store) == (run,)
    file.write_text(file.read_text().replace('"predicted":false', '"predicted":true'))
    assert all_evidence(store) == ()


LEDGER = """
schema: 1
budget: 1
entries:
  - id: memory-units
    summary: the deconvolution needs more memory units than a cluster has
    where: {decoder: ungrouped_blockdiag}
    stage: compile
    family: memory_units
    message: Memory units capacity exceeded
    toolchain: {dfc: ">=3.33,<3.35"}
    arch: [hailo8]
    evidence: the notes
    since: 2026-02-17
    review: 2027-02-17
"""


def test_old_evidence_counts_in_the_ledger_at_the_version_it_is_of(tmp_path):
    entries = ledger.parse_ledger(LEDGER, tmp_path / "x.yaml").entries
    runs = {run.case.id: run for run in read_night_runs(FEBRUARY, version="3.33.0").runs}
    run = runs["project-bypass-ungrouped_blockdiag-k1"]
    judged = judge(run.case.axes(), run.evidence.stages, entries, date(2026, 3, 1))
    assert judged.kind is JudgementKind.EXPECTED_FAILURE
    lines = evidence_by_entry(entries, [each.evidence for each in runs.values()])["memory-units"]
    assert len(lines) == 1
    assert "20260217_094500" in lines[0]
    older = [each.evidence for each in read_night_runs(FEBRUARY).runs if "fallback" not in each.tag]
    assert evidence_by_entry(entries, older)["memory-units"] == ()


# --- writing


def told(run, entries=()):
    judged = judge(run.case.axes(), run.stages, entries, date(2026, 3, 1))
    return case_record(run.case.id, run.case, "notes", Stage.COMPILE, run.stages, judged)


def test_what_is_written_reads_back_as_the_same_outcomes(tmp_path):
    rows = [{"run_tag": tag, **row} for tag, (row, _) in zip(NOTES_TAGS, ENDS.values(), strict=False)]
    table(tmp_path, *rows)
    both = [
        *read_night_runs(FEBRUARY, version="3.33.0").runs,
        *read_night_runs(tmp_path, version="3.33.1", arch="hailo8l").runs,
    ]
    kept = [
        run for run in both if all(each.status not in (INFRA, SKIPPED, UNCLASSIFIED) for each in run.stages.values())
    ]
    assert len(kept) > 8
    (tmp_path / "a.log").write_text("as it was\n")
    written = write_night_run(
        tmp_path / "own", [told(run) for run in kept], {kept[0].case.id: tmp_path / "a.log"}, "20260301_000000"
    )
    again = read_night_runs(tmp_path / "own")
    assert again.left_out == ()
    assert [run.case for run in again.runs] == [run.case for run in kept]
    for before, after in zip(kept, again.runs, strict=True):
        assert after.stages == dict(before.stages)
        assert read_night_runs(written).runs
    assert again.runs[0].log.read_text() == "as it was\n"
    header, first = (line.split("\t") for line in written.read_text().splitlines()[:2])
    cells = dict(zip(header, first, strict=True))
    assert cells["log_path"] == "20260301_000000/baseline.log"
    note = json.loads((tmp_path / "own" / cells["failure_json"]).read_text())
    assert note["signature"] == "BackendAllocatorException:reshape:72"
    text = (tmp_path / "own" / "20260301_000000" / "baseline.failure.txt").read_text()
    assert text.splitlines()[2:5] == ["reshape_layer_count: 72", "reshape_layers_head:", "conv5"]
    assert len(text.splitlines()) == 4 + 50


def test_an_own_prediction_is_never_read_back_as_observed(tmp_path):
    case = parse_case("baseline")
    said = outcomes(SUPER_DECONV)
    judged = judge(case.axes(), said, (), date(2026, 3, 1))
    written = write_night_run(tmp_path, [case_record(case.id, case, "notes", Stage.COMPILE, said, judged)])
    assert read_night_runs(tmp_path).runs == ()
    # Nor when somebody takes the columns away that say so.
    lines = [line.split("\t") for line in written.read_text().splitlines()]
    keep_columns = [i for i, name in enumerate(lines[0]) if name not in ("predicted", "toolchain")]
    written.write_text("".join("\t".join(line[i] for i in keep_columns) + "\n" for line in lines))
    reading = read_night_runs(tmp_path)
    assert reading.runs == ()
    assert "prediction" in reading.left_out[0].reason


# --- against the predictions


def test_the_embedded_toolchain_agrees_with_the_notes_six_failures(tmp_path):
    runs = read_night_runs(FEBRUARY, version="3.33.0").runs
    pipeline = Pipeline(Store(tmp_path), Reference())
    predicted = {run.case.id: pipeline.run(run.case) for run in runs}
    found = confusion_table(predicted, [run.evidence for run in runs])
    assert refuted_predictions(found) == ()
    assert found.unmatched == ()
    assert {key: len(ids) for key, ids in found.cells.items()} == {("blocked", "blocked"): 6}
    assert "6 agrees" in found.table()


def observed(tmp_path, **row):
    return one(table(tmp_path, {"run_tag": "baseline", "har_success": "true", **row}), version="3.33.0").evidence


def test_an_observation_that_contradicts_a_prediction_refutes_it_with_its_evidence(tmp_path):
    compiled = observed(tmp_path, hef_success="true")
    failed = observed(tmp_path, exception_head="Memory units capacity exceeded (available: 128, required: 138)")
    ended = observed(tmp_path, exception_head="Mapping Failed (Timeout, allocation time: 31m 42s)")
    har_only = observed(tmp_path, hef_success="false")
    clear, blocked, unknown = outcomes(), outcomes(SUPER_DECONV), outcomes(status=Status.UNKNOWN)
    expected = [
        (clear, compiled, Agreement.AGREES),
        (clear, failed, Agreement.REFUTED),
        (blocked, compiled, Agreement.REFUTED),
        (blocked, failed, Agreement.MISSED),
        (blocked, ended, Agreement.AGREES),
        (unknown, failed, Agreement.SETTLED),
        (blocked, har_only, Agreement.SILENT),
    ]
    for predicted, evidence, agreement in expected:
        found = confusion_table({"baseline": predicted}, [evidence])
        assert [each.agreement for each in found.compared] == [agreement]
        assert bool(refuted_predictions(found)) is (agreement in (Agreement.REFUTED, Agreement.MISSED))
    text = refutation_text(refuted_predictions(confusion_table({"baseline": blocked}, [failed]))[0])
    assert "predicted blocked (unsupported_kernel), observed blocked (memory_units)" in text
    assert failed.line in text
    assert "3.33.0" in failed.line


def test_cases_of_one_graph_share_an_observation_and_other_cases_are_named(tmp_path):
    compiled = observed(tmp_path, hef_success="true")
    assert confusion_table({"concat-normal-grouped-k24": outcomes()}, [compiled]).unmatched == ()
    other = confusion_table({"concat-normal-grouped-all+arch=hailo8l": outcomes()}, [compiled])
    assert other.unmatched == ("concat-normal-grouped-all",)
    with pytest.raises(ValueError, match="give predictions"):
        confusion_table({"baseline": compiled.stages}, [compiled])
