"""What is vacuous in a case: its key says what the exported graphs say. A file's dead nodes have no effect."""

from __future__ import annotations

import onnx
import pytest
from onnx import TensorProto, helper

from tasnet.network import Size, Variant
from tasnet.suite.ask.vacuous import dead_nodes, vacuous_by_key, vacuous_in_graphs
from tasnet.suite.cases import Case, parse_case

TINY = {sources: Size(N=4, L=4, B=4, H=6, Sc=4, P=3, X=2, R=1, n_src=sources) for sources in (1, 2)}
MASKER = "the masker is dead: no output depends on any of its weights"


def test_a_bypassed_mask_makes_the_truncation_vacuous_and_leaves_the_masker_dead() -> None:
    assert vacuous_by_key(parse_case("project-bypass-conv1x1_head-k1")) == (
        "blocks=1 changes nothing: blocks=all gives the same graph",
        MASKER,
    )
    assert vacuous_by_key(parse_case("concat-bypass-grouped-all")) == (MASKER,)
    assert vacuous_by_key(parse_case("project-normal-conv1x1_head-k1")) == ()


def test_a_truncation_that_keeps_all_blocks_is_vacuous() -> None:
    assert vacuous_by_key(parse_case("concat-normal-grouped-k24")) == (
        "blocks=24 changes nothing: blocks=all gives the same graph",
    )
    assert vacuous_by_key(parse_case("concat-normal-grouped-k23")) == ()


@pytest.mark.parametrize("sources", [1, 2])
@pytest.mark.parametrize(
    "variant",
    [
        Variant(expansion="project", decoder="ungrouped_blockdiag", blocks=2),
        Variant(expansion="split", decoder="ungrouped_blockdiag", sources="first", skip="off", blocks=1),
        Variant(expansion="repeat", mask="bypass", decoder="conv1x1_head", skip="off", blocks=1, activation="prelu"),
        Variant(mask="bypass", norm="affine", blocks=3, layout="vertical"),
    ],
    ids=lambda variant: f"{variant.expansion}-{variant.mask}",
)
def test_the_keys_say_what_the_graphs_say(variant: Variant, sources: int) -> None:
    case = Case(variant, TINY[sources], 40)
    assert vacuous_by_key(case) == vacuous_in_graphs(case)


@pytest.mark.parametrize("live", [True, False])
def test_nodes_without_effect_are_named(live: bool) -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["a"], name="first"),
        helper.make_node("Sigmoid", ["a"], ["b"], name="masks"),
        helper.make_node("Tanh", ["b"], ["c"]),
        helper.make_node("Mul", ["a", "c"] if live else ["a", "x"], ["y"], name="product"),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 2, 1, 8]) for name in "xy"]
    model: onnx.ModelProto = helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:]))
    assert dead_nodes(model) == (() if live else ("masks", "Tanh"))
