"""Networks of several inputs in simulated 8 bits, as segments of a plan are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from tasnet.hailo.execute import run_network
from tasnet.hailo.files.hn import Layer, Network
from tasnet.hailo.quantize import (
    QuantizeError,
    Scheme,
    choose_16_bit_layers,
    negative_slope_failures,
    quantization_figures,
    quantize_network,
    required_shifts,
    run_quantized,
)
from tests.hailo.networks import conv_params, floats, one_layer

FRAMES = 60
KERNEL = floats(1, 1, 8, 6, seed=3)
BIAS = floats(6, seed=4)


def _joined() -> Network:
    """A 1x1 convolution of eight channels, given as one input."""
    params = conv_params((1, 1, 8, 6), activation="relu")
    return one_layer("conv", [(1, FRAMES, 8)], (1, FRAMES, 6), params, {"kernel": KERNEL, "bias": BIAS})


def _apart() -> Network:
    """The same convolution of the same channels, given as three and five."""
    whole = _joined()
    shapes = {"input_layer1": (-1, 1, FRAMES, 3), "input_layer2": (-1, 1, FRAMES, 5)}
    inputs = [Layer(name, "input_layer", (), ("concat1",), (shape,), (shape,)) for name, shape in shapes.items()]
    out = ((-1, 1, FRAMES, 8),)
    concat = Layer("concat1", "concat", tuple(shapes), ("conv1",), tuple(shapes.values()), out, (), {})
    _, conv, last = whole
    return replace(whole, layers=(*inputs, concat, replace(conv, inputs=("concat1",)), last))


def _signals(count: int, seed: int = 0) -> np.ndarray:
    """Noise whose channels 0 and 3 reach the same ends, so that one grid is right for each input and for both."""
    x = np.clip(floats(count, 1, FRAMES, 8, seed=seed), -2, 2)
    x[:, 0, 0, [0, 3]], x[:, 0, 1, [0, 3]] = -2, 2
    return x


def _split(x: np.ndarray) -> dict[str, np.ndarray]:
    # The order of a mapping says nothing.
    return {"input_layer2": x[..., 3:], "input_layer1": x[..., :3]}


@pytest.mark.parametrize(
    "scheme",
    [
        Scheme(),
        Scheme(clipping="mse"),
        Scheme(clipping="percentile"),
        Scheme(sixteen=frozenset({"conv1"})),
    ],
    ids=str,
)
def test_two_inputs_are_quantized_as_the_one_that_holds_both(scheme: Scheme) -> None:
    # A cut range would be each input's own, so there the inputs and their join are left in float.
    loose = frozenset() if scheme.clipping == "minmax" else frozenset({"input_layer1"})
    wide = loose | ({"input_layer2", "concat1"} if loose else set())
    calibration, x = _signals(12), _signals(1, seed=9)
    one = quantize_network(_joined(), calibration, replace(scheme, floating=loose))
    two = quantize_network(_apart(), _split(calibration), replace(scheme, floating=wide))
    assert two.calibration.count == 12
    assert two.grids["conv1"] == one.grids["conv1"]
    (expected,), (got,) = run_quantized(one, x), run_quantized(two, _split(x))
    np.testing.assert_array_equal(got, expected)
    assert not np.array_equal(got, run_network(_joined(), x)[0])
    assert [each for each in required_shifts(two) if each.layer == "conv1"] == list(required_shifts(one))
    assert not negative_slope_failures(two)


def test_each_input_has_a_range_of_its_own() -> None:
    x = _signals(2)
    x[..., 3:] *= 100
    found = quantize_network(_apart(), _split(x)).grids
    assert found["input_layer1"].high == pytest.approx(2, rel=0.01)
    assert found["input_layer2"].high == pytest.approx(200, rel=0.01)
    assert found["concat1"].high == pytest.approx(200, rel=0.01)


def test_figures_and_the_choice_of_bits_take_several_inputs() -> None:
    calibration, x = _signals(3), _signals(1, seed=9)
    one, two = quantize_network(_joined(), calibration), quantize_network(_apart(), _split(calibration))
    (expected,) = (each for each in quantization_figures(one, x) if each.layer == "conv1")
    (figures,) = (each for each in quantization_figures(two, _split(x)) if each.layer == "conv1")
    assert figures == expected

    def score(found: tuple[np.ndarray, ...], exact: tuple[np.ndarray, ...]) -> float:
        return -float(np.square(found[0] - exact[0]).sum())

    points = choose_16_bit_layers(two, _split(x), score, points=3, chosen_on=_split(calibration))
    assert points[-1].score > points[0].score


@pytest.mark.parametrize(
    ("signals", "says"),
    [
        (_signals(2), r"signal 0: .*has 2 inputs \(input_layer1, input_layer2\); give an array for each"),
        ({}, "names no input"),
        ({"input_layer1": _signals(2)[..., :3]}, "signal 0: network .*: input input_layer2 is not given"),
        (_split(_signals(2)) | {"input_layer3": _signals(2)}, "no input layer input_layer3"),
        (_split(_signals(2)) | {"input_layer1": _signals(3)[..., :3]}, "input_layer2 2, input_layer1 3"),
        (_split(_signals(2)) | {"input_layer1": _signals(0)[..., :3]}, r"of input_layer1 of shape \[0, 1, 60, 3\]"),
        (_split(_signals(2)) | {"input_layer1": _signals(2)[0]}, r"of input_layer1 of shape \[1, 60, 8\]"),
        (_split(_signals(2)[..., :7]), r"input_layer2: an array \[1, 1, 60, 4\]"),
        (_split(np.full((1, 1, FRAMES, 8), np.nan, np.float32)), "signal 0: input input_layer1: .*NaN"),
    ],
)
def test_calibration_sets_of_several_inputs_that_cannot_be_used(
    signals: np.ndarray | Mapping[str, np.ndarray], says: str
) -> None:
    with pytest.raises(QuantizeError, match=says):
        quantize_network(_apart(), signals)
