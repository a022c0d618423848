"""The report: aligned at any width, honest about who says so, and the notes' columns in their order."""

from __future__ import annotations

import csv
from itertools import groupby
from pathlib import Path

import pytest

from tasnet.common.words import natural_order
from tasnet.network.variant import TrainedForm, Variant, set_axis
from tasnet.suite.cases.case import Case
from tasnet.suite.cases.names import parse_case
from tasnet.suite.cases.outcome import Stage, Status
from tasnet.suite.cases.profiles import NOTES_TAGS, profile_cases
from tasnet.suite.history.records import CaseRecord, case_record
from tasnet.suite.ledger.judgement import Blocker, Judgement, JudgementKind
from tasnet.suite.notes.summary_tsv import COLUMNS, NOTES_COLUMNS, export_flags, root_cause_family, row, write_summary
from tasnet.suite.report.blockers import tally
from tasnet.suite.report.progress import ProgressLines
from tasnet.suite.report.terminal import (
    function_counts,
    next_steps,
    summary_text,
    summary_title,
    verdict_counts,
)
from tests.doubles.outcomes import DFC, SUPER_DECONV, failure, outcomes
from tests.doubles.stored_runs import ended_record

RESHAPE = failure("reshape_insertion", "Reshape is needed for layers: conv2", *(f"conv{i}" for i in range(2, 26)))


def recorded(case: Case, *blockers: object, name: str = "matrix", **how: object) -> CaseRecord:
    return ended_record(case, outcomes(*blockers, **how), name=name)  # type: ignore[arg-type]


def whole(name: str) -> list[CaseRecord]:
    return [
        recorded(case, name=name) if index % 3 else recorded(case, RESHAPE, SUPER_DECONV, name=name)
        for index, case in enumerate(profile_cases(name))
    ]


def test_the_end_counts_what_keeps_the_function_and_says_how_the_others_differ() -> None:
    names = ("baseline", "truncate-k-4", "split-normal-grouped-all+activation=prelu+norm=gln")
    records = [recorded(parse_case(name)) for name in names]
    assert function_counts(records) == (
        "1 exact, 2 another function (ReLU for PReLU in 2, no norms in 2, 4 of 24 blocks in 1)"
    )
    # the one that is worth a compile before the others
    assert next_steps(records)[1] == f"  such as {names[2]} (exact)"
    assert next_steps(records[1:2])[1] == (
        "  such as concat-normal-grouped-k4 (another function: 4 of 24 blocks, ReLU for PReLU, no norms)"
    )


def test_a_case_of_a_checkpoint_is_held_against_what_that_was_trained_as() -> None:
    case = parse_case("split-normal-grouped-all+activation=prelu+norm=cln+causal=taps")
    record = recorded(case)
    assert record.function.text == "another function: norms by frame (cLN), no look ahead"
    own = record.model_copy(update={"trained": TrainedForm("cln", causal=True)})
    assert own.function.text == "exact"
    assert CaseRecord.model_validate_json(own.model_dump_json(exclude_defaults=True)).function.text == "exact"
    strange = record.model_copy(update={"axes": {**record.axes, "norm": "of another version"}})
    assert strange.function.text == "unknown"


def test_the_end_says_predicted_and_where_the_files_lie() -> None:
    records = whole("notes")
    assert summary_title(records) == "notes on hailo8: predicted by reference 0.1.0"
    text = summary_text(records, 80, False, False, [Path("/store/" + "x" * 90)])
    assert "predicted blockers" in text
    assert "verdicts  predicted 7 blocked, 13 clear (13 observed)" in text
    assert "20 distinct in 20 cases" in text
    assert "/store/" + "x" * 90 in text
    assert "conv2, conv3 … (24)" in text


def test_what_a_compiler_said_is_not_called_predicted() -> None:
    records = [recorded(parse_case("baseline"), RESHAPE, by=DFC)]
    text = summary_title(records) + summary_text(records, 80, False, False, [])
    assert "predicted" not in text
    assert "observed with dfc 3.33.1" in text


def test_counts_and_next_steps() -> None:
    clear, blocked = recorded(parse_case("baseline")), recorded(parse_case("mask-bypass"), RESHAPE)
    assert verdict_counts([clear, blocked]) == "1 blocked, 1 clear (1 observed)"
    assert "such as concat-normal-grouped-all" in "\n".join(next_steps([clear]))
    assert next_steps([blocked])[0].startswith("1 unexpected failure: ")


def test_the_tally_joins_layers_and_counts_cases() -> None:
    one = recorded(parse_case("baseline"), RESHAPE)
    two = recorded(parse_case("mask-bypass"), failure("reshape_insertion", "Reshape", "conv100", "conv2"))
    (found,) = tally([one, two])
    assert (found.cases, found.graphs, len(found.layers), found.layers[-1]) == (2, 2, 25, "conv100")


def test_natural_order() -> None:
    assert sorted(["conv10", "conv2", "concat1", "conv"], key=natural_order) == ["concat1", "conv", "conv2", "conv10"]


def test_a_record_survives_the_way_from_a_worker() -> None:
    told = recorded(parse_case("baseline"), RESHAPE, SUPER_DECONV)
    assert CaseRecord.model_validate_json(told.model_dump_json()) == told


