"""Two runs compared: each thing that can change, grouped by what changed; what is worse; what can't be compared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasnet.cli import main
from tasnet.hailo.failures import Certainty
from tasnet.suite.cases.outcome import Outcome, Provenance, Stage, Status
from tasnet.suite.cases.profiles import profile_cases
from tasnet.suite.history.comparison import CaseChange, compare_runs
from tasnet.suite.history.lines import comparison_json, comparison_lines
from tasnet.suite.history.records import CaseRecord
from tasnet.suite.history.run import ParityFigure, RunError, StoredRun
from tests.doubles.outcomes import DFC, SUPER_DECONV, failure, outcomes
from tests.doubles.stored_runs import ENTRIES, ended_record, parity_measure, run_head, store_run

CASES = [case.id for case in profile_cases("notes")]
A, B, C = CASES[:3]
MEMORY = failure("memory_units", "Memory units capacity exceeded", "deconv1")
WIDE = failure("agent_infeasible", "conv1 errors: Agent infeasible", "conv1")


def run(
    ended: Mapping[str, Mapping[Stage, Outcome]], measures: Sequence[ParityFigure] = (), name: str = "run", **head: Any
) -> StoredRun:
    """A run in which each case ended so; `stage` is how far they were taken."""
    stage = head.pop("stage", Stage.COMPILE)
    records: list[CaseRecord] = [ended_record(case, outcome, ENTRIES, stage) for case, outcome in ended.items()]
    return StoredRun(name, Path(name), run_head(records, **head), tuple(records), tuple(measures), None)


def sized(size: int, seconds: float = 0.0, stage: Stage = Stage.EXPORT, **of: Any) -> dict[Stage, Outcome]:
    """The outcomes of a case that passes, one stage's size and time given."""
    ended = outcomes(**of)
    figures = {"onnx_bytes": size, "log": f"files/{size}.log"}
    return {**ended, stage: ended[stage].model_copy(update={"figures": figures, "seconds": seconds})}


def certain(certainty: Certainty) -> dict[Stage, Outcome]:
    ended = outcomes()
    return {**ended, Stage.COMPILE: ended[Stage.COMPILE].model_copy(update={"certainty": certainty})}


UNKNOWN = outcomes(status=Status.UNKNOWN, reason="a long row")
INFRA = outcomes(status=Status.INFRA, reason="no memory")
WORDS = outcomes(SUPER_DECONV.model_copy(update={"message": "Super deconv: no", "layers": ("deconv1", "deconv2")}))


def test_a_record_from_before_there_was_an_axis_stands_on_its_base() -> None:
    made = ended_record(A, outcomes(), ENTRIES, Stage.COMPILE)
    kept = made.model_dump(mode="json")
    del kept["axes"]["causal"]
    read = CaseRecord.model_validate(kept)
    assert read == made
    assert list(read.axes.items()) == list(made.axes.items())


PAIRS: dict[str, tuple[Any, Any, CaseChange, bool, str]] = {
    "clear, then blocked": (
        outcomes(),
        outcomes(MEMORY),
        CaseChange.NEWLY_FAILING,
        True,
        "clear -> blocked: memory_units; unexpected pass -> wrong failure",
    ),
    "unknown, then blocked": (
        UNKNOWN,
        outcomes(MEMORY),
        CaseChange.NEWLY_FAILING,
        True,
        "unknown -> blocked: memory_units",
    ),
    "clear, then unknown": (
        outcomes(),
        UNKNOWN,
        CaseChange.NEWLY_FAILING,
        True,
        "clear -> unknown: no blocker was named",
    ),
    "blocked, then clear, against its entry": (
        outcomes(SUPER_DECONV),
        outcomes(),
        CaseChange.NEWLY_PASSING,
        True,
        "blocked -> clear: unsupported_kernel; expected failure -> unexpected pass",
    ),
    "blocked, then unknown": (
        outcomes(MEMORY),
        UNKNOWN,
        CaseChange.NEWLY_PASSING,
        False,
        "blocked -> unknown: memory_units",
    ),
    "a family more": (
        outcomes(SUPER_DECONV),
        outcomes(SUPER_DECONV, MEMORY),
        CaseChange.FAILURE,
        True,
        "gained memory_units at compile (no entry)",
    ),
    "a family less": (
        outcomes(SUPER_DECONV, MEMORY),
        outcomes(SUPER_DECONV),
        CaseChange.FAILURE,
        False,
        "lost memory_units at compile",
    ),
    "other words and layers": (
        outcomes(SUPER_DECONV),
        WORDS,
        CaseChange.FAILURE,
        False,
        "unsupported_kernel at compile: other layers and message",
    ),
    "the tool broke down": (outcomes(SUPER_DECONV), INFRA, CaseChange.KIND, True, "expected failure -> infra"),
    "the tool was mended": (INFRA, outcomes(SUPER_DECONV), CaseChange.KIND, False, "infra -> expected failure"),
    "known less well": (
        certain(Certainty.OBSERVED),
        certain(Certainty.EXTRAPOLATED),
        CaseChange.KIND,
        True,
        "clear: observed -> extrapolated",
    ),
    "a little larger": (sized(1000), sized(1010), CaseChange.NUMBERS, False, "onnx_bytes at export: up"),
    "much larger": (sized(1000), sized(1051), CaseChange.NUMBERS, True, "onnx_bytes at export: more than 5% up"),
    "smaller": (sized(1000), sized(500), CaseChange.NUMBERS, False, "onnx_bytes at export: down"),
    "slower": (sized(1, 10.0), sized(1, 16.0), CaseChange.SLOWER, True, "export"),
}


