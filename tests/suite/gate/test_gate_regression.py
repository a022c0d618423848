"""What fails the gate: verdicts before and after, sizes against the share; the sample of graphs; the summary."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasnet.suite.cases.outcome import Outcome, Stage, Status
from tasnet.suite.cases.profiles import profile_cases
from tasnet.suite.gate.checkout import GateError, Revision
from tasnet.suite.gate.difference import GraphChangeKind, GraphDifference, GraphSizes, LayerChange
from tasnet.suite.gate.markdown import markdown_lines
from tasnet.suite.gate.regression import (
    Reason,
    Regression,
    gate_settings,
    new_case_regressions,
    size_regressions,
    verdict_regressions,
)
from tasnet.suite.gate.result import ChangedGraph, GateResult, GraphParity, group_regressions, result_json
from tasnet.suite.gate.sides import same_sources
from tasnet.suite.gate.stage_parity import ParityPair, sample_pairs
from tests.doubles.outcomes import SUPER_DECONV, failure, outcomes
from tests.doubles.stored_runs import ENTRIES, ended_record

GROUPED, HEAD = "concat-normal-grouped-all", "project-bypass-conv1x1_head-k1"
MEMORY = failure("memory_units", "no units", "deconv1")
MEMORY_ELSEWHERE = failure("memory_units", "no units", "dw7")
UNKNOWN = outcomes(status=Status.UNKNOWN, reason="a long row")
UNCLASSIFIED = outcomes(status=Status.UNCLASSIFIED, reason="NewError")
INFRA = outcomes(status=Status.INFRA, reason="no memory")

Ended = Mapping[Stage, Outcome]
VERDICTS: dict[str, tuple[Ended, Ended, list[str]]] = {
    "as it was": (outcomes(SUPER_DECONV), outcomes(SUPER_DECONV), []),
    "clear -> blocked": (outcomes(), outcomes(MEMORY), ["verdict: clear -> blocked: memory_units"]),
    "unknown -> blocked": (UNKNOWN, outcomes(MEMORY), ["verdict: unknown -> blocked: memory_units"]),
    "clear -> unknown": (outcomes(), UNKNOWN, ["verdict: clear -> unknown"]),
    "blocked -> clear": (outcomes(SUPER_DECONV), outcomes(), []),
    "blocked -> unknown": (outcomes(SUPER_DECONV), UNKNOWN, []),
    "a blocker less": (outcomes(SUPER_DECONV, MEMORY), outcomes(SUPER_DECONV), []),
    "a family more": (
        outcomes(SUPER_DECONV),
        outcomes(SUPER_DECONV, MEMORY),
        ["new blocker: a new family: memory_units at compile (no entry covers it)"],
    ),
    "another family, that an entry covers": (
        outcomes(MEMORY),
        outcomes(SUPER_DECONV),
        ["new blocker: a new family: unsupported_kernel at compile (entry super-deconv)"],
    ),
    "uncovered as before, at another layer": (outcomes(MEMORY), outcomes(MEMORY_ELSEWHERE), []),
    "covered no more": (
        outcomes(SUPER_DECONV),
        outcomes(SUPER_DECONV.model_copy(update={"message": "other words"})),
        ["new blocker: unsupported_kernel at compile, that no entry covers"],
    ),
    "the tool broke down": (outcomes(SUPER_DECONV), INFRA, ["not judged: the tool broke down"]),
    "words that nobody knows": (
        outcomes(),
        UNCLASSIFIED,
        ["not judged: the tool ended with a message that no rule knows"],
    ),
    "the tool broke down at the base": (INFRA, outcomes(SUPER_DECONV), ["not judged: the tool broke down"]),
}


@pytest.mark.parametrize(("before", "after", "found"), VERDICTS.values(), ids=VERDICTS)
def test_verdicts(before: Ended, after: Ended, found: list[str]) -> None:
    made = verdict_regressions(ended_record(GROUPED, before, ENTRIES), ended_record(GROUPED, after, ENTRIES))
    assert [f"{each.reason.value}: {each.what}" for each in made] == found


NEW = {
    "as the ledger says": (GROUPED, outcomes(SUPER_DECONV), []),
    "a pass": (HEAD, outcomes(), []),
    "unknown": (HEAD, UNKNOWN, []),
    "a failure": (HEAD, outcomes(MEMORY), ["not as the ledger says: a new case: unexpected failure"]),
    "a pass against its entry": (GROUPED, outcomes(), ["not as the ledger says: a new case: unexpected pass"]),
    "infra": (HEAD, INFRA, ["not judged: the tool broke down"]),
    "unclassified": (HEAD, UNCLASSIFIED, ["not judged: the tool ended with a message that no rule knows"]),
}


@pytest.mark.parametrize(("case", "ended", "found"), NEW.values(), ids=NEW)
def test_a_new_case_is_held_against_the_ledger(case: str, ended: Ended, found: list[str]) -> None:
    assert [
        f"{each.reason.value}: {each.what}" for each in new_case_regressions(ended_record(case, ended, ENTRIES))
    ] == found


def grown(**after: int) -> GraphDifference:
    before = {"layers": 10, "macs": 1000, "weights": 1000, "widest_row": 1000, "onnx_bytes": 1000}
    change = LayerChange("conv2", "conv", "/a|b/<i>/Conv", "out 512 -> 640, row 10 -> 20")
    return GraphDifference(
        GraphChangeKind.STRUCTURE, (change,), GraphSizes(**before), GraphSizes(**{**before, **after})
    )


@given(
    name=st.sampled_from(["macs", "weights", "widest_row", "onnx_bytes"]),
    size=st.integers(0, 3000),
    share=st.floats(0, 1),
)
def test_a_size_may_grow_by_the_share_and_shrink_by_any(name: str, size: int, share: float) -> None:
    found = [*size_regressions(grown(**{name: size}), share)]
    assert bool(found) == (size / 1000 - 1 > share)


def test_more_layers_alone_are_no_size() -> None:
    assert [*size_regressions(grown(layers=99), 0.0)] == []


def test_the_same_words_are_one_regression_and_the_gravest_reason_is_first() -> None:
    size, verdict = Regression(Reason.SIZE, "grew", "1 -> 2"), Regression(Reason.VERDICT, "clear -> blocked")
    found = group_regressions([("a", size), ("b", size), ("b", size), ("c", verdict)])
    assert [(each.regression.reason, each.cases) for each in found] == [
        (Reason.VERDICT, ("c",)),
        (Reason.SIZE, ("a", "b")),
    ]


CASES = profile_cases("notes")


@given(causes=st.lists(st.integers(0, 4), max_size=20), count=st.integers(0, 25))
def test_a_sample_has_one_of_every_cause_before_a_second_of_any(causes: list[int], count: int) -> None:
    graphs = [ParityPair(case, (str(cause),), Path("a"), Path("b")) for case, cause in zip(CASES, causes, strict=False)]
    chosen = sample_pairs(graphs, count)
    assert len(chosen) == min(count, len(graphs))
    assert len({graph.case.id for graph in chosen}) == len(chosen)
    assert len({graph.cause for graph in chosen}) == min(count, len({*causes}))


def result(**changes: Any) -> GateResult:
    usual = {
        "base": Revision("1a2b3c4d5e6f", "main"),
        "here": "9f8e7d6c5",
        "profile": "notes",
        "arch": "hailo8",
        "toolchain": "reference 0.1.0",
        "known": "predicted",
        "size_share": 0.05,
        "unchanged": 20,
    }
    return GateResult(**{**usual, **changes})


def text(made: GateResult) -> str:
    return "\n".join(markdown_lines(made))


def test_the_summary_of_nothing() -> None:
    assert text(result(same_sources=True)).startswith("## tasnet gate: ✅ no graph changed\n\n`main (1a2b3c4d5)` → ")
    assert "No file that decides a graph differs: all 20 cases" in text(result(same_sources=True))


def test_what_was_observed_is_never_called_predicted() -> None:
    assert "**observed**." in text(result(known="observed", toolchain="dfc 3.33.1"))
    assert "predicted" not in text(result(known="observed", toolchain="dfc 3.33.1"))


def test_text_of_a_graph_stays_in_its_cell_and_is_no_markup() -> None:
    worse = Regression(Reason.SIZE, "MACs grew", "a | b <img src=x>\nc")
    blocked = ended_record(GROUPED, outcomes(SUPER_DECONV), ENTRIES)
    made = text(
        result(
            changed=(ChangedGraph((GROUPED,), grown(macs=2000), blocked, blocked),),
            found=group_regressions([(GROUPED, worse)]),
            parity=(GraphParity(GROUPED, ("x",), {"onnx": 120.0}, None, ("beyond",), ("har",)),),
        )
    )
    assert "<img" not in made
    tables = [line for line in made.splitlines() if line.startswith("|")]
    widths = {}
    for line in tables:
        columns = line.replace("\\|", "").count("|")
        widths.setdefault(columns, []).append(line)
    assert {columns: len(those) for columns, those in widths.items()} == {5: 3 + 3, 9: 3}
    assert "1 beyond; no limit for har" in made
    assert "+100.0%" in made


def test_json_has_every_case_and_says_so_of_what_is_exact() -> None:
    distance = GraphParity(GROUPED, ("x",), {"onnx": float("inf")}, float("inf"), (), ())
    made = result_json(result(changed=(ChangedGraph((GROUPED, HEAD), grown()),), parity=(distance,)))
    assert made["changed"][0]["cases"] == [GROUPED, HEAD]
    assert made["passed"] is True
    assert (made["parity"][0]["snr_db"], made["parity"][0]["to_base"]) == ({"onnx": None}, None)


def test_settings_are_the_usual_ones_where_nothing_is_said(tmp_path: Path) -> None:
    assert gate_settings(tmp_path / "none.toml").size_share == 0.05
    (tmp_path / "some.toml").write_text("[tool.tasnet.gate]\nsize_share = 0.2\n")
    assert gate_settings(tmp_path / "some.toml").size_share == 0.2
    (tmp_path / "wrong.toml").write_text("[tool.tasnet.gate]\nsize_share = nan\n")
    with pytest.raises(GateError, match=r"tool\.tasnet\.gate\.size_share"):
        gate_settings(tmp_path / "wrong.toml")


SOURCES = {"tasnet/network/a.py": "1", "tasnet/suite/cases/case.py": "2", "tasnet/suite/ledger/judgement.py": "3"}


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ({}, True),
        ({"tasnet/suite/ledger/judgement.py": "9"}, True),
        ({"tasnet/network/a.py": "9"}, False),
        ({"tasnet/network/b.py": "9"}, False),
        ({"tasnet/suite/cases/case.py": "9"}, False),
    ],
)
def test_which_files_decide_a_graph(other: dict[str, str], same: bool) -> None:
    assert same_sources(SOURCES, {**SOURCES, **other}, "matrix") == same


@pytest.mark.parametrize("path", ["tasnet/hailo/predict/a.py", "tasnet/suite/history/plans.py"])
def test_the_constraints_decide_a_plan_and_no_graph_of_a_whole_network(path: str) -> None:
    assert same_sources(SOURCES, {**SOURCES, path: "9"}, "matrix")
    assert not same_sources(SOURCES, {**SOURCES, path: "9"}, "plans")


def test_a_base_without_sources_is_never_the_same() -> None:
    assert not same_sources({}, {}, "matrix")
