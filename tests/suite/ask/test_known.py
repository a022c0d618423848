"""What a store's evidence changes of a verdict, wherever one is said: bracket and certainty, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasnet.cli import main
from tasnet.hailo import Certainty
from tasnet.hailo.files import Layer, Network
from tasnet.hailo.predict import (
    PUBLIC_BRACKET,
    PUBLIC_RECORD,
    Bracket,
    Demand,
    Observations,
    PredictionKind,
    demands_of,
    predict_network,
)
from tasnet.network import Size, Variant, seeded_weights
from tasnet.plan import Bounds, Plan, PlanError, function_of_variant, make_plan, plan_json, read_profile
from tasnet.suite.ask.known import embedded_toolchain, known_observations
from tasnet.suite.ask.single_layers import single_layer
from tasnet.suite.cases import Stage, Status, parse_case
from tasnet.suite.observed.evidence import Evidence, keep_evidence
from tasnet.suite.observed.graph_evidence import keep_graph_answer
from tasnet.suite.run import Pipeline, Store, open_store
from tasnet.suite.run.plans import kept_plans
from tests.doubles.outcomes import DFC, failure, outcomes
from tests.suite.ask.layers import conv, depthwise

ROW_FAILED = failure("agent_infeasible", "conv errors: Agent infeasible", "conv")


def network(*layers: Layer) -> Network:
    """A graph of these layers alone."""
    return Network("net", layers, ())


def told(store: Store, *layers: Layer, failed: bool = False, arch: str = "hailo8") -> None:
    """A compiler's word on a graph of these layers."""
    said = {each.stage: each for each in list(outcomes(*([ROW_FAILED] if failed else []), by=DFC).values())[1:]}
    said = {
        stage: each.model_copy(update={"provenance": DFC.model_copy(update={"arch": arch})})
        for stage, each in said.items()
    }
    seen = predict_network(network(*layers), arch)
    keep_graph_answer(store, arch, f"layers of {arch}", demands_of(layers), (seen.kind, seen.certainty), said)


def test_a_store_without_evidence_and_no_store_have_the_public_record(tmp_path: Path) -> None:
    assert known_observations(Store(tmp_path / "none"), "hailo8") == PUBLIC_RECORD
    assert not (tmp_path / "none").exists()
    assert known_observations(open_store(tmp_path / "empty"), "hailo8") == PUBLIC_RECORD
    assert PUBLIC_RECORD.line == PUBLIC_RECORD.digest == embedded_toolchain(Store(tmp_path), "hailo8").rests_on == ""


