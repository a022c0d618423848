"""What a new entry claims: what `ledger check` would have it claim, by all runs that are known and not by one alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasnet.cli import main
from tasnet.suite.cases.case import Case
from tasnet.suite.cases.outcome import Outcome, Stage
from tasnet.suite.cases.profiles import profile_cases
from tasnet.suite.ledger import parse_ledger
from tasnet.suite.upkeep.checking import check_ledger
from tasnet.suite.upkeep.rejudging import records_beside
from tests.doubles.ledgers import PATH, entry_text, ledger_text
from tests.doubles.outcomes import DFC, SUPER_DECONV, outcomes
from tests.doubles.stored_runs import store_profile, unstored_run
from tests.suite.upkeep.grouped_ledger import TODAY, done, grouped, surprises, tell

SOME = [case for name in ("notes", "probes") for case in profile_cases(name)][::8]


def _where(text: str) -> str:
    (found,) = re.findall(r"^    where: (.*)$", text, re.M)
    return found


@settings(max_examples=50)
@given(st.lists(st.booleans(), min_size=len(SOME), max_size=len(SOME)).filter(any))
def test_a_new_entry_claims_what_the_check_proposes_for_one_that_claims_everything(fails: list[bool]) -> None:
    failing = {case.id for case, so in zip(SOME, fails, strict=True) if so}
    run = unstored_run(lambda case: outcomes(*([SUPER_DECONV] if case.id in failing else [])), SOME)
    made = done(ledger_text(), run, allow_new="x").after
    everything = ledger_text(entry_text("one", "{}", message=SUPER_DECONV.message))
    found = [
        each.proposal
        for each in check_ledger(parse_ledger(everything, PATH), [run], {}, TODAY)
        if each.kind == "too broad"
    ]
    listed = re.findall(r"^      - (\{.*)$", made, re.M)
    where = f"[{', '.join(listed)}]" if listed else _where(made)
    assert found == ([f"narrow it: where: {where}"] if not all(fails) else [])


def _first_of(decoder: str) -> list[Case]:
    return [case for case in profile_cases("notes") if case.variant.decoder == decoder]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A whole run in which the grouped decoders fail, and one after it of some of those that do."""
    store_profile(tmp_path, tell, "matrix", "20260601T000000Z")
    store_profile(
        tmp_path, tell, "notes", "20260602T000000Z", cases=[each for each in _first_of("grouped") if grouped(each)]
    )
    return tmp_path


def test_a_run_in_which_all_fail_gets_an_entry_that_other_runs_bear_out(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = tmp_path / "ledger.yaml"
    ledger.write_text(ledger_text())
    update = ["ledger", "update", "--ledger", str(ledger), "--store", str(store), "--allow-new", "seen", "--write"]
    assert main(update) == 0
    assert "added     unsupported-kernel: cases that fail so: " in capsys.readouterr().out
    assert _where(ledger.read_text()) == "{sources: all, decoder: grouped}"
    for run in ("20260601T000000Z", "20260602T000000Z"):
        main(["ledger", "check", "--ledger", str(ledger), "--store", str(store), "--run", run])
        assert "too broad" not in capsys.readouterr().out


def test_how_many_cases_are_claimed_that_no_run_has_is_said(tmp_path: Path) -> None:
    run = store_profile(tmp_path, tell, "notes", cases=[each for each in _first_of("grouped") if grouped(each)][:1])
    assert records_beside(tmp_path, run) == ()
    (added,) = done(ledger_text(), run, allow_new="x").changes
    assert "cases that fail so: 1, such as " in added.told
    assert re.search(r"; claimed with them and not run: \d{3,}, such as ", added.told)


def test_runs_of_another_toolchain_chip_or_weights_and_parts_say_nothing_of_it(tmp_path: Path) -> None:
    clear = lambda case: outcomes()  # noqa: E731
    store_profile(tmp_path, clear, "probes", "20260601T000000Z", arch="hailo8l")
    store_profile(tmp_path, clear, "probes", "20260602T000000Z", checkpoint="best.pth")
    store_profile(tmp_path, lambda case: outcomes(by=DFC), "probes", "20260603T000000Z")
    store_profile(tmp_path, clear, "probes", "20260604T000000Z", cases=profile_cases("probes")[:3])
    run = store_profile(tmp_path, tell, "notes", "20260605T000000Z")
    assert records_beside(tmp_path, run) == ()
    whole = store_profile(tmp_path, tell, "probes", "20260606T000000Z")
    known = {record.case_id for record in run.records}
    beside = records_beside(tmp_path, run)
    assert [each.case_id for each in beside] == [each.case_id for each in whole.records if each.case_id not in known]


def test_a_compiler_that_names_one_blocker_of_several_refutes_no_other(tmp_path: Path) -> None:
    """Where it named another one, the new entry's may be there too: such a case is neither left out nor kept."""
    other = SUPER_DECONV.model_copy(update={"family": "memory_units", "message": "Memory units capacity exceeded"})

    def tells(case: Case) -> dict[Stage, Outcome]:
        return dict(outcomes(SUPER_DECONV if case.variant.blocks == 1 else other, by=DFC))

    run = unstored_run(tells, profile_cases("notes"), DFC)
    made = done(ledger_text(), run, allow_new="x").after
    assert made.count("    where: {}\n") == 2
    assert surprises(made, run) == []
