"""What a compiler says of a plan's segments is evidence as that of cases is, and found again by whoever reads that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tasnet.cli import main
from tasnet.network import Size
from tasnet.plan.cuts import Plan, plan_json
from tasnet.plan.function import Function, TrainedFunction
from tasnet.suite.ask.replies import stored_replies
from tasnet.suite.cases import Outcome, Stage, Status, graph_key, parse_any_case
from tasnet.suite.observed import confusion_table, refuted_predictions
from tasnet.suite.observed.evidence import all_evidence, evidence_of_cases
from tasnet.suite.observed.segment_evidence import evidence_of_plan, keep_segment_evidence, segment_case
from tasnet.suite.run.store import Store, open_store
from tests.doubles.outcomes import DFC, SUPER_DECONV, failure, outcomes
from tests.plan.running import planned

SIZE = Size(N=64, L=16, B=24, H=48, Sc=24, P=3, X=3, R=2, n_src=2)
UNSUPPORTED = failure("unsupported_op", "UnsupportedOperationError in op Mul_1", "Mul_1")


def plan_of(norm: str = "cln", mask_activation: str = "relu", digest: str = "a" * 64, **bounds: object) -> Plan:
    trained = TrainedFunction(Function(SIZE, 6, norm, "prelu", mask_activation), {}, 8000)
    trained.__dict__["digest"] = digest
    return planned(trained, 4000, "hefs", **{"max_blocks": 2, **bounds})


def compiled(*failures: object, **how: object) -> dict[Stage, Outcome]:
    """A segment's stages up to the first that didn't pass; it is exported by nobody."""
    told = outcomes(*failures, **{"by": DFC, **how})  # type: ignore[arg-type]
    kept: dict[Stage, Outcome] = {}
    for stage in (Stage.TRANSLATE, Stage.OPTIMIZE, Stage.COMPILE):
        kept[stage] = told[stage]
        if told[stage].status is not Status.PASSED:
            break
    return kept


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def test_each_segment_is_a_case_of_its_own_that_reads_back() -> None:
    for plan in (plan_of(), plan_of("gln"), plan_of("gln", observed=True), plan_of(coders="chip")):
        cases = [segment_case(plan, each) for each in plan.on_chip]
        assert len({graph_key(case) for case in cases}) == len(cases)
        for each, case in zip(plan.on_chip, cases, strict=True):
            assert parse_any_case(case.id) == case
            assert (case.cut.start, case.cut.stop, case.cut.width) == (each.start, each.stop, each.width)


def test_what_the_compiler_says_is_kept_once_and_found_for_every_plan_that_has_such_a_segment(store: Store) -> None:
    plan = plan_of()
    first, second, *_ = plan.on_chip
    assert keep_segment_evidence(store, plan, first, compiled())
    assert not keep_segment_evidence(store, plan, first, compiled())
    assert keep_segment_evidence(store, plan, second, compiled(UNSUPPORTED))
    assert len(all_evidence(store)) == 2
    retrained = plan_of(digest="b" * 64)
    found = evidence_of_plan(store, retrained)
    assert {name: [each.end.status for each in said] for name, said in found.items() if said} == {
        first.name: [Status.PASSED],
        second.name: [Status.FAILED],
    }
    assert found[second.name][0].end.stage is Stage.TRANSLATE
    assert not any(evidence_of_plan(store, plan_of("affine")).values())
    assert not any(evidence_of_plan(store, plan.model_copy(update={"arch": "hailo8l"})).values())


@pytest.mark.parametrize(
    "told",
    [
        compiled(by=DFC.model_copy(update={"version": "3.33.1+double"})),
        compiled(by=DFC.model_copy(update={"predicted": True})),
        compiled(status=Status.INFRA, reason="killed"),
        compiled(failure("calibration_shape", "Data shape")),
        {},
    ],
    ids=["double", "predicted", "infra", "calibration", "nothing"],
)
def test_what_is_no_evidence_of_a_case_is_none_of_a_segment(store: Store, told: dict[Stage, Outcome]) -> None:
    plan = plan_of()
    assert not keep_segment_evidence(store, plan, plan.on_chip[0], told)
    assert all_evidence(store) == ()


def test_other_masks_than_a_cases_are_another_graph_where_the_masks_are(store: Store) -> None:
    plan = plan_of(mask_activation="sigmoid")
    each = plan.on_chip[-1]
    assert not keep_segment_evidence(store, plan, each.model_copy(update={"tail": True}), compiled())
    assert all_evidence(store) == ()
    assert keep_segment_evidence(store, plan, each.model_copy(update={"tail": False}), compiled())


def test_a_prediction_for_the_segment_is_held_against_it(store: Store) -> None:
    plan = plan_of()
    first, second, *_ = plan.on_chip
    keep_segment_evidence(store, plan, first, compiled())
    keep_segment_evidence(store, plan, second, compiled(SUPER_DECONV))
    cases = [segment_case(plan, each) for each in (first, second)]
    predicted = {case.id: outcomes() for case in cases}
    found = confusion_table(predicted, evidence_of_cases(store, cases))
    assert [each.case_id for each in refuted_predictions(found)] == [cases[1].id]
    # Of the whole network nothing was said.
    assert evidence_of_cases(store, [cases[0].whole]) == ()
    assert evidence_of_cases(store, [replace(cases[0], cut=replace(cases[0].cut, width=500))]) == ()


def test_a_compiled_segment_is_a_reply_of_its_own_graph(store: Store) -> None:
    plan = plan_of()
    each = plan.on_chip[0]
    keep_segment_evidence(store, plan, each, compiled())
    (told,) = stored_replies(store, "hailo8").told
    assert told.reply.name == segment_case(plan, each).id
    assert told.reply.compiled
    assert not stored_replies(store, "hailo8l").told


def test_plan_show_prints_what_was_observed_of_its_segments(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = plan_of()
    (tmp_path / "plan.json").write_bytes(plan_json(plan))
    command = ["plan", "show", str(tmp_path / "plan.json"), "--store", str(store.root)]
    assert main(command) == 0
    assert "observed" not in capsys.readouterr().out
    keep_segment_evidence(store, plan, plan.on_chip[0], compiled(SUPER_DECONV))
    assert main(command) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("observed"))
    assert line.startswith(f"observed  {plan.on_chip[0].name}: unsupported_kernel at compile [deconv1]: Super deconv")
    assert line.endswith("dfc 3.33.1, hailo8")
