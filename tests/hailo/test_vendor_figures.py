"""The translator against the vendor's own figures of a real Conv-TasNet (DFC 3.33.0, state Parsed)."""

from __future__ import annotations

from collections import Counter

import pytest

from tasnet.hailo.hn import Figures, Network, figures, total
from tasnet.hailo.translate import translate
from tasnet.network.export import to_onnx
from tasnet.network.variant import Size, Variant
from tasnet.network.weights import seeded


def network(**axes: str | int) -> Network:
    made = to_onnx(Variant(**axes), Size(), seeded(Size(), 0), 16000)  # type: ignore[arg-type]
    return translate(made, "convtas")


@pytest.fixture(scope="module")
def full() -> Network:
    """The network as trained: gLN by ReduceMean, PReLU by Max and Min, 8 blocks x 3 repeats."""
    return network(activation="prelu_maxmin", norm="gln")


def test_the_full_network_has_the_vendors_layers_weights_and_operations(full: Network) -> None:
    assert len(full.layers) == 1179
    assert total(full).weights == 4_943_362
    assert total(full).ops == 20_802_188_002
    kinds = Counter(layer.type for layer in full)
    assert (kinds["conv"], kinds["dw"], kinds["deconv"], kinds["const_input"]) == (74, 24, 1, 98)


def test_single_layers_have_the_profilers_figures(full: Network) -> None:
    assert figures(full.layer("conv1")) == Figures(8704, 17_399_296, 32_751_616)
    assert figures(full.layer("dw1")) == Figures(2048, 4_093_952, 6_140_928)
    assert figures(full.layer("deconv1")) == Figures(16_386, 262_044_912, 524_025_856)


def test_the_graph_starts_and_ends_as_the_vendors(full: Network) -> None:
    assert full.layer("conv1").outputs == ("avgpool1", "ew_sub1", "shortcut1", "concat1")
    assert full.layer("concat1").inputs == ("conv1", "shortcut1")
    assert full.layer("ew_sub1").inputs == ("conv1", "resize1")
    assert full.layer("ew_sub1").params["input_repeats"] == [[1, 1, 1], [1, 1, 512]]
    assert full.layer("ew_mult1").inputs == ("ew_sub1", "resize2")
    assert full.layer("concat2").inputs == ("const_input1", "conv3")
    assert full.layer("reduce_max1").inputs == ("concat2",)
    assert full.layer("normalization2").inputs == ("concat3",)
    assert full.layer("ew_add1").inputs == ("reduce_max1", "mul_and_add1")
    assert full.layer("ew_mult50").inputs == ("conv74", "concat1")
    assert full.layer("deconv1").inputs == ("ew_mult50",)
    assert full.layer("deconv1").outputs == ("output_layer1",)
    assert full.output_layers == ("deconv1",)
    resize = full.layer("resize1").params
    assert (resize["resize_w_ratio_list"], resize["method"]) == ([1999.0], "nearest_neighbor")


def test_blocks_are_numbered_as_in_the_notes() -> None:
    net = network()
    for block in range(23):
        roles = [net.layer(f"conv{number + 3 * block}").original_names[0] for number in (3, 4, 5)]
        assert [role.split("/")[-2] for role in roles] == ["in_conv", "res_conv", "skip_conv"]
        assert all(f"/block{block}/" in role for role in roles)
    assert "/block23/in_conv" in net.layer("conv72").original_names[0]
    assert "/block23/skip_conv" in net.layer("conv73").original_names[0]
    assert net.layer("conv74").outputs == ("ew_mult1",)
    assert {"dw24", "shortcut1", "concat1", "ew_mult1", "deconv1"} <= {layer.name for layer in net}


def test_with_the_mask_bypassed_nothing_is_left_of_the_masker() -> None:
    project = network(expansion="project", mask="bypass", decoder="reduced_deconv_128")
    assert [layer.name for layer in project] == [
        "input_layer1", "conv1", "conv2", "conv3", "deconv1", "output_layer1"
    ]  # fmt: skip
    concat = network(mask="bypass")
    assert [layer.name for layer in concat] == [
        "input_layer1", "conv1", "shortcut1", "concat1", "deconv1", "output_layer1"
    ]  # fmt: skip
