"""Isolating a blocker: by the embedded toolchain, and by toolchains with hidden rules that break down or change their
mind. What is found shows the blocker when asked by itself, and is the smallest by the rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import onnx
import pytest

from tasnet.hailo.files import Network
from tasnet.hailo.files.hn import row_elements, widest_shape
from tasnet.hailo.predict import Reference, predict_network
from tasnet.hailo.translate import translate
from tasnet.network import Size
from tasnet.suite.ask.answers import Asker, AskError, Budget
from tasnet.suite.ask.isolation import Isolated, isolate
from tasnet.suite.ask.knowledge import known_from
from tasnet.suite.ask.known import known_observations
from tasnet.suite.ask.replies import stored_replies
from tasnet.suite.observed.evidence_file import export_evidence, import_evidence, read_evidence
from tasnet.suite.run.store import open_store
from tests.doubles.ruled_toolchain import RuledToolchain
from tests.suite.ask.graphs import network

WIDE = Size(N=512, L=16, B=128, H=512, Sc=128, P=3, X=2, R=1, n_src=2)


def quiet(line: str) -> None:
    pass


def asker(tmp_path: Path, tool: object, **budget: float) -> Asker:
    return Asker(open_store(tmp_path / "store"), tool, "hailo8", Budget(**budget))  # type: ignore[arg-type]


def found(
    tmp_path: Path, tool: object, model: onnx.ModelProto | None = None, **budget: float
) -> tuple[Isolated, Asker]:
    asked = asker(tmp_path, tool, **budget)
    (one,) = isolate(asked, model or network(), "", quiet)
    return one, asked


def kinds(graph: Network) -> list[str]:
    return [layer.type for layer in graph if layer.type not in ("input_layer", "output_layer")]


def widest(graph: Network) -> int:
    return max(row_elements(widest_shape(layer)) for layer in graph)


def rows_of(least: int) -> Callable[[Network], tuple[str, ...] | None]:
    """A hidden rule: no layer has a row of `least` elements or more."""

    def rule(graph: Network) -> tuple[str, ...] | None:
        return tuple(layer.name for layer in graph if row_elements(widest_shape(layer)) >= least)[:1] or None

    return rule


@pytest.mark.parametrize(
    ("family", "least"),
    [
        ("unsupported_dimensions", 0),
        ("unsupported_kernel", 0),
        ("reshape_insertion", 512_000),
        ("agent_infeasible", 512_000),
    ],
)
def test_a_blocker_of_the_embedded_toolchain_is_isolated_to_a_few_layers_that_still_show_it(
    tmp_path: Path, family: str, least: int
) -> None:
    model = network("identity", "prelu" if family == "unsupported_dimensions" else "relu", 16_000, WIDE)
    (one,) = isolate(asker(tmp_path, Reference()), model, family, quiet)
    again = translate(one.model, "net")
    assert len(again.layers) <= 6
    assert family in {failure.family for failure in predict_network(again, "hailo8").blockers}
    assert one.unfinished == ""
    # the published bracket: no row of 512,000 elements has compiled
    assert not least or least <= widest(again) < least * 1.01


@pytest.mark.parametrize("least", [901, 1_700, 2_000])
def test_a_hidden_limit_on_rows_is_met_to_the_element_or_nearly(tmp_path: Path, least: int) -> None:
    one, asked = found(tmp_path, RuledToolchain(rows_of(least)))
    assert one.network is not None
    assert len(one.graph.nodes) == 1
    assert least <= widest(one.network) <= least * 1.1
    assert asked.compiles <= 40


def test_what_takes_two_layers_in_a_row_is_isolated_with_both_and_nothing_between(tmp_path: Path) -> None:
    def rule(graph: Network) -> tuple[str, ...] | None:
        """A depthwise convolution whose values come from another, through whatever; no layer is named."""
        below: set[str] = set()
        for layer in graph:
            if any(name in below or graph.layer(name).type == "dw" for name in layer.inputs):
                below.add(layer.name)
        return () if any(graph.layer(name).type == "dw" for name in below) else None

    one, _ = found(tmp_path, RuledToolchain(rule))
    assert one.network is not None
    assert kinds(one.network) == ["dw", "dw"]
    # with one channel it is no depthwise convolution any more
    assert widest(one.network) == 2


def test_the_dilation_is_made_smaller_too(tmp_path: Path) -> None:
    def rule(graph: Network) -> tuple[str, ...] | None:
        return tuple(each.name for each in graph if each.type == "dw" and each.params["dilations"][2] >= 2) or None

    one, _ = found(tmp_path, RuledToolchain(rule))
    assert one.network is not None
    assert [each.params["dilations"][2] for each in one.network if each.type == "dw"] == [2]

    every, _ = found(tmp_path / "any", RuledToolchain(lambda graph: ("dw1",) if "dw" in kinds(graph) else None))
    assert every.network is not None
    assert [each.params["dilations"][2] for each in every.network if each.type == "dw"] == [1]


def test_another_layers_failure_of_the_same_family_is_not_taken_for_it(tmp_path: Path) -> None:
    def rule(graph: Network) -> tuple[str, ...] | None:
        """Deconvolutions never compile; without one, a single layer of any kind doesn't either."""
        deconv = tuple(each.name for each in graph if each.type == "deconv")
        alone = tuple(each.name for each in graph if each.type not in ("input_layer", "output_layer"))
        return deconv or (alone if len(alone) == 1 else None)

    one, _ = found(tmp_path, RuledToolchain(rule))
    assert one.network is not None
    assert kinds(one.network) == ["deconv"]


