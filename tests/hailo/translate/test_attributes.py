"""Whatever attributes and operands a node has: its translation computes what ONNX Runtime does, or it is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper, numpy_helper

from tasnet.hailo.execute import run_network
from tasnet.hailo.translate import TranslationError, translate
from tests.hailo.onnx_models import floats, longs
from tests.hailo.translate.against_runtime import matches, model_of
from tests.runtime_session import session

TRIED = settings(max_examples=20)
SHAPES = st.tuples(st.just(1), st.sampled_from([1, 4]), st.sampled_from([1, 6]), st.sampled_from([1, 11]))


def window(draw: Callable[[st.SearchStrategy[Any]], Any], *, strides: int = 3) -> dict[str, Any]:
    """Attributes of what slides over height and width."""
    attributes: dict[str, Any] = {"strides": [draw(st.integers(1, strides)) for _ in range(2)]}
    if draw(st.booleans()):
        attributes["dilations"] = [draw(st.integers(1, 2)) for _ in range(2)]
    auto = draw(st.sampled_from(["NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"]))
    if auto != "NOTSET":
        attributes["auto_pad"] = auto
    elif draw(st.booleans()):
        attributes["pads"] = [draw(st.integers(0, 2)) for _ in range(4)]
    return attributes


KERNEL = st.tuples(st.sampled_from([1, 2, 3]), st.sampled_from([1, 2, 3, 4]))


@given(st.data(), KERNEL, st.sampled_from([1, 2, 4]), st.booleans())
@TRIED
def test_conv(data: st.DataObject, kernel: tuple[int, int], group: int, bias: bool) -> None:
    constants = {1: floats(8, 4 // group, *kernel)} | ({2: floats(8, seed=1)} if bias else {})
    matches("Conv", constants=constants, group=group, **window(data.draw))


@given(st.data(), KERNEL, st.sampled_from([1, 2, 4]))
@TRIED
def test_conv_transpose(data: st.DataObject, kernel: tuple[int, int], group: int) -> None:
    attributes = window(data.draw)
    if data.draw(st.booleans()):
        attributes["output_padding"] = [data.draw(st.integers(0, n - 1)) for n in attributes["strides"]]
    if data.draw(st.booleans()):
        attributes["output_shape"] = [data.draw(st.integers(5, 20)), data.draw(st.integers(10, 36))]
    matches("ConvTranspose", constants={1: floats(4, 2, *kernel)}, group=group, **attributes)


@given(st.data(), st.sampled_from(["MaxPool", "AveragePool"]), KERNEL)
@TRIED
def test_pools(data: st.DataObject, op: str, kernel: tuple[int, int]) -> None:
    attributes = window(data.draw)
    attributes["ceil_mode"] = data.draw(st.integers(0, 1))
    if op == "AveragePool":
        attributes["count_include_pad"] = data.draw(st.integers(0, 1))
    matches(op, opset=19, kernel_shape=list(kernel), **attributes)


@given(
    st.sampled_from(["Conv", "ConvTranspose", "MaxPool", "AveragePool"]),
    st.integers(1, 3), st.integers(1, 2), st.integers(1, 3), st.lists(st.integers(0, 2), min_size=2, max_size=2),
)  # fmt: skip
@TRIED
def test_rank_3(op: str, stride: int, dilation: int, kernel: int, pads: list[int]) -> None:
    weights = {1: floats(4, 4, kernel)} if op.startswith("Conv") else {}
    dilated = {} if op == "AveragePool" else {"dilations": [dilation]}
    matches(op, (1, 4, 11), weights, kernel_shape=[kernel], strides=[stride], pads=pads, **dilated)


@given(
    st.floats(-2, 2, width=32), st.floats(-2, 2, width=32), st.booleans(), st.booleans(),
    st.sampled_from([None, (), (1,), (5,), (1, 5), (1, 1)]), st.sampled_from([(1, 4, 6, 11), (1, 4, 1, 1)]),
)  # fmt: skip
@TRIED
def test_gemm(
    alpha: float, beta: float, ta: bool, tb: bool, bias: tuple[int, ...] | None, shape: tuple[int, ...]
) -> None:
    rows = int(np.prod(shape))
    constants = {1: floats(*((5, rows) if tb else (rows, 5))) / 16}
    if bias is not None:
        constants[2] = floats(*bias, seed=1)
    flat = [helper.make_node("Flatten", ["x"], ["a"])]
    matches("Gemm", shape, constants, before=flat, alpha=alpha, beta=beta, transA=int(ta), transB=int(tb))


@given(st.integers(-4, 3), SHAPES, st.booleans(), st.booleans())
@TRIED
def test_concat(axis: int, shape: tuple[int, ...], constant: bool, first: bool) -> None:
    if constant:
        other = list(shape)
        other[axis] = 3
        matches("Concat", shape, {0 if first else 1: floats(*other)}, axis=axis)
    else:
        negated = [helper.make_node("Neg", ["x"], ["a"])]
        twice = [helper.make_node("Concat", ["x", "b"], ["y"], axis=axis)]
        matches("Relu", shape, before=negated, after=twice)


@given(st.lists(st.integers(-4, 3), min_size=1, max_size=4, unique_by=lambda a: a % 4), st.integers(0, 1), SHAPES)
@TRIED
def test_reduce_mean(axes: list[int], keepdims: int, shape: tuple[int, ...]) -> None:
    matches("ReduceMean", shape, axes=axes, keepdims=keepdims)
    matches("ReduceMean", shape, {1: longs(*axes)}, opset=18, keepdims=keepdims)


@given(st.integers(0, 1), st.integers(0, 1))
@TRIED
def test_reduce_mean_of_no_axes(keepdims: int, noop: int) -> None:
    matches("ReduceMean", constants={1: longs()}, opset=18, keepdims=keepdims, noop_with_empty_axes=noop)


BOUND = st.sampled_from([None, -1.0, 0.0, 0.5, 6.0])


@given(BOUND, BOUND)
@TRIED
def test_clip(low: float | None, high: float | None) -> None:
    bounds = {i + 1: np.float32(value) for i, value in enumerate((low, high)) if value is not None}
    matches("Clip", constants=bounds)
    named = {name: value for name, value in (("min", low), ("max", high)) if value is not None}
    matches("Clip", opset=7, **named)


@given(st.floats(-2, 2, width=32))
@TRIED
def test_leaky_relu(alpha: float) -> None:
    matches("LeakyRelu", alpha=alpha)


@given(SHAPES, st.integers(0, 15), st.integers(0, 4))
@TRIED
def test_prelu(shape: tuple[int, ...], kept: int, dropped: int) -> None:
    slope = [size if kept >> axis & 1 else 1 for axis, size in enumerate(shape)][dropped:]
    matches("PRelu", shape, {1: floats(*slope)})


@given(st.integers(-4, 4), SHAPES)
@TRIED
def test_flatten(axis: int, shape: tuple[int, ...]) -> None:
    matches("Flatten", shape, axis=axis)


@given(st.sampled_from([1e-5, 1e-3, 0.5]), st.integers(0, 1), st.sampled_from([0.1, 0.9]))
@TRIED
def test_batch_normalization(epsilon: float, training: int, momentum: float) -> None:
    constants = {1: floats(4), 2: floats(4, seed=1), 3: floats(4, seed=2), 4: np.abs(floats(4, seed=3))}
    outputs = 3 if training else 1
    attributes = {"epsilon": epsilon, "training_mode": training, "momentum": momentum}
    matches("BatchNormalization", constants=constants, outputs=outputs, **attributes)


@given(st.permutations(range(4)), SHAPES, st.booleans())
@TRIED
def test_transpose(perm: list[int], shape: tuple[int, ...], inside: bool) -> None:
    conv = helper.make_node("Conv", ["x", "w"], ["a"])
    weights = helper.make_node("Constant", [], ["w"], value=numpy_helper.from_array(floats(5, shape[1], 1, 1)))
    matches("Transpose", shape, before=[weights, conv] if inside else None, perm=perm)


@given(st.permutations(range(4)), st.permutations(range(4)), SHAPES)
@TRIED
def test_a_network_between_two_transposes(first: list[int], second: list[int], shape: tuple[int, ...]) -> None:
    door = helper.make_node("Transpose", ["x"], ["a"], perm=first)
    leave = helper.make_node("Transpose", ["b"], ["y"], perm=second)
    weights = {1: floats(5, shape[first[1]], 1, 1)}
    _matches_through(door, leave, weights, shape)


def _matches_through(
    door: onnx.NodeProto, leave: onnx.NodeProto, weights: dict[int, np.ndarray], shape: tuple[int, ...]
) -> bool:
    """As `matches`, for a network whose input isn't NCHW: its HN says what the signal's axes are."""
    nodes = [door, helper.make_node("Conv", ["a", "w"], ["b"], name="conv"), leave]
    model = model_of(nodes, shape, {"w": weights[1]}, 13)
    x = floats(*shape, seed=7)
    (expected,) = session(model).run(None, {"x": x})
    try:
        network = translate(model, "net")
    except TranslationError:
        return False
    perm = list(helper.get_attribute_value(door.attribute[0]))
    (found,) = run_network(network, x.transpose(perm).transpose(0, 2, 3, 1))
    errors = [np.abs(each.reshape(expected.shape) - expected).max() for each in (found.transpose(0, 3, 1, 2), found)]
    assert min(errors) < 1e-4
    return True


@given(
    st.lists(st.integers(-2, 3), min_size=8, max_size=8), st.lists(st.booleans(), min_size=4, max_size=4),
    st.sampled_from(["constant", "reflect", "edge"]), st.sampled_from([0.0, 0.0, 1.5]), SHAPES,
)  # fmt: skip
@TRIED
def test_pad(pads: list[int], used: list[bool], mode: str, value: float, shape: tuple[int, ...]) -> None:
    sides = [pad if used[i % 4] else 0 for i, pad in enumerate(pads)]
    matches("Pad", shape, {1: longs(*sides), 2: np.float32(value)}, mode=mode)
    matches("Pad", shape, opset=10, pads=sides, value=value, mode=mode)


BOUNDS = st.integers(-12, 12)
CUTS = st.tuples(st.integers(-4, 3), BOUNDS, BOUNDS, st.sampled_from([1, 2, 3, -1]))


@given(st.lists(CUTS, min_size=1, max_size=3, unique_by=lambda each: each[0] % 4), SHAPES)
@TRIED
def test_slice(cuts: list[tuple[int, int, int, int]], shape: tuple[int, ...]) -> None:
    axes, starts, ends, steps = (longs(*column) for column in zip(*cuts, strict=True))
    matches("Slice", shape, {1: starts, 2: ends, 3: axes, 4: steps})


@given(
    st.sampled_from(["Add", "Sub", "Mul", "Div", "Max", "Min", "Pow"]), SHAPES, st.integers(0, 15), st.integers(0, 4),
    st.booleans(), st.sampled_from([None, 0.0, 1.0, 2.0, -1.0]),
)  # fmt: skip
@TRIED
def test_constants_of_every_shape(
    op: str, shape: tuple[int, ...], kept: int, dropped: int, first: bool, value: float | None
) -> None:
    full = (1, 4, 6, 11)
    sizes = [full[axis] if kept >> axis & 1 else 1 for axis in range(4)][dropped:]
    constant = np.abs(floats(*sizes)) + 0.5 if value is None else np.full(sizes, value, np.float32)
    squared = [helper.make_node("Sigmoid", ["x"], ["a"])]
    with np.errstate(all="ignore"):
        matches(op, shape, {0 if first else 1: constant.astype(np.float32)}, before=squared)


@given(st.sampled_from(["Add", "Sub", "Mul", "Div", "Max", "Min"]), SHAPES, st.permutations(range(4)))
@TRIED
def test_two_tensors_that_lie_crosswise(op: str, shape: tuple[int, ...], perm: list[int]) -> None:
    turned = [
        helper.make_node("Transpose", ["x"], ["t"], perm=perm),
        helper.make_node("Sigmoid", ["t"], ["s"]),
        helper.make_node("Sigmoid", ["x"], ["u"]),
        helper.make_node(op, ["u", "s"], ["a"], name="both"),
    ]
    matches("Relu", shape, before=turned)


@given(st.lists(st.integers(1, 3), min_size=4, max_size=4), SHAPES)
@TRIED
def test_tile(repeats: list[int], shape: tuple[int, ...]) -> None:
    matches("Tile", shape, {1: longs(*repeats)})


@given(SHAPES, st.integers(0, 15))
@TRIED
def test_expand(shape: tuple[int, ...], grown: int) -> None:
    target = [3 if size == 1 and grown >> axis & 1 else size for axis, size in enumerate(shape)]
    matches("Expand", shape, {1: longs(*target)})


@given(st.sampled_from([(1, 4, 11), (4, 11), (1, 44), (11, 4), (1, 2, 2, 11), (1, 1, 4, 11), (4, 11, 1)]))
@TRIED
def test_reshape(target: tuple[int, ...]) -> None:
    matches("Reshape", (1, 4, 1, 11), {1: longs(*target)})