@pytest.mark.parametrize(("old", "new", "change", "worse", "what"), PAIRS.values(), ids=PAIRS)
def test_what_changed(old: Any, new: Any, change: CaseChange, worse: bool, what: str) -> None:
    found = compare_runs(run({A: old, B: outcomes()}), run({A: new, B: outcomes()}))
    group = next(group for group in found.groups if group.change is change)
    assert group.cases == (A,)
    assert group.what.startswith(what)
    assert group.worse == worse
    assert found.worse == any(each.worse for each in found.groups)
    assert (found.compared, found.same) == (2, 1)


SAME = {
    "nothing": (outcomes(SUPER_DECONV), outcomes(SUPER_DECONV)),
    "a log of another name": (
        sized(1000),
        {**sized(1000), Stage.OPTIMIZE: sized(7, stage=Stage.OPTIMIZE)[Stage.OPTIMIZE]},
    ),
    "a time read from the store": (sized(1, 100.0), sized(1, 100.0)),
    "a second on a long stage": (sized(1, 100.0), sized(1, 101.5)),
    "twice as long, and still short": (sized(1, 0.4), sized(1, 0.9)),
    "faster": (sized(1, 100.0), sized(1, 10.0)),
}


@pytest.mark.parametrize(("old", "new"), SAME.values(), ids=SAME)
def test_what_is_no_change(old: Any, new: Any) -> None:
    found = compare_runs(run({A: old}), run({A: new}))
    assert found.groups == ()
    assert (found.compared, found.same) == (1, 1)


DISTANCES = {
    "float's own noise": (141.0, 300.0, None, False),
    "noise": (98.0, 97.6, None, False),
    "further": (98.0, 96.0, "parity of onnx: down", False),
    "much further": (98.0, 90.0, "parity of onnx: 3 dB or more lost", True),
    "nearer": (90.0, 98.0, "parity of onnx: up", False),
    "exact no more": (float("inf"), 120.0, "parity of onnx: 3 dB or more lost", True),
    "no number": (98.0, float("nan"), "parity of onnx: 3 dB or more lost", True),
}


@pytest.mark.parametrize(("old", "new", "what", "worse"), DISTANCES.values(), ids=DISTANCES)
def test_measured_distances_beyond_noise(old: float, new: float, what: str | None, worse: bool) -> None:
    found = compare_runs(run({}, [parity_measure(A, old)]), run({}, [parity_measure(A, new)]))
    assert [group.what for group in found.groups] == ([what] if what else [])
    assert found.worse == worse
    assert found.compared == 1


def test_a_distance_at_another_length_is_not_compared() -> None:
    found = compare_runs(
        run({A: outcomes()}, [parity_measure(A, 90)]), run({A: outcomes()}, [parity_measure(A, 50, length=8000)])
    )
    assert found.groups == ()


def test_many_cases_with_one_cause_are_one_group() -> None:
    grouped = [case for case in CASES if "-grouped-" in case]
    old, new = {case: outcomes(SUPER_DECONV) for case in grouped}, {case: outcomes(WIDE) for case in grouped}
    found = compare_runs(run(old), run(new))
    assert {(group.change, group.what): len(group.cases) for group in found.groups} == {
        (CaseChange.FAILURE, "gained agent_infeasible at compile (no entry)"): len(grouped),
        (CaseChange.FAILURE, "lost unsupported_kernel at compile"): len(grouped),
        (CaseChange.KIND, "expected failure -> wrong failure"): len(grouped),
    }
    assert len([*comparison_lines(found)]) < 20


def test_a_run_that_stopped_earlier_is_compared_as_far_as_it_went() -> None:
    whole, short = run({A: outcomes(SUPER_DECONV)}), run({A: outcomes()}, stage=Stage.TRANSLATE)
    said = [(group.change, group.what, group.worse) for group in compare_runs(whole, short).groups]
    assert said == [(CaseChange.KIND, "blocked -> not compiled", False)], "that it went less far, and nothing else"
    (group,) = compare_runs(short, whole).groups
    assert group.what == "not compiled -> blocked"


