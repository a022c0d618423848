"""The translator's rules, each on a model of a few nodes, and what it declines."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tasnet.hailo.files.hn import Layer, Network
from tasnet.hailo.translate import NodeError, TranslationError, translate
from tasnet.hailo.translate.errors import ModelError
from tests.hailo.onnx_models import floats, longs, model, node


def layers(made: onnx.ModelProto) -> list[Layer]:
    return list(translate(made, "net"))


def names(network: Network | list[Layer]) -> list[str]:
    return [layer.name for layer in network]


def only(made: onnx.ModelProto, kind: str) -> Layer:
    (layer,) = [layer for layer in layers(made) if layer.type == kind]
    return layer


def test_conv_and_relu_are_one_layer_that_carries_both_names() -> None:
    made = model([node("Conv", "x w", "a"), node("Relu", "a")], w=floats(6, 4, 1, 1))
    layer = only(made, "conv")
    assert layer.original_names == ("conv", "relu")
    assert layer.params["activation"] == "relu"
    assert layer.params["kernel_shape"] == [1, 1, 4, 6]
    assert layer.output_shapes == ((-1, 1, 32, 6),)


def test_conv_read_twice_keeps_its_relu_apart() -> None:
    made = model([node("Conv", "x w", "a"), node("Relu", "a", "b"), node("Add", "a b")], w=floats(4, 4, 1, 1))
    assert [layer.type for layer in layers(made)] == ["input_layer", "conv", "activation", "ew_add", "output_layer"]


@pytest.mark.parametrize(
    ("attributes", "padding", "width", "external"),
    [
        ({"pads": [0, 1, 0, 1]}, "SAME_TENSORFLOW", 32, False),
        ({"pads": [0, 8, 0, 8], "dilations": [1, 8]}, "SAME_TENSORFLOW", 32, False),
        ({}, "VALID", 30, False),
        ({"strides": [1, 2]}, "VALID", 15, False),
        ({"strides": [1, 2], "pads": [0, 1, 0, 1]}, "SAME", 16, False),
        ({"auto_pad": "SAME_UPPER"}, "SAME_TENSORFLOW", 32, False),
        ({"pads": [0, 2, 0, 2]}, "VALID", 34, True),
        ({"pads": [0, 2, 0, 0]}, "VALID", 32, True),
    ],
)
def test_padding_is_said_in_the_vendors_words(
    attributes: dict[str, object], padding: str, width: int, external: bool
) -> None:
    made = model([node("Conv", "x w", **attributes)], w=floats(6, 4, 1, 3))
    layer = only(made, "conv")
    assert layer.params["padding"] == padding
    assert layer.output_shape == (-1, 1, width, 6)
    assert any(other.type == "external_pad" for other in layers(made)) is external
    inferred = onnx.shape_inference.infer_shapes(made).graph.output[0].type.tensor_type.shape
    assert inferred.dim[3].dim_value == width


def test_conv_with_one_group_per_channel_is_depthwise() -> None:
    layer = only(model([node("Conv", "x w", group=4, pads=[0, 1, 0, 1])], w=floats(4, 1, 1, 3)), "dw")
    assert layer.params["kernel_shape"] == [1, 3, 4, 1]
    assert layer.params["groups"] == 1
    assert layer.name == "dw1"


def test_deconvolution_is_as_wide_as_its_stride_says() -> None:
    made = model([node("ConvTranspose", "x w", group=2, strides=[1, 8])], w=floats(4, 1, 1, 16))
    layer = only(made, "deconv")
    assert layer.params["kernel_shape"] == [1, 16, 4, 2]
    assert (layer.params["padding"], layer.params["groups"]) == ("DECONV", 2)
    assert layer.output_shape == (-1, 1, 32 * 8, 2)


def test_squeeze_after_a_deconvolution_joins_it() -> None:
    made = model(
        [node("ConvTranspose", "x w", "a", strides=[1, 8]), node("Squeeze", "a axes")],
        w=floats(4, 2, 1, 16),
        axes=longs(2),
    )
    assert only(made, "deconv").original_names == ("convtranspose", "squeeze")


def test_concat_of_a_tensor_with_itself_goes_through_a_shortcut() -> None:
    network = layers(model([node("Conv", "x w", "a"), node("Concat", "a a", axis=1)], w=floats(4, 4, 1, 1)))
    assert names(network) == ["input_layer1", "conv1", "shortcut1", "concat1", "output_layer1"]
    assert network[1].outputs == ("shortcut1", "concat1")
    assert network[3].inputs == ("conv1", "shortcut1")
    assert network[3].output_shape == (-1, 1, 32, 8)


def test_tile_on_channels_reads_as_the_concat_it_is() -> None:
    tiled = layers(model([node("Conv", "x w", "a"), node("Tile", "a r")], w=floats(4, 4, 1, 1), r=longs(1, 3, 1, 1)))
    assert names(tiled) == ["input_layer1", "conv1", "shortcut1", "shortcut2", "concat1", "output_layer1"]


def test_numbers_follow_kahns_queue_and_not_the_file() -> None:
    # The concat stands last in the file but hangs off the first conv: its number comes early.
    made = model(
        [
            node("Conv", "x w", "a", "enc"),
            node("Conv", "a w", "b", "deep1"),
            node("Conv", "b w", "c", "deep2"),
            node("Concat", "a a", "d", axis=1),
            node("Concat", "c c", "e", "late", axis=1),
            node("Mul", "e d"),
        ],
        w=floats(4, 4, 1, 1),
    )
    network = {layer.name: layer for layer in layers(made)}
    assert network["concat1"].original_names == ("concat",)
    assert network["concat2"].original_names == ("late",)
    assert network["conv1"].outputs == ("conv2", "shortcut1", "concat1")
    assert network["ew_mult1"].inputs == ("concat2", "concat1")


def test_max_against_a_constant_is_a_grouped_concat_and_reduce_max() -> None:
    made = model([node("Conv", "x w", "a"), node("Max", "z a")], w=floats(4, 4, 1, 1), z=np.zeros((1, 4, 1, 32), "f4"))
    network = {layer.name: layer for layer in layers(made)}
    assert network["concat1"].inputs == ("const_input1", "conv1")
    assert network["concat1"].params["group_sizes"] == [1, 1, 1, 1]
    assert network["reduce_max1"].params == {"groups": 4, "reduce_axes": [3]}
    assert network["const_input1"].params == {"input_tiles": [[1, 1, 1]]}
    assert network["const_input1"].original_names == ("max_input",)
    assert network["const_input1"].input_shapes == network["const_input1"].output_shapes == ((-1, 1, 32, 4),)
    assert network["reduce_max1"].output_shape == (-1, 1, 32, 4)


def test_min_turns_the_sign_on_both_sides_under_its_own_name() -> None:
    made = model([node("Conv", "x w", "a"), node("Min", "z a")], w=floats(4, 4, 1, 1), z=np.zeros((1, 4, 1, 1), "f4"))
    network = {layer.name: layer for layer in layers(made)}
    assert network["normalization1"].inputs == ("concat1",)
    assert network["reduce_max1"].inputs == ("normalization1",)
    assert network["normalization2"].inputs == ("reduce_max1",)
    for name in ("concat1", "normalization1", "reduce_max1", "normalization2"):
        assert network[name].original_names == ("min",)
    assert network["const_input1"].params == {"input_tiles": [[1, 32, 1]]}


def test_product_and_sum_with_a_constant_per_channel_are_one_normalization() -> None:
    both = model([node("Mul", "x g", "a"), node("Add", "a b")], g=floats(4, 1, 1), b=floats(4, 1, 1, seed=1))
    layer = only(both, "normalization")
    assert (layer.name, layer.original_names) == ("normalization1", ("mul", "add"))
    alone = model([node("Mul", "x g")], g=floats(1, 4, 1, 1))
    assert only(alone, "normalization").name == "mul_and_add1"


@pytest.mark.parametrize("zero", [np.float32(0), np.zeros(1, "f4"), -np.zeros((1, 1, 1, 1), "f4")])
@pytest.mark.parametrize("operands", ["z b", "b z"])
def test_a_sum_that_starts_at_zero_has_no_layer_and_no_name_for_it(zero: np.ndarray, operands: str) -> None:
    made = model(
        [
            node("Conv", "x w", "a", "conv_1"),
            node("Conv", "a w", "b", "conv_2"),
            node("Add", operands, "c", "add_first"),
            node("Conv", "a w", "d", "conv_3"),
            node("Add", "c d", "y", "add_second"),
        ],
        w=floats(4, 4, 1, 1),
        z=zero,
    )
    network = translate(made, "net")
    assert names(network) == ["input_layer1", "conv1", "conv2", "conv3", "ew_add1", "output_layer1"]
    assert network.layer("ew_add1").inputs == ("conv2", "conv3")
    assert not any("add_first" in layer.original_names for layer in network)


@pytest.mark.parametrize(
    ("op", "value"),
    [("Add", np.zeros((4, 1, 1), "f4")), ("Sub", np.float32(0)), ("Mul", np.float32(1)), ("Div", np.float32(1))],
)
def test_what_was_not_seen_to_vanish_keeps_its_layer(op: str, value: np.ndarray) -> None:
    kinds = [layer.type for layer in layers(model([node(op, "x v")], v=value))]
    assert kinds == ["input_layer", "normalization", "output_layer"]


def test_a_constant_along_time_is_a_tensor_and_not_a_normalization() -> None:
    made = model([node("Mul", "x g")], g=floats(1, 1, 1, 32))
    network = {layer.name: layer for layer in layers(made)}
    assert network["ew_mult1"].inputs == ("input_layer1", "const_input1")
    assert network["const_input1"].output_shape == (-1, 1, 32, 4)


def test_a_mean_over_all_is_stretched_along_time_and_repeated_over_channels() -> None:
    made = model(
        [
            node("ReduceMean", "x", "a", "time", axes=[3]),
            node("ReduceMean", "a", "b", "channels", axes=[1]),
            node("Sub", "x b"),
        ]
    )
    network = {layer.name: layer for layer in layers(made)}
    assert network["avgpool1"].params["kernel_shape"] == [1, 1, 32, 1]
    assert network["avgpool1"].params["strides"] == [1, 1, 32, 1]
    assert network["reduce_mean1"].params["reduce_axes"] == [3]
    assert network["resize1"].params["resize_w_ratio_list"] == [32.0]
    assert network["ew_sub1"].inputs == ("input_layer1", "resize1")
    assert network["ew_sub1"].params["input_repeats"] == [[1, 1, 1], [1, 1, 4]]
    assert network["input_layer1"].outputs == ("avgpool1", "ew_sub1")


def test_division_by_a_root_is_a_product_with_inv_sqrt() -> None:
    made = model(
        [node("Add", "x e", "v"), node("Sqrt", "v", "s"), node("Conv", "x w", "a"), node("Div", "a s")],
        e=np.asarray(1e-8, np.float32),
        w=floats(4, 4, 1, 1),
    )
    network = {layer.name: layer for layer in layers(made)}
    assert network["activation1"].params == {"activation": "inv_sqrt"}
    assert network["activation1"].original_names == ("add", "sqrt", "div")
    assert network["ew_mult1"].inputs == ("conv1", "activation1")
    assert "normalization1" not in network


def test_slopes_of_a_prelu_stand_one_per_channel() -> None:
    made = model([node("Conv", "x w", "a"), node("PRelu", "a s")], w=floats(6, 4, 1, 1), s=np.full((1,), 0.25, "f4"))
    network = translate(made, "net")
    assert network.layer("conv1").params["activation"] == "prelu"
    slope = network.weight("conv1", "prelu_slope")
    assert slope is not None
    np.testing.assert_array_equal(slope, np.full(6, 0.25, np.float32))


def test_dense_rows_are_put_into_nhwc_order() -> None:
    weight = floats(3, 4 * 2 * 5)
    made = model([node("Flatten", "x", "a"), node("Gemm", "a w", transB=1)], shape=(1, 4, 2, 5), w=weight)
    network = translate(made, "net")
    x = floats(1, 4, 2, 5, seed=3)
    kernel = network.weight("fc1", "kernel")
    assert kernel is not None
    got = x.transpose(0, 2, 3, 1).reshape(1, -1) @ kernel
    np.testing.assert_allclose(got, x.reshape(1, -1) @ weight.T, rtol=1e-5, atol=1e-5)
    assert network.layer("fc1").output_shape == (-1, 1, 1, 3)


@pytest.mark.parametrize(
    "moves",
    [
        [node("Transpose", "a", "b", perm=[0, 2, 1, 3]), node("Transpose", "b", "c", "back", perm=[0, 2, 1, 3])],
        [node("Reshape", "a flat", "b"), node("Reshape", "b full", "c", "back")],
        [node("Unsqueeze", "a two", "b"), node("Squeeze", "b two", "c")],
    ],
    ids=["transpose", "reshape", "unsqueeze"],
)
def test_moving_ones_costs_no_layer(moves: list[onnx.NodeProto]) -> None:
    made = model(
        [node("Conv", "x w", "a", "first"), *moves, node("Conv", "c v", "y", "second")],
        w=floats(4, 4, 1, 1),
        v=floats(4, 4, 1, 1, seed=1),
        flat=longs(1, 4, 32),
        full=longs(1, 4, 1, 32),
        two=longs(2),
    )
    assert names(layers(made)) == ["input_layer1", "conv1", "conv2", "output_layer1"]


def test_a_transpose_of_the_input_turns_the_input_and_not_the_kernels_behind_it() -> None:
    made = model(
        [node("Transpose", "x", "a", perm=[0, 1, 3, 2]), node("Conv", "a w", pads=[1, 0, 1, 0])],
        w=floats(6, 4, 3, 1),
    )
    layer = only(made, "conv")
    assert layer.params["kernel_shape"] == [3, 1, 4, 6]
    assert layer.output_shape == (-1, 32, 1, 6)


def test_time_is_split_into_slices_and_channels_are_sliced() -> None:
    parts = layers(model([node("Split", "x", "a b", axis=3, name="split"), node("Add", "a b")], opset=11))
    assert [layer.params["width_slice"] for layer in parts if layer.type == "slice"] == [[0, 16, 1], [16, 32, 1]]
    cut = model([node("Slice", "x s e a")], s=longs(-3), e=longs(np.iinfo(np.int64).max), a=longs(1))
    assert only(cut, "slice").params["features_slice"] == [1, 4, 1]
    assert only(cut, "slice").output_shape == (-1, 1, 32, 3)


def test_constant_nodes_unnamed_nodes_and_identities_change_nothing() -> None:
    weight = floats(6, 4, 1, 1)
    plain = model([node("Conv", "x w")], w=weight)
    messy = model(
        [
            helper.make_node("Constant", [], ["w"], value=onnx.numpy_helper.from_array(weight)),
            helper.make_node("Identity", ["x"], ["i"]),
            helper.make_node("Dropout", ["i"], ["d"]),
            helper.make_node("Conv", ["d", "w"], ["y"]),
        ]
    )
    one, two = translate(plain, "net"), translate(messy, "net")
    assert [(a.name, a.type, a.params) for a in one] == [(b.name, b.type, b.params) for b in two]
    assert two.layer("conv1").original_names != ("",)
    np.testing.assert_array_equal(one.weights["net/conv1/kernel:0"], two.weights["net/conv1/kernel:0"])


def test_nodes_without_effect_never_reach_the_graph() -> None:
    made = model([node("Conv", "x w", "dead", "gone"), node("Relu", "x")], w=floats(4, 4, 1, 1))
    assert [layer.type for layer in layers(made)] == ["input_layer", "activation", "output_layer"]


@pytest.mark.parametrize(
    ("nodes", "op", "hint"),
    [
        ([node("CumSum", "x one")], "CumSum", "norm"),
        ([node("Erf", "x")], "Erf", "opset 20"),
        ([node("Pow", "x three")], "Pow", "Pow 2"),
        ([node("Reshape", "x mixed")], "Reshape", "host"),
        ([node("Concat", "x x", axis=3)], "Concat", "axis 1"),
        ([node("Softmax", "x", axis=3)], "Softmax", "axis 1"),
    ],
)
def test_what_no_rule_takes_names_the_node_and_what_to_write(nodes: list[onnx.NodeProto], op: str, hint: str) -> None:
    made = model(
        nodes,
        one=np.asarray(1, np.int64),
        three=np.asarray(3.0, np.float32),
        mixed=longs(1, 2, 2, 32),
    )
    with pytest.raises(NodeError, match=rf"node {op.lower()} \({op}\): .*; .*{hint}"):
        translate(made, "net")


def _rank5() -> onnx.ModelProto:
    return model([node("Relu", "x")], shape=(1, 4, 1, 1, 32))


def _dynamic() -> onnx.ModelProto:
    return model([node("Relu", "x")], shape=(1, 4, 1, "time"))


def _two_inputs() -> onnx.ModelProto:
    made = model([node("Relu", "x")])
    made.graph.input.append(helper.make_tensor_value_info("second", TensorProto.INT64, [1, 4]))
    return made


def _no_shape() -> onnx.ModelProto:
    made = model([node("Relu", "x")])
    made.graph.input[0].type.tensor_type.ClearField("shape")
    return made


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (_rank5(), "rank 5.*rank 4"),
        (_dynamic(), "axis 3 is dynamic.*dynamic_axes"),
        (_two_inputs(), "input second is INT64.*float32"),
        (_no_shape(), "no shape"),
        (model([node("Relu", "x")], shape=(2, 4, 1, 8)), "batch"),
    ],
    ids=["rank5", "dynamic", "two-inputs", "no-shape", "batch"],
)
def test_models_that_cannot_be_read_say_what_to_export(made: onnx.ModelProto, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        translate(made, "net")


def test_every_error_is_one_line() -> None:
    for made in (_rank5(), _dynamic(), _two_inputs()):
        with pytest.raises(TranslationError) as caught:
            translate(made, "net")
        assert "\n" not in str(caught.value)
