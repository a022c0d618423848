"""Night runs as evidence: kept once, written back the same, and held against the predictions."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import textwrap
from datetime import date

import pytest

from tasnet.hailo.predict.reference import Reference
from tasnet.suite import ledger
from tasnet.suite.cases.names import parse_case
from tasnet.suite.cases.outcome import Stage, Status
from tasnet.suite.cases.profiles import NOTES_TAGS
from tasnet.suite.history.records import case_record
from tasnet.suite.ledger.judgement import JudgementKind, judge
from tasnet.suite.notes.exporting import write_night_run
from tasnet.suite.notes.importing import import_night_runs, read_night_runs
from tasnet.suite.observed.confusions import Agreement, confusion_table, refutation_text, refuted_predictions
from tasnet.suite.observed.evidence import (
    Evidence,
    EvidenceError,
    all_evidence,
    evidence_by_entry,
    keep_evidence,
)
from tasnet.suite.run.pipeline import Pipeline
from tasnet.suite.run.store import Store
from tests.doubles.outcomes import REFERENCE, SUPER_DECONV, outcomes
from tests.suite.notes.tables import (
    ENDS,
    FEBRUARY,
    INFRA,
    SKIPPED,
    UNCLASSIFIED,
    one,
    table,
)

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
    (found,) = (each for each in all_evidence(store) if each.case_id == "concat-normal-grouped-all")
    assert "summary.tsv:2" in found.line
    assert "\n" not in found.line


def test_two_imports_at_once_lose_and_double_nothing(tmp_path):
    code = f"""
        from pathlib import Path
        from tasnet.suite.notes.importing import import_night_runs
        from tasnet.suite.run.store import Store
        import_night_runs(Store(Path({str(tmp_path / "store")!r})), Path({str(FEBRUARY)!r}), version="3.33.0")
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
