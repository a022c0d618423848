"""Of a predicted run what the store's evidence says: observed and inferred cells look unlike predicted ones."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tasnet.cli import main
from tasnet.hailo.predict import Reference
from tasnet.suite.ask.by_evidence import by_case, survey_of_run, with_evidence
from tasnet.suite.ask.suggesting import ASSUMED
from tasnet.suite.cases import Stage, parse_case
from tasnet.suite.history import ByEvidence, CaseRecord, EvidenceWord
from tasnet.suite.history.run import RunHead
from tasnet.suite.observed.evidence import Evidence, keep_evidence
from tasnet.suite.report.pack import page_data
from tasnet.suite.report.page import page_html
from tasnet.suite.report.signs import BY_EVIDENCE, CLEAR_EXTRAPOLATED, PAINTS, sign_of
from tasnet.suite.report.sources import gather_runs
from tasnet.suite.report.support import _matrix
from tasnet.suite.report.terminal import summary_text
from tasnet.suite.run import Pipeline, Store, open_store
from tests.doubles.outcomes import DFC, failure, outcomes
from tests.doubles.stored_runs import ended_record, run_head, store_run, unstored_run

SMALL = "+T=400+N=16+L=16+B=8+H=8+Sc=8+X=3+R=1"
IDS = tuple(parse_case(f"project-normal-conv1x1_head-{blocks}{SMALL}").id for blocks in ("k1", "k2", "all"))
ODD = failure("mapping_timeout", "Mapping failed", "conv1")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, list[CaseRecord]]:
    """A predicted run of three cases, each with a block more than the one before, and a store without evidence."""
    store = open_store(tmp_path_factory.mktemp("store"))
    pipeline = Pipeline(store, Reference())
    records = [ended_record(parse_case(each), pipeline.run(parse_case(each))) for each in IDS]
    store_run(store.root / "runs" / "20260601T000000Z", records)
    return store, records


@pytest.fixture
def store(run: tuple[Store, list[CaseRecord]]) -> Store:
    """The store, without evidence."""
    for file in run[0].root.glob("evidence/*/*"):
        file.unlink()
    return run[0]


def observed(store: Store, name: str, failed: bool) -> None:
    """A compiler's word on a case."""
    said = tuple(outcomes(*([ODD] if failed else []), by=DFC).values())[1:]
    keep_evidence(store, Evidence(case_id=name, tag=name, outcomes=said))


def known(store: Store, records: list[CaseRecord]) -> list[tuple[str, bool] | None]:
    """What the evidence says of each record."""
    found = with_evidence(records, by_case(survey_of_run(store, "hailo8", records)))
    return [(each.by_evidence.word.value, each.by_evidence.clear) if each.by_evidence else None for each in found]


def test_what_follows_of_one_observation_is_inferred_and_names_it(
    store: Store, run: tuple[Store, list[CaseRecord]]
) -> None:
    _, records = run
    assert known(store, records) == [None, None, None]
    observed(store, IDS[1], failed=True)
    # Fewer blocks may compile; more can't, if more is never easier.
    assert known(store, records) == [None, ("observed", False), ("inferred", False)]
    (last,) = with_evidence(records[2:], by_case(survey_of_run(store, "hailo8", records)))
    assert last.by_evidence is not None
    assert last.by_evidence.text == f"inferred from {IDS[1]}, which failed"
    # It is looked up, and is no part of the run.
    assert "by_evidence" not in last.model_dump()
    assert CaseRecord.model_validate_json(last.model_dump_json()) == records[2]
    observed(store, IDS[1], failed=False)
    assert known(store, records) == [None, ("disputed", False), None]


def test_of_another_chip_and_of_an_observed_run_nothing_is_said(
    store: Store, run: tuple[Store, list[CaseRecord]]
) -> None:
    _, records = run
    observed(store, IDS[1], failed=False)
    assert known(store, records) == [("inferred", True), ("observed", True), None]
    assert survey_of_run(store, "hailo8l", records) is None
    own = [each.model_copy(update={"predicted": False}) for each in records]
    assert known(store, own) == [None, None, None]