def test_cases_of_one_run_alone() -> None:
    found = compare_runs(run({A: outcomes(), B: outcomes()}), run({A: outcomes(), C: outcomes(WIDE)}))
    assert [(group.change, group.cases, group.worse) for group in found.groups] == [
        (CaseChange.NEW, (C,), True),
        (CaseChange.GONE, (B,), False),
    ]


def test_another_machine_is_said_and_its_times_are_not_held_against_it() -> None:
    origin = {"processor": "a faster one", "versions": {"torch": "2.13.0"}, "commit": "1a2b3c4d", "dirty": True}
    other = run({A: sized(1, 16.0)}, origin=origin, ledger_sha256="ab" * 32, repeat=("--quick",), version="0.2.0")
    found = compare_runs(run({A: sized(1, 10.0)}), other)
    assert [(group.what, group.worse) for group in found.groups] == [("export, on another machine", False)]
    assert not found.worse
    assert [line.partition(":")[0] for line in found.differences] == [
        *("toolchain", "options", "ledger", "commit", "torch", "machine")
    ]


REFUSED = {
    "observed after predicted": ({"toolchain": "dfc", "version": "3.33.1"}, "is predicted and run two observed"),
    "no case in common": ({"arch": "hailo8l"}, "have no case in common"),
}


@pytest.mark.parametrize(("head", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_compared(head: dict[str, str], says: str) -> None:
    new = {A if "toolchain" in head else f"{A}+arch=hailo8l": outcomes(SUPER_DECONV)}
    with pytest.raises(RunError, match=says):
        compare_runs(run({A: outcomes(SUPER_DECONV)}, name="one"), run(new, name="two", **head))


ENDS = st.sampled_from([outcomes(), outcomes(SUPER_DECONV), outcomes(MEMORY, WIDE), UNKNOWN, INFRA, sized(99, 9.0)])
RUNS = st.dictionaries(st.sampled_from(CASES), ENDS, min_size=1)


@given(ended=RUNS)
def test_a_run_compared_with_itself_has_no_change(ended: dict[str, Any]) -> None:
    found = compare_runs(run(ended), run(ended))
    assert (found.groups, found.worse, found.same) == ((), False, len(ended))


@given(old=RUNS, new=RUNS, keep=st.data())
def test_every_case_is_accounted_for_and_the_order_of_cases_changes_nothing(
    old: dict[str, Any], new: dict[str, Any], keep: st.DataObject
) -> None:
    case = keep.draw(st.sampled_from(sorted(old)))
    new = {**new, case: new.get(case, old[case])}
    found = compare_runs(run(old), run(new))
    named = {case for group in found.groups for case in group.cases}
    both = old.keys() & new.keys()
    assert found.compared == len(both)
    assert len(named & both) == found.compared - found.same
    assert named >= old.keys() ^ new.keys()
    turned = compare_runs(run(dict(reversed(old.items()))), run(dict(reversed(new.items()))))
    assert {(group.change, group.what, frozenset(group.cases)) for group in found.groups} == {
        (group.change, group.what, frozenset(group.cases)) for group in turned.groups
    }


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = outcomes(SUPER_DECONV), outcomes(SUPER_DECONV, MEMORY)
    store_run(
        tmp_path / "runs" / "20260601T120000Z",
        [ended_record(A, good, ENTRIES), ended_record(B, good, ENTRIES)],
    )
    store_run(tmp_path / "runs" / "20260602T120000Z", [ended_record(A, bad, ENTRIES)], ended=False, cases=2)
    at = ["--store", str(tmp_path)]
    assert main(["compare", "last~1", "last", *at]) == 1
    out = capsys.readouterr().out
    assert out.splitlines()[:2] == [
        "20260601T120000Z -> 20260602T120000Z, predicted: notes on hailo8",
        "  20260602T120000Z is unfinished: 1 of 2 cases",
    ]
    assert (
        f"worse: changed failure, 1 case: gained memory_units at compile (no entry)\n  [deconv1] ({A})\n  {A}\n" in out
    )
    assert out.endswith("1 case in both, 0 of them as they were: something got worse\n")
    assert main(["compare", "last", "last", *at, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["worse"] is False
    assert main(["compare", "last~2", "last", *at]) == 2
    assert capsys.readouterr().err == "tasnet: run 'last~2': 2 runs are stored; see tasnet runs\n"


def test_json_names_every_case() -> None:
    old, new = {case: outcomes() for case in CASES}, {case: outcomes(MEMORY) for case in CASES}
    made = comparison_json(compare_runs(run(old), run(new)))
    assert {case for group in made["groups"] for case in group["cases"]} == {*CASES}
    assert made["known"] == "predicted"


def test_what_a_double_says_is_not_observed() -> None:
    double = {"toolchain": "dfc", "version": "3.33.1", "double": True}
    said = Provenance(**{**DFC.model_dump(), "predicted": True})
    found = compare_runs(run({A: outcomes(by=said)}), run({A: outcomes(by=said)}, **double))
    assert found.differences == ("toolchain: reference 0.1.0, predicted -> dfc 3.33.1, a test double, predicted",)
