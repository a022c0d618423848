"""The translator against the vendor's own figures of a real Conv-TasNet (DFC 3.33.0, state Parsed)."""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
import pytest

from tasnet.hailo.files.hn import Figures, Network, figures_of, hn_dict, total_figures
from tasnet.hailo.translate import translate
from tasnet.network.export import to_onnx
from tasnet.network.variant import Size, Variant
from tasnet.network.weights import seeded_weights


def network(**axes: str | int) -> Network:
    made = to_onnx(Variant(**axes), Size(), seeded_weights(Size(), 0), 16000)  # type: ignore[arg-type]
    return translate(made, "convtas")


@pytest.fixture(scope="module")
def full() -> Network:
    """The network as trained: gLN by ReduceMean, PReLU by Max and Min, 8 blocks x 3 repeats."""
    return network(activation="prelu_maxmin", norm="gln")


def test_the_full_network_has_the_vendors_layers_weights_and_operations(full: Network) -> None:
    assert len(full.layers) == 1179
    assert total_figures(full).weights == 4_943_362
    assert total_figures(full).ops == 20_802_188_002
    kinds = Counter(layer.type for layer in full)
    assert (kinds["conv"], kinds["dw"], kinds["deconv"], kinds["const_input"]) == (74, 24, 1, 98)


def with_a_sum_from_zero(made: onnx.ModelProto) -> onnx.ModelProto:
    """As Asteroid writes it: the sum of the skip connections starts at 0.0, and not at the first of them."""
    graph = made.graph
    first = next(each for each in graph.node if each.op_type == "Add" and "skip" in each.input[0])
    sums = onnx.helper.make_node("Add", ["from_zero", first.input[0]], ["first_sum"], name="first_sum")
    first.input[0] = "first_sum"
    nodes = list(graph.node)
    at = next(index for index, each in enumerate(nodes) if each is first or each.output[0] == first.output[0])
    del graph.node[:]
    graph.node.extend([*nodes[:at], sums, *nodes[at:]])
    graph.initializer.append(onnx.numpy_helper.from_array(np.zeros(1, np.float32), "from_zero"))
    return made


def test_a_sum_that_starts_at_zero_changes_no_field_of_the_full_network(full: Network) -> None:
    made = to_onnx(Variant(activation="prelu_maxmin", norm="gln"), Size(), seeded_weights(Size(), 0), 16000)
    summed = translate(with_a_sum_from_zero(made), "convtas")
    assert hn_dict(summed) == hn_dict(full)


def test_every_constant_input_has_its_shape_as_its_inputs(full: Network) -> None:
    constants = [layer for layer in full if layer.type == "const_input"]
    assert len(constants) == 98
    for layer in constants:
        assert layer.input_shapes == (layer.output_shape,)
        assert layer.output_shape[:3] == (-1, 1, 1999)
        assert len(layer.outputs) == 1


def test_a_prelu_by_max_and_min_is_the_vendors_ten_layers(full: Network) -> None:
    """As the vendor's file has the first: both concats on the constant and conv3, then up to ew_add1."""
    assert full.layer("concat2").inputs[1] == full.layer("concat3").inputs[1] == "conv3"
    assert full.layer("normalization2").inputs == ("concat3",)
    assert full.layer("reduce_max2").inputs == ("normalization2",)
    assert full.layer("normalization3").inputs == ("reduce_max2",)
    assert full.layer("mul_and_add1").inputs == ("normalization3",)
    assert full.layer("ew_add1").inputs == ("reduce_max1", "mul_and_add1")
    (name,) = full.layer("concat3").original_names
    for each in ("normalization2", "reduce_max2", "normalization3"):
        assert full.layer(each).original_names == (name,)


def test_single_layers_have_the_profilers_figures(full: Network) -> None:
    assert figures_of(full.layer("conv1")) == Figures(8704, 17_399_296, 32_751_616)
    assert figures_of(full.layer("dw1")) == Figures(2048, 4_093_952, 6_140_928)
    assert figures_of(full.layer("deconv1")) == Figures(16_386, 262_044_912, 524_025_856)


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