def test_what_compiled_and_what_failed_moves_the_ends_of_the_bracket_of_its_chip_alone(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    told(store, conv(1600, 256, 256))
    told(store, conv(1900, 256, 256), failed=True)
    found = known_observations(store, "hailo8")
    assert found.bracket == Bracket(409_600, 486_400)
    assert known_observations(store, "hailo8l") == PUBLIC_RECORD
    # Read again from its note, and made anew when evidence arrives.
    assert known_observations(store, "hailo8") == found
    told(store, conv(1700, 256, 256))
    assert known_observations(store, "hailo8").bracket == Bracket(435_200, 486_400)


def test_the_verdict_of_a_file_goes_by_it_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (demand,) = demands_of([conv(1800, 256, 256)]).layers
    model, file = single_layer(demand), tmp_path / "m.onnx"
    assert model is not None
    file.write_bytes(model.SerializeToString())
    command = ["check", str(file), "--store", str(tmp_path / "store")]
    assert main(command) == 1
    public = capsys.readouterr().out
    assert public.startswith("unknown on hailo8")
    assert "evidence" not in public.split("doubt")[0]
    assert not (tmp_path / "store").exists()
    store = open_store(tmp_path / "store")
    told(store, conv(1700, 256, 256), failed=True)
    assert main(command) == 1
    said = capsys.readouterr().out
    assert said.startswith("blocked on hailo8: predicted by the embedded toolchain, not observed")
    assert "from 435,200 on none does (publicly known: 384,000 and 512,000)" in said
    # A layer of that kind, and no larger, was seen to fail so.
    assert "observed: a real compiler said so of layers of this kind and size" in said
    assert main([*command, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["bracket"] == [384_000, 435_200]


def test_a_layer_that_compiled_is_known_by_observation_up_to_its_size(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    told(store, depthwise(700, 512, 4), conv(700, 512, 512, "leaky"))
    known = known_observations(store, "hailo8")
    assert known.bracket == PUBLIC_BRACKET

    def certainty(*layers: Layer) -> Certainty:
        found = predict_network(network(*layers), "hailo8", known)
        assert found.kind is predict_network(network(*layers), "hailo8").kind is PredictionKind.CLEAR
        return found.certainty

    smaller = (depthwise(600, 512, 2), conv(700, 256, 512, "leaky"), conv(700, 512, 512))
    assert predict_network(network(*smaller), "hailo8").certainty is Certainty.EXTRAPOLATED
    assert certainty(*smaller) is Certainty.OBSERVED
    assert certainty(depthwise(600, 512, 8)) is Certainty.EXTRAPOLATED
    assert certainty(conv(700, 512, 512, "relu")) is Certainty.EXTRAPOLATED
    assert predict_network(network(*smaller), "hailo8l", known_observations(store, "hailo8l")).certainty is (
        Certainty.EXTRAPOLATED
    )


def test_a_layer_of_the_public_record_that_failed_alone_is_not_known_to_compile(tmp_path: Path) -> None:
    store, layer = open_store(tmp_path), network(conv(1024, 256, 256))
    assert predict_network(layer, "hailo8").certainty is Certainty.OBSERVED
    told(store, conv(1000, 256, 256), failed=True)
    found = predict_network(layer, "hailo8", known_observations(store, "hailo8"))
    # The rules stay as they are: it is their word still, and nobody's observation any more.
    assert (found.kind, found.certainty) == (PredictionKind.CLEAR, Certainty.EXTRAPOLATED)


LAYERS = st.builds(conv, st.integers(1, 2200), st.sampled_from([64, 256]), st.sampled_from([1, 64, 256]))
ROWS = st.tuples(st.integers(0, 600_000), st.integers(1, 600_000))


@settings(max_examples=150)
@given(LAYERS, st.lists(LAYERS, max_size=3), st.lists(LAYERS, max_size=2))
def test_within_the_public_bracket_observations_change_the_certainty_alone(
    layer: Layer, compiled: list[Layer], failed: list[Layer]
) -> None:
    def only(one: Layer) -> Demand:
        return demands_of([one]).layers[0]

    known = Observations(
        PUBLIC_BRACKET, tuple(map(only, compiled)), tuple(("agent_infeasible", only(each)) for each in failed)
    )
    before, after = (predict_network(network(layer), "hailo8", each) for each in (PUBLIC_RECORD, known))
    assert (after.kind, after.doubts, after.cautions) == (before.kind, before.doubts, before.cautions)
    assert [each.family for each in after.blockers] == [each.family for each in before.blockers]
    assert hash(known) == hash(Observations(*(known.bracket, known.compiled, known.failed)))


def test_a_kept_verdict_is_not_gone_by_once_evidence_has_arrived_and_nothing_is_translated_again(
    tmp_path: Path,
) -> None:
    store = open_store(tmp_path)
    case = parse_case("project-bypass-conv1x1_head-k1+T=14000+N=128+L=16+B=8+H=8+Sc=8+X=2+R=1")

    def now() -> dict[Stage, object]:
        found = Pipeline(store, embedded_toolchain(store, "hailo8")).run(case)
        return {stage: (each.status, each.seconds) for stage, each in found.items()}

    first = now()
    assert first[Stage.COMPILE][0] is Status.UNKNOWN  # type: ignore[index]
    assert now() == first
    told(store, conv(1560, 256, 256), failed=True)
    second = now()
    assert second[Stage.COMPILE][0] is Status.FAILED  # type: ignore[index]
    assert second[Stage.TRANSLATE] == first[Stage.TRANSLATE]


TRAINED = function_of_variant(Variant(norm="identity"), Size(X=2, R=1), seeded_weights(Size(X=2, R=1), 1))
WIDER = Observations(Bracket(448_000, 512_000))


def test_a_plan_goes_on_rows_that_compiled_here_and_says_so() -> None:
    def plan(known: Observations) -> Plan:
        bounds = Bounds(known.bracket.passes, known=known)
        return make_plan(TRAINED, 20_000, "hailo8", bounds, "macs", read_profile("raspberry-pi-5")).plan

    before, after = plan(PUBLIC_RECORD), plan(WIDER)
    assert max(each.widest_row for each in before.on_chip) <= 384_000
    wider = [each for each in after.on_chip if each.widest_row > 384_000]
    assert wider
    for each in wider:
        assert each.verdict == "clear"
        assert "rows up to 448,000, by this store's evidence" in each.evidence


def test_a_kept_plan_is_made_anew_once_evidence_has_arrived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tasnet.suite.cases import PLANNED

    made: list[Observations] = []

    def none_fits(trained: object, length: int, arch: str, bounds: Bounds, *more: object) -> None:
        made.append(bounds.known)
        raise PlanError("none fits")

    monkeypatch.setattr("tasnet.plan.make_plan", none_fits)
    store = open_store(tmp_path)
    for known in (PUBLIC_RECORD, PUBLIC_RECORD, WIDER, WIDER):
        kept_plans(store, "hailo8", PLANNED[:1], known)
    assert made == [PUBLIC_RECORD, WIDER]


def test_a_plan_from_before_says_which_segments_would_be_judged_otherwise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bounds = Bounds(448_000, known=WIDER)
    plan = make_plan(TRAINED, 20_000, "hailo8", bounds, "macs", read_profile("raspberry-pi-5")).plan
    (tmp_path / "plan.json").write_bytes(plan_json(plan))
    store = open_store(tmp_path / "store")
    command = ["plan", "show", str(tmp_path / "plan.json"), "--store", str(store.root)]
    assert main(command) == 0
    assert "now  " not in capsys.readouterr().out
    told(store, conv(1510, 256, 256), failed=True)
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "blocked, extrapolated, by the store's evidence; planned as clear" in said
    assert "plan again" in said


def test_observed_cases_count_as_single_layers_do(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    case = parse_case("project-bypass-conv1x1_head-k1+T=14000+N=128+L=16+B=8+H=8+Sc=8+X=2+R=1")
    said = Evidence(case_id=case.id, tag=case.id, outcomes=tuple(outcomes(by=DFC).values())[1:])
    keep_evidence(store, said)
    assert known_observations(store, "hailo8").bracket.passes == 1749 * 2 * 128
