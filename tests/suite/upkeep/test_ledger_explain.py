"""Why a case is judged as it is: who claims it, by which condition, and who comes near."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from tasnet.cli import main
from tasnet.suite.cases.case import Case
from tasnet.suite.cases.names import parse_case
from tasnet.suite.cases.outcome import Outcome, Stage
from tasnet.suite.upkeep.explaining import explain_case, explanation_lines
from tests.doubles.ledgers import entry_text, ledger, ledger_text
from tests.doubles.outcomes import DFC, SUPER_DECONV, failure, outcomes
from tests.doubles.stored_runs import store_profile

TODAY = date(2026, 6, 1)
SLOPE = failure("negative_slope", "a slope below 0", "prelu1")
BOOK = (
    entry_text("deconv", "[{decoder: grouped, sources: all}, {decoder: polyphase}]"),
    entry_text("slope", "{blocks: 2}", "negative_slope", "optimize", "slope"),
    entry_text("far", "{decoder: polyphase, norm: gln}"),
    entry_text("near", '{decoder: grouped, T: ">=32000"}'),
)


def tell(case: Case) -> Mapping[Stage, Outcome]:
    return outcomes(*([SLOPE] if case.variant.blocks == 2 else [SUPER_DECONV] if case.variant.blocks == 4 else []))


def told(tmp_path: Path, case: str) -> str:
    run = store_profile(tmp_path, tell)
    return "\n".join(explanation_lines(explain_case(ledger(*BOOK), parse_case(case), run, {}, TODAY)))


def test_an_expected_failure(tmp_path: Path) -> None:
    assert told(tmp_path, "truncate-k-4").splitlines() == [
        "concat-normal-grouped-k4",
        "function  another function: 4 of 24 blocks, ReLU for PReLU, no norms",
        "run       20260601T000000Z: predicted by reference 0.1.0 on hailo8",
        "judged    expected failure",
        "expected  failure at compile, unsupported_kernel (entry deconv)",
        "happened  predicted failure at compile, unsupported_kernel [deconv1]: Super",
        "          deconv is not supported with groups",
        "",
        "claimed by deconv at ledger.yaml:5:5",
        "  because   decoder grouped, sources all",
        "  says      compile, unsupported_kernel: Super deconv",
        "  covers    predicted unsupported_kernel at compile [deconv1]: Super deconv is not supported with groups",
        "",
        "not by near at ledger.yaml:41:5",
        "  because   T 16000 isn't >=32000",
        "",
        "not by far at ledger.yaml:29:5",
        "  because   decoder grouped isn't polyphase, norm identity isn't gln",
        "",
        "not by slope at ledger.yaml:17:5",
        "  because   blocks 4 isn't 2",
    ]


def test_what_is_blocked_names_its_cause(tmp_path: Path) -> None:
    said = told(tmp_path, "concat-normal-grouped-k2")
    assert "compile blocked by optimize (entry slope)" in " ".join(said.split())
    assert "  covers    nothing: compile blocked by optimize (entry slope)" in said


def test_an_unexpected_pass(tmp_path: Path) -> None:
    said = told(tmp_path, "concat-normal-grouped-all")
    assert "judged    unexpected pass: narrow the entry's `where`" in said
    assert "  covers    nothing" in said


def test_a_wrong_failure_shows_what_differs(tmp_path: Path) -> None:
    run = store_profile(tmp_path, lambda case: outcomes(failure("unsupported_kernel", "Super conv is new", "deconv1")))
    said = "\n".join(explanation_lines(explain_case(ledger(*BOOK), parse_case("baseline"), run, {}, TODAY)))
    assert "    message of entry deconv\n      entry    Super deconv\n      failure  Super conv is new\n" in said
    assert "no entry covers  predicted unsupported_kernel at compile [deconv1]: Super conv is new" in said


def test_what_a_compiler_said_is_observed(tmp_path: Path) -> None:
    book = ledger(entry_text("deconv", toolchain='{reference: "*", dfc: {version: ">=3.33", where: {blocks: [1, 4]}}}'))
    run = store_profile(tmp_path, lambda case: outcomes(SUPER_DECONV, by=DFC))
    said = "\n".join(explanation_lines(explain_case(book, parse_case("truncate-k-4"), run, {}, TODAY)))
    assert "observed by dfc 3.33.1 on hailo8" in said
    assert "  because   decoder grouped, blocks 4 is [1, 4] (of dfc)" in said
    assert "predicted" not in said


def test_without_a_run_it_says_what_is_expected(tmp_path: Path) -> None:
    said = "\n".join(
        explanation_lines(explain_case(ledger(*BOOK), parse_case("split-normal-polyphase-all"), None, {}, TODAY))
    )
    assert "run       none has it: this is what is expected\nexpected  failure at compile, unsupported_kernel" in said
    assert "not by far at ledger.yaml:29:5\n  because   norm identity isn't gln" in said


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "ledger.yaml"
    path.write_text(ledger_text(*BOOK))
    options = ["--ledger", str(path), "--store", str(tmp_path / "store")]
    flags = "skip_topology_mode=concat,deconv_mode=grouped,TRUNCATE_K_BLOCKS=4"
    for case in ("truncate-k-4", "concat-normal-grouped-k4", flags):
        assert main(["ledger", "explain", case, *options]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert (lines[0], lines[2][:21]) == ("concat-normal-grouped-k4", "run       none has it")
        assert lines[1] == "function  another function: 4 of 24 blocks, ReLU for PReLU, no norms"
    store_profile(tmp_path / "store", tell)
    assert main(["ledger", "explain", "truncate-k-4", *options, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["judged"], said["predicted"], said["run"]) == ("expected_failure", True, "20260601T000000Z")
    assert said["claimed_by"][0] == {
        "entry": "deconv", "place": f"{path}:5:5", "because": ["decoder grouped", "sources all"],
    }  # fmt: skip
    store_profile(tmp_path / "store", tell, "notes", "20260602T000000Z", cases=[parse_case("baseline")])
    store_profile(tmp_path / "store", tell, "notes", "20260603T000000Z", double=True)
    assert main(["ledger", "explain", "truncate-k-4", *options]) == 0
    assert "\nrun       20260601T000000Z: " in capsys.readouterr().out
    assert main(["ledger", "explain", "baseline", *options]) == 0
    assert "\nrun       20260602T000000Z: " in capsys.readouterr().out
    assert main(["ledger", "explain", "concat-normal-gruoped-all", *options]) == 2
    assert "did you mean" in capsys.readouterr().err


def test_a_vacuous_choice_is_said_with_the_explanation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ledger.yaml").write_text(ledger_text(*BOOK))
    words = ["ledger", "explain", "project-bypass-grouped-k1", "--ledger", str(tmp_path / "ledger.yaml")]
    words += ["--store", str(tmp_path / "store")]
    assert main(words) == 0
    assert "vacuous   blocks=1 changes nothing: blocks=all gives the same graph" in capsys.readouterr().out
    assert main([*words, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["vacuous"]) == 2
