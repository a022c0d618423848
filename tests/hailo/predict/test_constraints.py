"""The constraints against every public outcome, and what they must not depend on."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasnet.hailo.failures import FAMILIES, Certainty
from tasnet.hailo.files.hn import Network, dumps, loads, row_elements, widest_shape
from tasnet.hailo.predict.bracket import ROW_FAIL, ROW_PASS
from tasnet.hailo.predict.constraints import Prediction, PredictionKind, predict_network
from tasnet.hailo.translate import translate
from tasnet.network.export import to_onnx
from tasnet.network.variant import Size, Variant
from tasnet.network.weights import seeded_weights
from tests.hailo.onnx_models import floats, model, node

NOTES = Size()


@cache
def variant(size: Size = NOTES, **axes: str | int) -> Network:
    """A variant of the notes' network: 512 filters, 8x3, ReLU, no norms, T=16000, horizontal."""
    return translate(to_onnx(Variant(**axes), size, seeded_weights(size, 0), 16000), "net")  # type: ignore[arg-type]


def single_conv(width: int, cin: int = 256, cout: int = 256, height: int = 1) -> Network:
    made = model([node("Conv", "x w")], shape=(1, cin, height, width), w=floats(cout, cin, 1, 1))
    return translate(made, "net")


def families(verdict: Prediction) -> dict[str, set[str]]:
    return {failure.family: set(failure.layers) for failure in verdict.blockers}


def test_the_notes_baseline_is_blocked_by_the_rows_that_they_name() -> None:
    found = families(predict_network(variant(), "hailo8"))["reshape_insertion"]
    assert {f"conv{n}" for n in range(5, 74)} | {"shortcut1", "concat1", "ew_mult1"} <= found


def test_the_notes_grouped_decoder_is_blocked_by_its_kernel() -> None:
    verdict = predict_network(variant(expansion="project", mask="bypass"), "hailo8")
    assert families(verdict)["unsupported_kernel"] == {"deconv1"}
    (failure,) = [f for f in verdict.blockers if f.family == "unsupported_kernel"]
    assert failure.message == "Super deconv is not supported with groups"
    assert failure.certainty is Certainty.OBSERVED


def test_the_notes_block_diagonal_decoder_is_blocked_by_memory() -> None:
    verdict = predict_network(variant(expansion="project", mask="bypass", decoder="ungrouped_blockdiag"), "hailo8")
    assert families(verdict)["memory_units"] == {"deconv1"}
    assert "unsupported_kernel" not in families(verdict)


@pytest.mark.parametrize("decoder", ["reduced_deconv_128", "reduced_deconv_64", "conv1x1_head"])
def test_the_notes_small_decoders_are_blocked_by_conv2_and_conv3(decoder: str) -> None:
    verdict = predict_network(variant(expansion="project", mask="bypass", decoder=decoder), "hailo8")
    assert families(verdict)["reshape_insertion"] == {"conv2", "conv3"}
    (failure,) = [f for f in verdict.blockers if f.family == "reshape_insertion"]
    assert failure.message == "Reshape is needed for layers: conv2, conv3, but adding a reshape has failed."
    assert failure.figures["row_elements"] == 2_046_976
    assert failure.figures["bracket_fail_elements"] == 512_000


@pytest.mark.parametrize("width", [128, 256, 512, 1024])
def test_single_convolutions_that_compiled_are_clear_and_observed(width: int) -> None:
    assert predict_network(single_conv(width), "hailo8") == Prediction(PredictionKind.CLEAR, Certainty.OBSERVED)


def test_the_single_convolution_that_did_not_compile_is_blocked() -> None:
    verdict = predict_network(single_conv(2000), "hailo8")
    assert families(verdict) == {"agent_infeasible": {"conv1"}}
    assert verdict.certainty is Certainty.OBSERVED


@pytest.mark.parametrize("width", [256, 512])
def test_the_narrow_heads_that_compiled_are_clear_and_observed(width: int) -> None:
    assert predict_network(single_conv(width, 512, 1), "hailo8") == Prediction(PredictionKind.CLEAR, Certainty.OBSERVED)
    # no piece of this kind and size was tried: more channels out, or a longer row
    assert predict_network(single_conv(width, 512, 2), "hailo8").certainty is Certainty.EXTRAPOLATED
    assert predict_network(single_conv(width + 257, 512, 1), "hailo8").certainty is Certainty.EXTRAPOLATED


def test_the_narrow_head_that_did_not_compile_is_blocked() -> None:
    verdict = predict_network(single_conv(1024, 512, 1), "hailo8")
    assert families(verdict) == {"agent_infeasible": {"conv1"}}
    assert verdict.certainty is Certainty.OBSERVED
    assert verdict.blockers[0].figures["row_elements"] == 524_288


@pytest.mark.parametrize(
    ("axes", "at_work", "layers"),
    [({}, 151, 154), ({"norm": "cln"}, 494, 497), ({"norm": "gln"}, 690, 693)],
    ids=["identity", "cLN", "gLN"],
)
def test_layers_at_work_of_an_8x3_network_are_counted_as_its_public_count_does(
    axes: dict[str, str], at_work: int, layers: int
) -> None:
    # The public count: 151 working layers, 105 if sums fuse; 497 (cLN) and 693 (gLN) count inputs and outputs too.
    network = variant(layout="vertical", expansion="split", decoder="polyphase", **axes)
    verdict = predict_network(network, "hailo8")
    (told,) = verdict.cautions
    assert told.figures["layers_at_work"] == at_work
    assert told.figures["layers_at_work_if_sums_fuse"] == at_work - 46
    assert len(network.layers) == layers
    assert (told.message, told.certainty) == (f"Too many lcus ({at_work} > 128)", Certainty.EXTRAPOLATED)
    # no outcome shows whether it binds: it is said, and decides nothing
    assert not verdict.doubts
    assert verdict.kind is PredictionKind.CLEAR


