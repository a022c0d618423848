"""What is suggested: found in the graph of what is unknown, with files that are what they are for."""

from __future__ import annotations

import json
import re
from pathlib import Path

import onnx
import pytest

from tasnet.cli import main
from tasnet.hailo.files import Layer, Network
from tasnet.hailo.predict import PUBLIC_BRACKET, PUBLIC_RECORD, Prediction, Reference, demands_of, predict_network
from tasnet.hailo.predict.demands import Demand, LayerKind, demands_from_json, demands_json
from tasnet.hailo.translate import translate
from tasnet.network import Size, Variant, seeded_weights
from tasnet.plan import Bounds, function_of_variant, make_plan, read_profile
from tasnet.plan.cuts import cut_from_segment
from tasnet.plan.segment_files import to_network
from tasnet.plan.segment_graph import to_onnx
from tasnet.suite.ask.graphs import case_questions
from tasnet.suite.ask.knowledge import Reply
from tasnet.suite.ask.question import Question, Source, rule_verdict
from tasnet.suite.ask.questions_page import graph_rows, questions_html
from tasnet.suite.ask.replies import TimedReply
from tasnet.suite.ask.single_layers import layers_in_bracket, layers_of_new_kinds, single_layer
from tasnet.suite.ask.suggesting import Suggestion, file_of, suggest
from tasnet.suite.ask.survey import Survey, survey
from tasnet.suite.ask.times import expected
from tasnet.suite.cases import parse_case
from tasnet.suite.run import Pipeline, Store, open_store
from tests.suite.ask.layers import conv, depthwise, turned


def segment_of_four_blocks() -> Question:
    """Of the plan of 8x3/512 with PReLU for 16,000 samples, at most 4 blocks a segment and one row: its first inner."""
    trained = function_of_variant(Variant(activation="prelu", norm="identity"), Size(), seeded_weights(Size(), 1))
    made = make_plan(
        trained, 16_000, "hailo8", Bounds(max_blocks=4, max_height=1), "time", read_profile("raspberry-pi-5")
    )
    chosen = next(each for each in made.plan.on_chip if len(each.blocks) == 4 and not each.head)
    network = to_network(to_onnx(trained, cut_from_segment(made.plan, chosen)), chosen.name)
    seen = rule_verdict(predict_network(network, "hailo8"))
    return Question("plan/s2", demands_of(network), seen, Source.SEGMENT, ("s2",), onnx="s2.onnx")


@pytest.fixture(scope="module")
def unknown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Survey, Store]:
    """A survey of cases in rows and columns and of a plan's segment, nothing of which was answered."""
    store = open_store(tmp_path_factory.mktemp("store"))
    pipeline = Pipeline(store, Reference())
    ids = ("split-normal-polyphase-k1+T=1600", "split-normal-polyphase-k1+layout=vertical+T=1600")
    cases, unread = case_questions(pipeline, [parse_case(each) for each in ids], PUBLIC_RECORD)
    assert not unread
    assert [each.stands_for for each in cases] == [(each,) for each in ids]
    return survey((*cases, segment_of_four_blocks()), (), "hailo8"), store


@pytest.fixture(scope="module")
def suggested(unknown: tuple[Survey, Store]) -> tuple[Suggestion, ...]:
    """What is suggested of it."""
    return suggest(unknown[0], most=16).next


def test_it_finds_the_columns(suggested: tuple[Suggestion, ...]) -> None:
    assert any(each.kind.layout == "column" for one in suggested for each in one.question.demands.layers)


def test_it_finds_the_segment_of_four_blocks_at_its_width(suggested: tuple[Suggestion, ...]) -> None:
    found = next(each for each in suggested if each.question.source is Source.SEGMENT)
    assert max(each.size("width") for each in found.question.demands.layers) in range(600, 750)
    assert found.by_yes.segments == found.by_no.segments == ("plan/s2",)


def test_it_finds_leaky_relu_on_512_channels(suggested: tuple[Suggestion, ...]) -> None:
    alone = [one.question.demands.layers for one in suggested if one.question.source is Source.SINGLE_LAYER]
    assert any(layer.kind.activation == "leaky" and layer.size("channels_out") == 512 for (layer,) in alone)


def test_it_finds_the_middle_of_the_bracket_and_then_its_quarters(suggested: tuple[Suggestion, ...]) -> None:
    inside = [each for each in suggested if PUBLIC_BRACKET.open_at(each.question.demands.widest_row)]
    rows = [each.question.demands.widest_row for each in inside]
    # 384,000 to 512,000, by convolutions of 256 channels
    assert abs(rows[0] - 448_000) < 9_000
    assert inside[0].by_yes.bracket is not None
    assert inside[0].by_no.bracket is not None
    assert (inside[0].by_yes.bracket.passes, inside[0].by_no.bracket.fails) == (rows[0], rows[0])
    assert min(abs(rows[1] - each) for each in (416_000, 480_000)) < 9_000


def test_the_files_are_there_and_ask_what_they_are_for(
    unknown: tuple[Survey, Store], suggested: tuple[Suggestion, ...]
) -> None:
    store = unknown[1]
    for each in suggested:
        if each.question.source is not Source.SEGMENT:
            assert demands_of(translate(file_of(each.question, store), "net")) == each.question.demands
        if each.question.source is Source.SINGLE_LAYER:
            onnx.checker.check_model(str(file_of(each.question, store)), full_check=True)


def test_hours_are_kept_and_the_best_comes_first(unknown: tuple[Survey, Store]) -> None:
    whole = suggest(unknown[0], most=5)
    short = suggest(unknown[0], most=5, hours=100 / 3600)
    assert sum(each.expected.seconds for each in short.next) <= 100
    assert short.next[0].question == whole.next[0].question
    assert short.left_out
    assert suggest(unknown[0], hours=1e-6).next == ()