def test_a_search_that_is_cut_goes_on_where_it_was_and_asks_nothing_twice(tmp_path: Path) -> None:
    tool = RuledToolchain(rows_of(901))
    whole, uncut = found(tmp_path / "uncut", tool)
    total = len(tool.calls)
    tool.calls.clear()
    for _ in range(40):
        before = len(tool.calls)
        one, asked = found(tmp_path, tool, compiles=4)
        assert asked.compiles <= 4
        assert len(tool.calls) - before == asked.compiles
        if not one.unfinished:
            break
    assert one.unfinished == ""
    assert one.model.SerializeToString(deterministic=True) == whole.model.SerializeToString(deterministic=True)
    # each graph once, the confirmed ones a second time: those of the cut searches are more
    assert len(set(tool.calls)) == total - 1
    assert uncut.compiles == total


def test_a_search_killed_at_any_compile_goes_on_from_its_answers(tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    calls: list[str] = []

    def rule(graph: Network) -> tuple[str, ...] | None:
        if len(calls) == 7:
            calls.append("killed")
            raise Killed
        calls.append("answered")
        return rows_of(901)(graph)

    tool = RuledToolchain(rule)
    with pytest.raises(Killed):
        found(tmp_path, tool)
    one, asked = found(tmp_path, tool)
    assert asked.kept >= 7
    assert one.unfinished == ""


def test_a_compile_that_breaks_down_is_no_answer_and_is_asked_again(tmp_path: Path) -> None:
    few = RuledToolchain(rows_of(901), broken=lambda graph: len(kinds(graph)) == 1 and widest(graph) < 1_200)
    one, asked = found(tmp_path, few)
    assert one.network is not None
    assert widest(one.network) >= 1_200
    assert asked.unlearned > 0
    whole, _ = found(tmp_path, replace(few, broken=lambda _: False))
    assert whole.network is not None
    assert widest(whole.network) < 1_200


def test_a_graph_of_which_nothing_is_learned_ends_it(tmp_path: Path) -> None:
    with pytest.raises(
        AskError, match=r"the graph: compile infra \(compile: killed, out of memory\): nothing was learned"
    ):
        found(tmp_path, RuledToolchain(rows_of(901), broken=lambda _: True))


def test_a_toolchain_that_contradicts_itself_is_found_out(tmp_path: Path) -> None:
    tool = RuledToolchain(rows_of(901), changes_its_mind=lambda times: times == 1)
    with pytest.raises(
        AskError, match=r"contradicts itself.*compile failed \(agent_infeasible\); asked again, compile p"
    ):
        found(tmp_path, tool)
    # both answers are kept: the next run finds the same without a compile
    count = len(tool.calls)
    with pytest.raises(AskError, match="contradicts itself"):
        found(tmp_path, tool)
    assert len(tool.calls) == count


def test_a_blocker_that_does_not_repeat_is_told_from_one_that_depends_on_the_weights(tmp_path: Path) -> None:
    tool = RuledToolchain(lambda graph: ("conv1",))
    once = replace(tool, changes_its_mind=lambda _: len(once.calls) == 1)
    with pytest.raises(AskError, match="agent_infeasible does not repeat: the same graph, asked again, compile passed"):
        found(tmp_path / "once", once)
    theirs = translate(network(), "conv_tasnet").weight("conv1", "kernel")
    assert theirs is not None

    def of_weights(graph: Network) -> tuple[str, ...] | None:
        mine = graph.weight("conv1", "kernel")
        return ("conv1",) if mine is not None and mine.shape == theirs.shape and (mine == theirs).all() else None

    with pytest.raises(AskError, match="agent_infeasible depends on the weights"):
        found(tmp_path / "weights", RuledToolchain(of_weights))


def test_a_graph_without_blockers_and_a_family_that_it_lacks_are_said(tmp_path: Path) -> None:
    with pytest.raises(AskError, match=r"the graph has no blocker to isolate: compile passed; dfc was asked"):
        found(tmp_path, RuledToolchain(lambda _: None))
    with pytest.raises(AskError, match="--family memory_units: the graph doesn't show it; dfc names agent_infeasible"):
        isolate(asker(tmp_path / "b", RuledToolchain(rows_of(901))), network(), "memory_units", quiet)


def test_a_budget_that_ends_before_any_piece_is_shown_says_so_and_loses_nothing(tmp_path: Path) -> None:
    tool = RuledToolchain(rows_of(901))
    with pytest.raises(AskError, match="the budget ended before a piece of the graph was shown to have it"):
        found(tmp_path, tool, compiles=1)
    with pytest.raises(AskError, match="too small for one compile"):
        found(tmp_path / "other", tool, seconds=0.0)
    _, asked = found(tmp_path, tool)
    assert asked.kept >= 1


def test_imported_answers_are_not_asked_for_again_and_move_what_else_is_predicted(tmp_path: Path) -> None:
    tool = RuledToolchain(rows_of(901), version="3.33.0")
    one, first = found(tmp_path / "theirs", tool)
    file = tmp_path / "evidence.json"
    shared = export_evidence(first.store, file)
    # Every piece that was asked: neither the whole graph, which is the user's, nor what was asked a second time alone.
    assert shared == first.compiles - 1
    store = open_store(tmp_path / "ours" / "store")
    import_evidence(store, read_evidence(file))
    other = replace(tool, calls=[])
    again, second = found(tmp_path / "ours", other)
    assert again.model == one.model
    # The whole graph, and what was found, anew: all else is known.
    assert (second.compiles, len(other.calls)) == (2, 2)
    newer = replace(tool, version="3.34.0", calls=[])
    _, third = found(tmp_path / "ours", newer)
    assert third.compiles == first.compiles
    assert known_observations(store, "hailo8").failed


def test_a_contradiction_stands_in_the_evidence_and_nothing_is_inferred_from_it(tmp_path: Path) -> None:
    tool = RuledToolchain(rows_of(901), changes_its_mind=lambda times: times == 1, version="3.33.0")
    with pytest.raises(AskError, match="contradicts itself"):
        found(tmp_path, tool)
    said = stored_replies(open_store(tmp_path / "store"), "hailo8")
    known = known_from((), [each.reply for each in said.told])
    (those,) = known.contradictions
    assert {each.compiled for each in those} == {True, False}
    assert not {id(each) for each in those} & {id(each) for each in known.uncontested}