@pytest.mark.parametrize(("arch", "available"), [("hailo8", 128), ("hailo8r", 128), ("hailo8l", 64)])
def test_one_layer_more_than_the_layer_controllers_of_a_context_is_said(arch: str, available: int) -> None:
    def chain(length: int) -> Prediction:
        names = ["x", *(f"t{n}" for n in range(length - 1)), "y"]
        nodes = [node("Conv", f"{a} w", b, f"conv_{b}") for a, b in pairwise(names)]
        return predict_network(translate(model(nodes, w=floats(4, 4, 1, 1)), "net"), arch)

    assert chain(available).cautions == ()
    (told,) = chain(available + 1).cautions
    assert told.figures["layer_controllers_in_one_context"] == available


@pytest.mark.parametrize("rowsize", [384_256, 400_128, 511_744])
def test_rows_between_pass_and_fail_are_unknown_and_never_guessed(rowsize: int) -> None:
    verdict = predict_network(single_conv(rowsize // 256), "hailo8")
    assert verdict.kind is PredictionKind.UNKNOWN
    assert not verdict.blockers
    assert verdict.doubts[0].figures["row_elements"] == rowsize


def test_kinds_that_nobody_tried_are_clear_by_extrapolation_only() -> None:
    vertical = variant(layout="vertical", expansion="split")
    verdict = predict_network(vertical, "hailo8")
    assert (verdict.kind, verdict.certainty, verdict.doubts) == (PredictionKind.CLEAR, Certainty.EXTRAPOLATED, ())
    assert predict_network(single_conv(128, 300, 300), "hailo8").certainty is Certainty.EXTRAPOLATED
    assert predict_network(single_conv(128, height=4), "hailo8").certainty is Certainty.EXTRAPOLATED


def test_only_hailo8_was_observed() -> None:
    assert predict_network(single_conv(128), "hailo8l").certainty is Certainty.EXTRAPOLATED
    assert predict_network(single_conv(2000), "hailo8l").certainty is Certainty.EXTRAPOLATED
    with pytest.raises(ValueError, match="hailo15h: unknown"):
        predict_network(single_conv(128), "hailo15h")


def test_a_prelu_op_on_512_channels_fails_at_optimize_and_fewer_is_not_known() -> None:
    def prelu(channels: int) -> Prediction:
        made = model(
            [node("Conv", "x w", "a"), node("PRelu", "a s")],
            shape=(1, 8, 1, 128),
            w=floats(channels, 8, 1, 1),
            s=floats(channels, 1, 1),
        )
        return predict_network(translate(made, "net"), "hailo8")

    blocked = prelu(512)
    assert [(f.stage, f.message) for f in blocked.blockers] == [
        ("optimize", "Unsupported dimensions: [-1, 1, 128, 262144]")
    ]
    assert prelu(256).kind is PredictionKind.UNKNOWN


def test_every_blocker_says_its_family_figures_and_evidence() -> None:
    two_blocks = Size(X=2, R=1)
    normalized = variant(two_blocks, activation="prelu", norm="gln")
    for network in (variant(), variant(decoder="ungrouped_blockdiag"), normalized):
        for failure in predict_network(network, "hailo8").blockers:
            assert FAMILIES[failure.family] == failure.stage
            assert failure.figures
            assert "17 February 2026" in failure.evidence or "DFC" in failure.evidence
            assert {layer.name for layer in network} >= set(failure.layers)


def rename(network: Network, scope: str) -> Network:
    """The same graph from somewhere else: another model name, other ONNX names."""
    layers = tuple(replace(layer, original_names=("n",) * len(layer.original_names)) for layer in network)
    return loads(dumps(replace(network, name=scope, layers=layers)))


@settings(max_examples=25)
@given(
    width=st.integers(2, 4000),
    cin=st.sampled_from([1, 8, 64, 256, 512]),
    cout=st.sampled_from([1, 8, 64, 256, 512]),
    scope=st.text("abcxyz_", min_size=1, max_size=8),
)
def test_the_verdict_depends_on_the_graph_alone(width: int, cin: int, cout: int, scope: str) -> None:
    network = single_conv(width, cin, cout)
    assert predict_network(rename(network, scope), "hailo8") == predict_network(network, "hailo8")


@settings(max_examples=60)
@given(width=st.integers(2, 3000), cin=st.integers(1, 600), cout=st.integers(1, 600))
def test_no_row_past_the_bracket_is_clear_and_none_inside_it_blocked(width: int, cin: int, cout: int) -> None:
    network = single_conv(width, cin, cout)
    largest = max(row_elements(widest_shape(layer)) for layer in network)
    kind = predict_network(network, "hailo8").kind
    expected = (
        PredictionKind.CLEAR
        if largest <= ROW_PASS
        else PredictionKind.UNKNOWN
        if largest < ROW_FAIL
        else PredictionKind.BLOCKED
    )
    assert kind is expected