# --- summary.tsv -------------------------------------------------------------------------------------------


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_columns_are_the_notes_then_the_own(tmp_path: Path) -> None:
    write_summary(whole("notes"), tmp_path / "runs" / "summary.tsv")
    lines = (tmp_path / "runs" / "summary.tsv").read_text().splitlines()
    assert tuple(lines[0].split("\t")) == COLUMNS
    assert COLUMNS[: len(NOTES_COLUMNS)] == NOTES_COLUMNS
    assert {line.count("\t") for line in lines} == {len(COLUMNS) - 1}
    assert len(lines) == 21
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["summary.tsv"]


def test_a_message_with_tabs_newlines_and_quotes_stays_one_cell(tmp_path: Path) -> None:
    nasty = failure("reshape_insertion", 'a\tb\nc\r\n"d\u2028e', "conv2")
    write_summary([recorded(parse_case("baseline"), nasty)], tmp_path / "summary.tsv")
    (found,) = read(tmp_path / "summary.tsv")
    assert found["exception_head"] == 'a b c "d e'


def test_a_blocked_row(tmp_path: Path) -> None:
    write_summary([recorded(parse_case("baseline"), RESHAPE, SUPER_DECONV)], tmp_path / "summary.tsv")
    (found,) = read(tmp_path / "summary.tsv")
    assert found["run_tag"] == "baseline"
    assert found["onnx_size_mb"] == "1.50"
    assert found["failure_stage"] == "compile"
    assert found["reshape_layer_count"] == "24"
    assert found["root_cause_family"] == "conv_chain_layout"
    assert found["first_10_failed_layers"].split(",")[:2] == ["conv2", "conv3"]
    assert len(found["first_10_failed_layers"].split(",")) == 10
    assert (found["har_success"], found["compile_success"], found["case_status"]) == (
        "true",
        "false",
        "har_only_success",
    )
    assert (found["function"], found["departures"]) == ("another function", "ReLU for PReLU, no norms")
    assert (found["predicted"], found["verdict"], found["judgement"]) == ("true", "blocked", "unexpected_failure")
    assert found["families"] == "reshape_insertion,unsupported_kernel"


def test_a_predicted_clear_leaves_no_hef() -> None:
    predicted, compiled = row(recorded(parse_case("baseline"))), row(recorded(parse_case("baseline"), by=DFC))
    assert (predicted["compile_success"], predicted["hef_success"], predicted["predicted"]) == (None, False, True)
    assert (predicted["case_status"], predicted["verdict"]) == ("har_only_success", "clear")
    assert (compiled["compile_success"], compiled["hef_success"], compiled["predicted"]) == (True, True, False)


def test_an_unknown_neither_succeeds_nor_fails(tmp_path: Path) -> None:
    write_summary([recorded(parse_case("baseline"), status=Status.UNKNOWN, reason="?")], tmp_path / "summary.tsv")
    (found,) = read(tmp_path / "summary.tsv")
    assert (found["compile_success"], found["root_cause_family"], found["verdict"]) == ("", "", "unknown")


@pytest.mark.parametrize(
    "case", list(NOTES_TAGS.values()) + list(profile_cases("matrix"))[::37], ids=lambda case: case.id
)
def test_export_flags_read_back_to_the_variant(case: Case) -> None:
    variant = Variant()
    for flag in export_flags(recorded(case)).split(","):
        variant = set_axis(variant, *flag.split("="))
    assert variant == case.variant


FAMILIES = {
    "skip_concat_maskmul": ["shortcut1", "concat1", "ew_mult1", "conv2"],
    "skip_concat": ["shortcut1", "concat1", "conv2"],
    "maskmul_plus_conv_chain": ["ew_mult1", "conv2"],
    "maskmul": ["ew_mult1", "concat1"],
    "conv_chain_layout": ["conv2", "shortcut1"],
    "reshape_allocator": ["concat1"],
    "unknown": [],
}


@pytest.mark.parametrize(("family", "layers"), FAMILIES.items(), ids=FAMILIES)
def test_root_cause_by_layers(family: str, layers: list[str]) -> None:
    assert root_cause_family([failure("reshape_insertion", "Reshape is needed", *layers)]) == family


def test_root_cause_by_message_comes_first() -> None:
    reshape = failure("reshape_insertion", "Reshape is needed", "conv2")
    assert root_cause_family([reshape, failure("unsupported_dimensions", "x")]) == "unsupported_dimensions"
    negative = failure("unclassified", "layer conv2 has a negative exponent")
    assert root_cause_family([reshape, negative]) == "quantization_negative_exponent"
    assert root_cause_family([SUPER_DECONV]) == "unknown"


# --- progress ----------------------------------------------------------------------------------------------


def test_a_line_each_tenth() -> None:
    lines: list[str] = []
    progress = ProgressLines(lines.append, 840)
    for index in range(840):
        progress.step("xfailed" if index % 2 else "passed", f"case{index}")
    assert len(lines) == 10
    assert lines[-1] == "cases 840/840: 420 passed 420 xfailed 0 failed  case839"
    assert all(len(list(group)) == 1 for _, group in groupby(lines))


def test_entries_are_named_in_the_blockers() -> None:
    told = Judgement(JudgementKind.EXPECTED_FAILURE, ("one",), "e", "h", "", (Blocker(RESHAPE, ("one",)),))
    case = parse_case("baseline")
    text = summary_text(
        [case_record(case.id, case, "notes", Stage.COMPILE, outcomes(RESHAPE), told)], 80, False, False, []
    )
    assert "one" in text
    assert "none: not expected" not in text
    assert "no case is clear" in text
