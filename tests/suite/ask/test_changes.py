"""What removes a blocker: the exact rewrites first, each with what it costs, by the graphs of the cases themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasnet.hailo import Certainty, Failure
from tasnet.hailo.files import Network, widest_shape
from tasnet.hailo.predict import Prediction, PredictionKind, Reference, predict_network
from tasnet.hailo.translate import translate
from tasnet.network import seeded_weights, to_onnx
from tasnet.suite.ask import changes
from tasnet.suite.ask.changes import Change, ChangeKind, Removals, removals
from tasnet.suite.cases import Case, parse_case
from tasnet.suite.run import Pipeline, Recipe, open_store

SMALL = "+N=512+B=32+H=64+Sc=32+X=1+R=1"


def removed(tmp_path: Path, case: str, *families: str) -> Removals:
    pipeline = Pipeline(open_store(tmp_path / "store"), Reference(), Recipe())
    told = removals(pipeline, parse_case(case), [("compile", family) for family in families], lambda _: None)
    assert told is not None
    return told


def families(case: Case) -> set[str]:
    model = to_onnx(case.variant, case.size, seeded_weights(case.size), case.length)
    told = predict_network(translate(model, "net"), case.arch)
    return {failure.family for failure in (*told.blockers, *told.doubts)}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Removals:
    return removed(
        tmp_path_factory.mktemp("store"), f"concat-normal-grouped-all{SMALL}", "unsupported_kernel", "agent_infeasible"
    )


def test_exact_rewrites_come_first_and_a_grouped_deconvolution_has_three(base: Removals) -> None:
    found = base.by["compile", "unsupported_kernel"]
    order = [list(ChangeKind).index(each.kind) for each in found]
    assert order == sorted(order)
    exact = {each.text for each in found if each.kind is ChangeKind.EXACT}
    # the three forms of the decoder that compute the same by a stated rewrite
    assert exact == {"expansion=split", "decoder=polyphase", "decoder=ungrouped_blockdiag"}
    assert "sources=first" in {each.text for each in found if each.kind is ChangeKind.OTHER}
    assert [each.inexact_axes for each in found if each.text == "sources=first"] == [("sources", "activation", "norm")]


def test_the_blocker_is_gone_from_each_changed_cases_own_graph(base: Removals) -> None:
    for (_, family), found in base.by.items():
        for each in found:
            assert family not in families(each.case), each.text


def test_a_vertical_layout_removes_wide_rows_and_costs_nothing(base: Removals) -> None:
    first: Change = base.by["compile", "agent_infeasible"][0]
    assert (first.text, first.kind) == ("layout=vertical", ChangeKind.EXACT)
    assert (first.cost.macs, first.cost.weights) == (base.before.macs, base.before.weights)
    assert first.cost.widest_row == 2 * 512
    shorter = [each for each in base.by["compile", "agent_infeasible"] if each.kind is ChangeKind.SHORTER]
    assert {each.case.length for each in shorter} <= {2000, 4000, 8000}


def test_all_together_are_one_case(base: Removals) -> None:
    assert base.together is not None
    assert base.together.kind is ChangeKind.EXACT
    assert base.together.verdict == "clear"
    assert families(base.together.case) == set()


def test_where_no_single_change_helps_two_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def needs_both(network: Network, arch: str, observed: object) -> Prediction:
        """Nothing compiles unless it is vertical and without a deconvolution."""
        fine = widest_shape(network.layers[-1])[1] > 1 and all(each.type != "deconv" for each in network)
        failure = Failure(stage="compile", family="partition", message="", certainty=Certainty.EXTRAPOLATED)
        kind = PredictionKind.CLEAR if fine else PredictionKind.BLOCKED
        return Prediction(kind, Certainty.EXTRAPOLATED, () if fine else (failure,))

    monkeypatch.setattr(changes, "predict_network", needs_both)
    monkeypatch.setattr(changes, "MAX_GRAPHS", 16)
    told = removed(tmp_path, "concat-normal-grouped-all+T=80+N=4+L=8+B=4+H=6+Sc=4+X=1+R=1", "partition")
    found = told.by["compile", "partition"]
    assert {each.text for each in found} >= {"decoder=polyphase, layout=vertical"}
    assert all(("layout", "horizontal", "vertical") in each.axes for each in found)
    assert found[0].kind is ChangeKind.EXACT
    assert told.untried > 0


def test_two_forms_of_a_causal_network_are_one_function_and_leaving_it_is_not() -> None:
    tiny = "+T=80+N=4+L=8+B=4+H=6+Sc=4+X=1+R=1"
    case = parse_case(f"concat-normal-grouped-all{tiny}+causal=pad")
    kinds = {
        axes[0][2]: changes._kind(case, other) for axes, other in changes._candidates(case, 1) if axes[0][0] == "causal"
    }
    assert kinds == {"taps": ChangeKind.EXACT, "off": ChangeKind.OTHER}
