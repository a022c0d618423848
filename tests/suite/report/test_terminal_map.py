"""The map in a terminal: at any width, each cell with the letters of its root causes, heads and labels unbroken."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasnet.common.plain_signs import in_ascii
from tasnet.common.words import folded_name
from tasnet.network.variant import TrainedForm
from tasnet.suite.cases.names import parse_case
from tasnet.suite.cases.outcome import Status
from tasnet.suite.cases.profiles import profile_cases
from tasnet.suite.history.records import CaseRecord, case_record
from tasnet.suite.ledger.judgement import Blocker, Judgement, JudgementKind
from tasnet.suite.report import signs
from tasnet.suite.report.signs import entry_letters
from tasnet.suite.report.terminal import render, summary_text
from tests.doubles.outcomes import SUPER_DECONV, failure, outcomes
from tests.doubles.stored_runs import ended_record

RESHAPE = failure("reshape_insertion", "Reshape is needed for layers: conv2", *(f"conv{i}" for i in range(2, 26)))
AGENT = failure("agent_infeasible", "Agent infeasible", "conv1")
LEDGER = ["grouped-super-deconv", "never-seen", "prime-row-reshape", "wide-row-agent"]
CAUSES = {"grouped-super-deconv": SUPER_DECONV, "prime-row-reshape": RESHAPE, "wide-row-agent": AGENT}


@cache
def record(name: str, *causes: str) -> CaseRecord:
    """A case that is blocked by these entries as expected, or clear without any."""
    case = parse_case(name)
    if not causes:
        return ended_record(case, outcomes())
    found = [CAUSES[each] for each in causes]
    told = Judgement(
        JudgementKind.EXPECTED_FAILURE, causes, "e", "h", "", tuple(map(Blocker, found, ((each,) for each in causes)))
    )
    return case_record(case.id, case, "matrix", found[0].stage, outcomes(*found), told)


def shown(records: list[CaseRecord], width: int = 80, *, ascii_only: bool = False) -> list[str]:
    return summary_text(records, width, False, ascii_only, [], entries=LEDGER).splitlines()


def rows(lines: list[str]) -> list[list[str]]:
    return [
        line.split() for line in lines[: next(i for i, line in enumerate(lines) if line.startswith("rows"))] if line
    ]


def test_a_cell_has_the_letters_that_the_root_causes_have_in_the_ledgers_order() -> None:
    lines = shown([record("concat-normal-grouped-all", "wide-row-agent", "grouped-super-deconv")])
    assert rows(lines)[-1] == ["concat-normal", "≠", "AD"]
    (causes,) = [line for line in lines if line.startswith("causes")]
    assert causes.split("  ")[1:] == ["A grouped-super-deconv", "D wide-row-agent"]
    assert any(re.search(r"^agent_infeasible .* D wide-row-agent$", line) for line in lines)


@given(st.integers(1, 200))
def test_letters_are_never_two_ways_to_be_read(count: int) -> None:
    letters = [*entry_letters(map(str, range(count))).values()]
    assert re.findall(r"[A-Z]\d*", "".join(letters)) == letters
    assert len(set(letters)) == count


def test_a_name_that_the_ledger_doesnt_have_any_more_gets_a_letter_too() -> None:
    text = summary_text([record("concat-normal-grouped-all", "wide-row-agent")], 80, False, False, [])
    assert "A wide-row-agent" in text


def test_a_surprise_is_a_word_and_no_letter() -> None:
    lines = shown([ended_record("concat-normal-grouped-all", outcomes(RESHAPE))])
    assert rows(lines)[-1] == ["concat-normal", "≠", "fails"]
    assert any("fails unexpected failure" in line for line in lines)


def test_cases_of_a_row_that_end_alike_are_one_line_and_others_are_told_apart() -> None:
    alike = [record(f"concat-normal-grouped-{blocks}", "wide-row-agent") for blocks in ("all", "k1", "k2")]
    assert rows(shown(alike))[1:] == [["concat-normal", "≠", "D"]]
    apart = [*alike[:2], record("concat-normal-grouped-k2"), record("concat-normal-polyphase-all", "wide-row-agent")]
    lines = shown(apart)
    assert [line for line in lines[1:5] if line] == [
        "concat-normal  ≠",
        "  all             D        D",
        "  k1              D",
        "  k2              ●",
    ]
    assert any("kN: the first N blocks" in line for line in lines)


def test_lengths_are_told_apart_where_they_make_a_difference() -> None:
    lengths = {16000: ["wide-row-agent"], 8000: ["wide-row-agent"], 3000: [], 1600: []}
    names = [f"project-normal-grouped-all+T={length}" for length in lengths]
    records = [record(name, *causes) for name, causes in zip(names, lengths.values(), strict=True)]
    assert rows(shown(records))[1:] == [
        ["project-normal", "≠"],
        ["T", "16000,", "8000", "D"],
        ["T", "3000,", "1600", "●"],
    ]


@pytest.mark.parametrize("width", [60, 80, 100, 200])
@pytest.mark.parametrize("name", ["matrix", "notes", "probes", "faithful", "trained"])
def test_the_map_fits_and_no_head_label_or_entry_is_broken_in_a_word(name: str, width: int) -> None:
    cases = list(profile_cases(name))
    records = [record(case.id, *list(CAUSES)[: index % 4]) for index, case in enumerate(cases)]
    lines = shown(records, width)
    assert max(map(len, lines[: lines.index("")])) <= width
    whole = re.split(r"[-_+=, ]+", " ".join((*(case.id for case in cases), *CAUSES)))
    known = {
        *whole,
        "T",
        "16000",
        "≠",
        *(f"k{count}" for count in range(17)),
        "=",
        "A",
        "C",
        "D",
        "AC",
        "CD",
        "AD",
        "ACD",
        "●",
    }
    for words in rows(lines):
        assert set(re.split(r"[-_+=, ]+", " ".join(words))) - {""} <= known


def test_the_default_matrix_stands_in_two_tables_of_60_columns_with_every_decoders_name() -> None:
    lines = shown([record(case.id, "wide-row-agent") for case in profile_cases("matrix")], 60)
    heads = [line.split() for line in lines if re.match(" {28}", line)]
    assert heads == [
        *(["reduced"], ["ungrouped", "deconv"], ["grouped", "blockdiag", "128"]),
        *(["reduced"], ["deconv", "conv1x1"], ["64", "head"]),
    ]
    assert sum(line.startswith("project-bypass-first-noskip  ≠  D") for line in lines) == 2


def test_cases_that_keep_the_function_stand_in_rows_of_their_own_with_their_mark() -> None:
    tail = "+activation=prelu+norm=gln"
    names = [
        f"split-normal-{decoder}-{blocks}{tail}" for decoder in ("grouped", "polyphase") for blocks in ("all", "k4")
    ]
    lines = shown([record(name) for name in [*names, "baseline"]])
    assert rows(lines)[1:] == [
        [f"split-normal{tail}", "=", "●", "●"],
        [f"split-normal{tail}", "≠", "●", "●"],
        ["concat-normal", "≠", "●"],
    ]
    legend = next(line for line in lines if line.startswith("rows"))
    assert "= exact: the trained network's own function" in legend
    assert "≠ another function than the trained network's" in " ".join(lines)


def test_a_function_that_isnt_known_is_marked_so() -> None:
    strange = record("baseline").model_copy(update={"trained": TrainedForm("cln", causal=True)})
    strange = strange.model_copy(update={"axes": {**strange.axes, "norm": "of another version"}})
    assert rows(shown([strange]))[-1] == ["concat-normal", "?", "●"]


@pytest.mark.parametrize("name", ["matrix", "probes"])
def test_a_terminal_without_unicode_gets_ascii_that_is_aligned(name: str) -> None:
    records = [record(case.id, *list(CAUSES)[: index % 4]) for index, case in enumerate(profile_cases(name))]
    lines = shown(records, ascii_only=True)
    assert all(map(str.isascii, lines))
    assert any("o clear" in line for line in lines)
    assert any("!= another function" in line for line in lines)
    at = {line.index("!=") for line in lines if re.match("(concat|repeat|project|split)-.* !=", line)}
    assert len(at) == 1


def test_colour_only_where_asked() -> None:
    records = [record("baseline")]
    assert "\x1b[" in summary_text(records, 80, True, False, [Path("x")])
    assert "\x1b[" not in summary_text(records, 80, False, False, [Path("x")])


def test_what_ended_in_no_verdict_has_its_sign() -> None:
    lines = shown([ended_record("baseline", outcomes(status=Status.UNKNOWN, reason="?"))])
    assert rows(lines)[-1] == ["concat-normal", "≠", "?"]


@given(st.text("ab-+_= ", max_size=60), st.integers(4, 40))
def test_a_folded_name_keeps_its_characters_and_its_width(name: str, width: int) -> None:
    lines = folded_name(name, width)
    assert max(map(len, lines)) <= width
    assert "".join(lines).replace(" ", "") == name.replace(" ", "")


def test_a_name_is_folded_at_its_joints() -> None:
    assert folded_name("concat-normal+encoder=polyphase+layout=vertical", 31) == [
        "concat-normal+encoder=polyphase",
        "  +layout=vertical",
    ]
    assert folded_name("project-normal-first-noskip", 20) == ["project-normal-", "  first-noskip"]
    assert folded_name("short", 20) == ["short"]


def test_it_is_rendered_in_columns_that_line_up() -> None:
    records = [record(case.id, "wide-row-agent") for case in profile_cases("matrix")]
    lines = [line for line in shown(records, 80) if re.match("(concat|repeat|project)-", line)]
    assert len({tuple(match.start() for match in re.finditer("D", line)) for line in lines}) == 1


def test_rendering_takes_no_markup() -> None:
    assert render(["[bold]x[/]"], 80, colour=False) == "[bold]x[/]"


def test_a_sign_has_one_ascii_form_whether_it_is_drawn_or_printed() -> None:
    drawn = (signs.CLEAR, signs.CLEAR_EXTRAPOLATED, *signs.BY_EVIDENCE.values(), *signs.FUNCTION_SIGNS.values())
    assert {each.sign: in_ascii(each.sign) for each in drawn} == {each.sign: each.ascii for each in drawn}