def test_the_terminals_map_draws_and_counts_them_and_states_the_assumption(
    store: Store, run: tuple[Store, list[CaseRecord]]
) -> None:
    _, records = run

    def text(ascii_only: bool = False) -> str:
        shown = with_evidence(records, by_case(survey_of_run(store, "hailo8", records)))
        return summary_text(shown, 100, False, ascii_only, [])

    before = text()
    assert "inferred" not in before
    assert "evidence  " not in before
    observed(store, IDS[1], failed=False)
    for ascii_only, signs in ((False, ("◇", "✓")), (True, ("y", "*"))):
        said = text(ascii_only)
        assert f"{signs[0]} clear: inferred from observations" in said
        assert f"{signs[1]} compiled: observed, by the evidence" in said
        assert "evidence  1 observed (1 clear, 0 blocked), 1 inferred (1 clear, 0 blocked)" in said
        assert ASSUMED in " ".join(said.split())


def test_no_two_ways_to_know_a_verdict_look_alike() -> None:
    signs = [*BY_EVIDENCE.values(), CLEAR_EXTRAPOLATED]
    assert len({each.sign for each in signs}) == len({each.ascii for each in signs}) == len(signs)
    assert not PAINTS.keys() & {each.paint for each in BY_EVIDENCE.values()}
    # What isn't as the ledger says is a surprise still, whatever the evidence says.
    record = ended_record(IDS[0], outcomes(ODD))
    said = ByEvidence(word=EvidenceWord.INFERRED, clear=True, text="inferred from …")
    assert sign_of(record.model_copy(update={"by_evidence": said})).sign == "F"


def test_the_report_shows_them_and_ranks_the_open_questions(store: Store, run: tuple[Store, list[CaseRecord]]) -> None:
    before = gather_runs(store, date(2026, 6, 2))
    page = page_html(before)
    assert "Open questions" not in page
    assert page_data(before)["paints"] == PAINTS
    observed(store, IDS[1], failed=False)
    after = gather_runs(store, date(2026, 6, 2))
    page = page_html(after)
    assert 'class="cell inferred-clear said-predicted"' in page
    assert f"Inferred clear: inferred from {IDS[1]}, which compiled" in page
    assert "Open questions" in page
    # The third case is the one that is left open, among layers alone that are new.
    assert IDS[2] in [each["name"] for each in after.open_questions]
    assert page_data(after)["paints"].keys() - PAINTS.keys() == {"inferred-clear", "seen-clear"}


def test_the_support_matrix_says_inferred_and_by_what(store: Store, run: tuple[Store, list[CaseRecord]]) -> None:
    _, records = run
    stored = replace(unstored_run(lambda case: outcomes(), [parse_case(IDS[0])]), records=tuple(records))
    plain = "\n".join(_matrix(stored, {}, "predicted"))
    assert "inferred" not in plain
    assert "Every cell is predicted" in plain
    observed(store, IDS[1], failed=True)
    shown = with_evidence(records, by_case(survey_of_run(store, "hailo8", records)))
    text = "\n".join(_matrix(replace(stored, records=shown), {}, "predicted"))
    assert "inferred blocked" in text
    assert "observed blocked" in text
    assert ASSUMED in text
    assert f"- `{IDS[2]}`: inferred: inferred from {IDS[1]}, which failed" in text


def test_explain_says_by_what_a_case_is_known(
    store: Store, run: tuple[Store, list[CaseRecord]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = tmp_path / "ledger.yaml"
    ledger.write_text("schema: 1\nbudget: 0\nentries: []\n")
    command = ["ledger", "explain", IDS[2], "--store", str(store.root), "--ledger", str(ledger)]
    assert main(command) == 0
    assert "inferred" not in capsys.readouterr().out
    observed(store, IDS[1], failed=True)
    assert main(command) == 0
    said = capsys.readouterr().out
    assert f"blocked: inferred from {IDS[1]}, which failed" in said
    assert ASSUMED in said
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["by_evidence"]["word"] == "inferred"
    observed(store, IDS[0], failed=False)
    assert main(command) == 0
    # The run's predictions rested on the public record alone.
    assert "since this run the store's evidence moved, run it again" in capsys.readouterr().out


def test_a_run_says_what_its_predictions_rest_on() -> None:
    assert run_head([]).rests_on == ""
    head = run_head([], rows=(400_000, None), rests_on="a" * 64)
    assert RunHead.model_validate_json(head.model_dump_json(by_alias=True)) == head
    assert Stage.COMPILE in outcomes()