@pytest.mark.parametrize(
    "layer",
    [
        conv(680, 128, 512, "leaky"),
        conv(100, 8, 16),
        turned(conv(1999, 128, 512, "relu")),
        depthwise(750, 512, 128),
        turned(depthwise(300, 64, 4)),
    ],
)
def test_a_probe_asks_just_what_it_was_made_for(layer: Layer) -> None:
    wanted = demands_of([layer]).layers[0]
    model = single_layer(wanted)
    assert model is not None
    onnx.checker.check_model(model, full_check=True)
    assert demands_of(translate(model, "probe")).layers == (wanted,)


def test_no_probe_is_made_of_a_kind_that_none_is_written_for() -> None:
    kind = LayerKind("deconv", "row", "w", "w", True, "linear")
    assert single_layer(Demand(kind, (1, 100, 800, 8, 2, 16, 1, 1))) is None
    assert single_layer(Demand(LayerKind("conv", "row", "", "", False, "mish"), (1, 9, 72, 8, 8, 1, 1, 0))) is None


def test_probes_are_the_fewest_with_all_that_is_new_and_none_is_a_row_of_the_bracket() -> None:
    graphs = [demands_of([conv(100, 8, 8, "relu"), conv(50, 8, 8, "relu"), depthwise(2000, 256, 1)])]
    names = [each.name for each in layers_of_new_kinds(graphs, (), PUBLIC_BRACKET, "hailo8")]
    assert names == ["single layer conv 1x1 row relu 1 x 100 x 8"]
    compiled = demands_of([conv(10, 8, 8, "relu")]).layers
    assert layers_of_new_kinds(graphs, compiled, PUBLIC_BRACKET, "hailo8") == []
    both = [demands_of([conv(100, 8, 8, "leaky"), turned(depthwise(90, 8, 2)), conv(100, 8, 8, "leaky")])]
    names = [each.name for each in layers_of_new_kinds(both, (), PUBLIC_BRACKET, "hailo8")]
    assert names == ["single layer dw kx1 column 90 x 1 x 8 dilation 2", "single layer conv 1x1 row leaky 1 x 100 x 8"]
    assert len(layers_in_bracket(PUBLIC_BRACKET, "hailo8")) == 7


def test_demands_are_read_back_and_nothing_else_is() -> None:
    found = demands_of([conv(100, 8, 16, "leaky"), depthwise(50, 4, 2)])
    content = json.loads(json.dumps(demands_json(found)))
    assert demands_from_json(content) == found
    for broken in ({}, {**content, "more": 1}, {**content, "layers_at_work": "2"}, {**content, "layers": [{}]}, 3):
        with pytest.raises(ValueError, match="not the demands"):
            demands_from_json(broken)


def test_times_are_the_graphs_own_then_those_of_others_then_public_ones() -> None:
    small, large = demands_of([conv(100, 8, 8)]), demands_of([conv(100, 8, 8)] * 151)
    seen = rule_verdict(predict_network_of(conv(100, 8, 8)))
    assert [each.seconds for each in expected([small, large], [])] == pytest.approx([40, 1902])
    own = expected([small, large], [TimedReply(Reply(small, True), seen, 80.0)])
    assert [each.seconds for each in own] == pytest.approx([80, 3804])
    assert [each.source for each in own] == ["its own 1 compile", "by layers, after 1 own compiles"]


def predict_network_of(layer: Layer) -> Prediction:
    """The rules' word on a layer alone."""
    return predict_network(Network("net", (layer,), ()), "hailo8")


def test_the_command_says_what_a_yes_and_a_no_decide(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = str(tmp_path / "store")
    assert main(["suggest", "--profile", "none", "--store", store]) == 2
    assert "name a plan with --plan" in capsys.readouterr().err
    assert main(["suggest", "--hours", "0", "--store", store]) == 2
    assert main(["suggest", "--profile", "nosuch", "--store", store]) == 2
    assert not (tmp_path / "store").exists()


def test_the_page_has_a_look_of_its_own_for_each_way_that_a_verdict_is_known(
    unknown: tuple[Survey, Store],
) -> None:
    questions = [
        Question(name, demands_of([layer]), rule_verdict(predict_network_of(layer)), stands_for=(name,))
        for name, layer in (
            ("it", conv(500, 8, 8)),
            ("less", conv(400, 8, 8)),
            ("other", depthwise(10, 8, 1)),
            ("two <b>", conv(9, 8, 8, "relu")),
        )
    ]
    told = [(questions[0], True), (questions[3], True), (questions[3], False)]
    replies = [TimedReply(Reply(each.demands, compiled, each.name), each.predicted) for each, compiled in told]
    found = survey(questions, replies, "hailo8")
    rows = {each.name: (each.word, each.verdict) for each in graph_rows(found)}
    assert rows["it"] == ("observed", "clear")
    assert rows["less"] == ("inferred", "clear")
    assert rows["other"][0] == "predicted"
    assert rows["two <b>"] == ("disputed", "compiled and failed")
    page = questions_html(suggest(found))
    looks = re.findall(r"^  \.(observed|inferred|predicted|disputed) \{ (.*)$", page, re.MULTILINE)
    assert len({look for _, look in looks}) == 4
    for word in ("observed", "inferred", "predicted", "disputed"):
        assert re.search(rf'<td><span class="word {word}[ "]', page)
    assert "inferred from it, which compiled" in page
    assert "two &lt;b&gt;" in page
    assert "two <b>" not in page
