"""What is said of a case: one value for every way its stages can end, and no clear where nobody said so.

What a value must be is written here from the words' meaning, and held against every combination of endings.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from itertools import product
from pathlib import Path

import pytest

from tasnet.cli import main
from tasnet.hailo.failures import Certainty
from tasnet.suite.cases.outcome import STAGES, Outcome, Provenance, Stage, Status
from tasnet.suite.cases.verdict import VERDICT_WORDS, Verdict, severity, verdict_of
from tasnet.suite.history.comparison import compare_runs
from tasnet.suite.history.lines import runs_lines
from tasnet.suite.history.records import CaseRecord
from tasnet.suite.history.trends import find_trend
from tasnet.suite.ledger.judgement import JudgementKind, judge
from tasnet.suite.notes.summary_tsv import COLUMNS, row
from tasnet.suite.report.signs import CLEAR, CLEAR_EXTRAPOLATED, PAINTS, sign_of
from tasnet.suite.report.support import support_document
from tasnet.suite.report.tables import label
from tasnet.suite.report.terminal import summary_text, verdict_counts
from tasnet.suite.upkeep.checking import check_ledger
from tests.doubles.ledgers import ledger
from tests.doubles.outcomes import DFC, REFERENCE, SUPER_DECONV
from tests.doubles.outcomes import outcomes as ended
from tests.doubles.stored_runs import ended_record, store_run

CASE = "project-bypass-conv1x1_head-k1"
TODAY = date(2026, 6, 1)
CLEARS = {Verdict.CLEAR_OBSERVED: Certainty.OBSERVED, Verdict.CLEAR_EXTRAPOLATED: Certainty.EXTRAPOLATED}


@cache
def outcome(stage: Stage, status: Status, certainty: Certainty | None, by: Provenance = REFERENCE) -> Outcome:
    failures = (SUPER_DECONV.model_copy(update={"stage": stage.value}),) if status is Status.FAILED else ()
    return Outcome(stage=stage, status=status, certainty=certainty, provenance=by, failures=failures, reason="so")


def every_end() -> list[Mapping[Stage, Outcome]]:
    """Every status at each of the stages up to each of them, known in every way."""
    found = []
    for count in range(1, 5):
        for statuses, certainty in product(product(Status, repeat=count), (*Certainty, None)):
            found.append({s: outcome(s, status, certainty) for s, status in zip(STAGES, statuses, strict=False)})
    return found


def test_a_clear_is_a_compile_that_passed_with_its_certainty_after_stages_that_all_did() -> None:
    """Of all 8,400 ways to end, by the words' meaning and not by the code's order."""
    ends = every_end()
    assert len(ends) == 3 * (7 + 7**2 + 7**3 + 7**4)
    for end in ends:
        verdict = verdict_of(end.values())
        compiled = end.get(Stage.COMPILE)
        passed = all(each.status is Status.PASSED for each in end.values())
        expected = compiled.certainty if compiled and passed else None
        assert verdict.certainty is expected
        assert (verdict in CLEARS) == (expected is not None)
        assert (verdict is Verdict.BROKE_DOWN) == any(each.status is Status.INFRA for each in end.values())
        if passed and compiled is None:
            assert verdict is Verdict.NOT_COMPILED


def test_nothing_at_all_is_no_clear() -> None:
    assert verdict_of([]) is Verdict.NOT_COMPILED


def test_what_ran_on_a_chip_was_compiled_whatever_it_sounds_like() -> None:
    for status in (Status.PASSED, Status.FAILED):
        assert verdict_of([outcome(Stage.INFER, status, Certainty.OBSERVED)]) is Verdict.CLEAR_OBSERVED
    assert verdict_of([outcome(Stage.INFER, Status.INFRA, None)]) is Verdict.BROKE_DOWN


def test_nothing_learned_has_no_rank_and_clears_are_the_best() -> None:
    ranks = {verdict: severity(verdict) for verdict in Verdict}
    assert {verdict for verdict, value in ranks.items() if value == 0} == set(CLEARS)
    untold = {Verdict.NOT_COMPILED, Verdict.UNCLASSIFIED, Verdict.BROKE_DOWN}
    assert {verdict for verdict, value in ranks.items() if value is None} == untold


# --- everywhere it is shown --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def records() -> list[CaseRecord]:
    """A record for every way to end, with the verdicts that they have."""
    found = [
        ended_record(CASE, end, stage=list(end)[-1]) for end in every_end() if Status.BLOCKED not in _statuses(end)
    ]
    found += [ended_record(CASE, ended(by=DFC)), ended_record(CASE, ended(SUPER_DECONV))]
    assert {record.verdict for record in found} == set(Verdict)
    return found


def _statuses(end: Mapping[Stage, Outcome]) -> set[Status]:
    return {each.status for each in end.values()}


def test_only_a_clear_is_drawn_clear(records: list[CaseRecord]) -> None:
    signs = {CLEAR: Verdict.CLEAR_OBSERVED, CLEAR_EXTRAPOLATED: Verdict.CLEAR_EXTRAPOLATED}
    for record in records:
        drawn = sign_of(record)
        assert signs.get(drawn) is (record.verdict if record.verdict in CLEARS else None)
        assert drawn.paint in PAINTS
        assert (drawn.paint in ("clear", "maybe")) == (record.verdict in CLEARS)
        assert ("clear" in drawn.meaning) == (record.verdict in CLEARS)


def test_only_a_clear_is_an_expected_pass(records: list[CaseRecord]) -> None:
    assert {record.verdict for record in records if record.kind is JudgementKind.EXPECTED_PASS} == set(CLEARS)


def test_only_a_clear_of_a_compiler_is_a_success_in_the_table(records: list[CaseRecord]) -> None:
    for record in records:
        cells = row(record)
        assert list(cells) == list(COLUMNS)
        assert cells["compile_success"] is not True or (record.verdict in CLEARS and not record.predicted)
        assert (cells["case_status"] == "compile_success") == (cells["compile_success"] is True)
        assert cells["verdict"] in VERDICT_WORDS
        assert (cells["verdict"] == "clear") == (record.verdict in CLEARS) == bool(cells["certainty"])


def test_each_word_is_in_the_counts_once(records: list[CaseRecord]) -> None:
    text = verdict_counts(records)
    assert [part.split(" ", 1)[1].partition(" (")[0] for part in text.split(", ") if part[0].isdigit()].count(
        "clear"
    ) == 1
    for word in VERDICT_WORDS:
        assert word in text


# --- a run that only translates ----------------------------------------------------------------------------


@pytest.fixture
def translated(tmp_path: Path) -> Path:
    """A store whose one run was never asked for a compile."""
    names = [CASE, "concat-normal-grouped-all"]
    store_run(
        tmp_path / "runs" / "20260601T120000Z", [ended_record(name, ended(), stage=Stage.TRANSLATE) for name in names]
    )
    return tmp_path


def test_a_run_that_only_translated_says_so_in_every_command(
    translated: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = "\n".join(runs_lines(translated))
    assert "2 not compiled" in text
    assert "expected pass" not in text
    assert [point.verdict for point in find_trend(translated, CASE).points] == ["not compiled"]  # type: ignore[union-attr]
    book = tmp_path / "ledger.yaml"
    book.write_text((Path(__file__).parents[3] / "expected_failures.yaml").read_text())
    assert main(["ledger", "check", "--ledger", str(book), "--store", str(translated)]) == 1
    out = capsys.readouterr().out
    assert "not compiled: run 20260601T120000Z says nothing of 2 of its 2 cases" in out
    assert "nothing wrong" not in out
    main(["ledger", "update", "--ledger", str(book), "--store", str(translated)])
    assert "2 of them not compiled: they say nothing of the ledger" in capsys.readouterr().out
    main(["ledger", "explain", CASE, "--ledger", str(book), "--store", str(translated)])
    assert "judged    not compiled" in capsys.readouterr().out


def test_a_run_that_only_translated_is_drawn_so(translated: Path) -> None:
    from tasnet.suite.history.run import find_run

    run = find_run(translated, "last")
    assert not run.whole
    text = summary_text(run.records, 100, False, False, [])
    assert "●" not in text
    assert "○" not in text
    assert "verdicts  predicted 2 not compiled" in text
    assert "2 of 2 cases were not compiled" in text
    assert label(run, run.records[0]) == f"{CASE}: predicted not compiled; {run.records[0].function.text}"
    shown = support_document(ledger(), {"notes": run}, {})
    assert "not compiled" in shown
    assert "No case is predicted clear." in shown


def test_a_case_that_broke_down_is_a_warning_of_the_check_beside_those_that_did_not(tmp_path: Path) -> None:
    ends = {CASE: ended(status=Status.INFRA, reason="no memory"), "concat-normal-grouped-all": ended()}
    run = store_run(tmp_path / "runs" / "1", [ended_record(name, end) for name, end in ends.items()])
    found = [each for each in check_ledger(ledger(), [run], {}, TODAY) if each.kind == "broke down"]
    assert [(each.warning, each.cases) for each in found] == [(True, (CASE,))]


def test_a_compile_that_one_run_lacks_is_said_in_a_comparison(tmp_path: Path) -> None:
    one = store_run(tmp_path / "runs" / "1", [ended_record(CASE, ended())])
    two = store_run(tmp_path / "runs" / "2", [ended_record(CASE, ended(), stage=Stage.TRANSLATE)])
    assert [group.what for group in compare_runs(one, two).groups] == ["clear, observed -> not compiled"]


def test_a_pass_without_a_certainty_is_unknown_and_no_expected_pass() -> None:
    end = {**ended(), Stage.COMPILE: outcome(Stage.COMPILE, Status.PASSED, None)}
    assert verdict_of(end.values()) is Verdict.UNKNOWN
    assert judge({"arch": "hailo8"}, end, [], TODAY).kind is JudgementKind.UNKNOWN


def test_a_verdict_is_never_stored(tmp_path: Path) -> None:
    run = store_run(tmp_path / "runs" / "1", [ended_record(CASE, ended(), stage=Stage.TRANSLATE)])
    kept = (run.folder / "records.jsonl").read_text()
    assert '"verdict"' not in kept
