"""The simulated 8 bits: grids, ranges, the shift's rule, and ONNX Runtime's quantization beside it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tasnet.hailo.execute import run_network
from tasnet.hailo.files.hn import Network
from tasnet.hailo.quantize import (
    QuantizeError,
    Scheme,
    choose_16_bit_layers,
    negative_slope_failures,
    quantization_figures,
    quantize_network,
    run_quantized,
)
from tasnet.hailo.quantize.calibration import calibrated_ranges
from tasnet.hailo.quantize.scheme import Clipping, grid_over
from tasnet.hailo.quantize.simulation import round_to_grid
from tasnet.network.variant import Size, Variant
from tasnet.suite.numerics.metrics import si_sdr
from tests.hailo.networks import conv_params, floats, one_layer, results
from tests.hailo.quantize.quantized import CLEAN, LENGTH, MIX, SIZE, model_of, network_of, si_sdr_of, speech_of
from tests.runtime_session import session

# --- grids


@given(st.floats(-1e3, 1e3), st.floats(0, 1e3), st.sampled_from([8, 16]))
def test_a_grid_holds_zero_and_its_range_to_half_a_step(low: float, span: float, bits: int) -> None:
    made = grid_over(low, low + span, bits)
    assert 0 <= made.zero < 2**bits
    assert made.low <= min(low, 0) + made.step
    assert made.high >= max(low + span, 0) - made.step
    x = torch.linspace(min(low, 0), max(low + span, 0), 50)
    rounded = round_to_grid(x.clone(), made)
    # the ends may lie half a step outside of a grid that had to take zero in
    assert float((rounded - x).abs().max()) <= made.step * 1.01 + 1e-3 * abs(low) / 2**bits
    assert torch.equal(round_to_grid(torch.zeros(3), made), torch.zeros(3))


def test_what_exceeds_a_range_is_clipped() -> None:
    made = grid_over(-1.0, 1.0, 8)
    assert round_to_grid(torch.tensor([-9.0, 9.0]), made).tolist() == pytest.approx([made.low, made.high])


def test_a_network_of_values_on_their_grid_is_exact() -> None:
    kernel = np.asarray([127.0, -64.0, 1.0, 0.0]).reshape(1, 1, 4, 1)
    params = conv_params((1, 1, 4, 1))
    network = one_layer("conv", [(1, 3, 4)], (1, 3, 1), params, {"kernel": kernel, "bias": [5.0]})
    x = np.asarray([[0, 1, 2, 255], [7, 0, 0, 0], [0, 255, 1, 3]], np.float32).reshape(1, 1, 3, 4)
    rounded = run_quantized(quantize_network(network, x, Scheme(sixteen=frozenset({"conv1"}))), x)[0]
    span = float(np.ptp(np.append(run_network(network, x)[0], 0)))
    np.testing.assert_allclose(rounded, run_network(network, x)[0], atol=0.51 * span / 65535 + 0.01)


# --- the whole


def test_sixteen_bits_are_far_better_than_eight() -> None:
    network = network_of(CLEAN)
    every = frozenset(layer.name for layer in network)
    eight, sixteen = si_sdr_of(network, Scheme()), si_sdr_of(network, Scheme(sixteen=every))
    assert 15 < eight < 45
    # each bit is 6 dB
    assert sixteen > eight + 35


def test_a_layer_left_in_float_brings_no_noise() -> None:
    network = network_of(CLEAN)
    every = frozenset(layer.name for layer in network)
    assert si_sdr_of(network, Scheme(floating=every)) > 120
    assert si_sdr_of(network, Scheme(floating=every - {"conv1"})) > si_sdr_of(network, Scheme())


def _passing(length: int) -> Network:
    """A layer that multiplies by one."""
    weights = {"kernel": np.ones((1, 1, 1, 1)), "bias": np.zeros(1)}
    return one_layer("normalization", [(1, length, 1)], (1, length, 1), {}, weights)


def test_percentiles_give_up_outliers() -> None:
    x = floats(1, 1, 20000, 1)
    x[0, 0, 7] = 100
    found = quantize_network(_passing(20000), x, Scheme(clipping="percentile")).grids["input_layer1"]
    assert 3 < found.high < 6
    assert quantize_network(_passing(20000), x).grids["input_layer1"].high == pytest.approx(100, abs=0.5)


def test_the_least_squared_error_is_no_more_than_that_of_the_whole_range() -> None:
    x = floats(1, 1, 20000, 1) ** 3

    def error(clipping: Clipping) -> float:
        quantized = quantize_network(_passing(20000), x, Scheme(clipping=clipping))
        return float(np.square(run_quantized(quantized, x)[0] - x).mean())

    assert error("mse") < error("minmax")


def test_the_report_names_range_noise_and_clipped_share() -> None:
    network = network_of(CLEAN)
    quantized = quantize_network(network, 0.25 * speech_of(1))
    figures = {each.layer: each for each in quantization_figures(quantized, speech_of(1))}
    first, last = figures["input_layer1"], figures["deconv1"]
    assert (first.bits, first.type) == (8, "input_layer")
    # four times louder than what it was calibrated on
    assert 0 < first.clipped < 1
    assert first.high == pytest.approx(0.25 * float(speech_of(1).max()), rel=0.02)
    assert last.snr < first.snr
    quiet = {each.layer: each for each in quantization_figures(quantized, 0.25 * speech_of(1))}
    assert quiet["input_layer1"].clipped == 0
    assert quiet["deconv1"].snr > last.snr


def test_the_curve_of_bits_begins_at_8_and_ends_at_16() -> None:
    network = network_of(CLEAN)
    quantized = quantize_network(network, speech_of())
    points = choose_16_bit_layers(quantized, speech_of(1), lambda found, exact: si_sdr(found[0], exact[0]), points=6)
    assert points[0].sixteen == frozenset()
    assert points[0].mean_bits == 8
    assert points[-1].mean_bits == 16
    assert [p.mean_bits for p in points] == sorted(p.mean_bits for p in points)
    assert points[-1].score > points[0].score + 30
    for before, after in pairwise(points):
        assert after.sixteen == before.sixteen | set(after.added)


def test_gains_that_are_known_are_not_measured_again_and_new_ones_are_handed_out() -> None:
    quantized = quantize_network(network_of(CLEAN), speech_of())

    def score(found: tuple[np.ndarray, ...], exact: tuple[np.ndarray, ...]) -> float:
        return si_sdr(found[0], exact[0])

    found: dict[str, float] = {}
    said: list[str] = []
    whole = choose_16_bit_layers(quantized, speech_of(1), score, points=6, gains=found, say=said.append)
    assert said[-1] == f"{len(found)} of {len(found)} layers at 16 bits"
    half = dict(list(found.items())[: len(found) // 2])
    assert choose_16_bit_layers(quantized, speech_of(1), score, points=6, gains=half) == whole
    assert half == found
    # The order of the layers is that of the gains that were given: nothing was measured behind their back.
    upside_down = {layer: -gain for layer, gain in found.items()}
    turned = choose_16_bit_layers(quantized, speech_of(1), score, points=len(found) + 1, gains=upside_down)
    assert turned[1].added == (min(found, key=lambda layer: found[layer]),)


# --- ONNX Runtime's own


class _Reader:
    def __init__(self, signals: np.ndarray) -> None:
        self.rest: Iterator[np.ndarray] = iter(signals)

    def get_next(self) -> dict[str, np.ndarray] | None:
        signal = next(self.rest, None)
        return None if signal is None else {"mix": signal.reshape(1, 1, 1, -1)}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("variant", "length", "size"),
    [
        pytest.param(CLEAN, LENGTH, SIZE, id="grouped"),
        pytest.param(Variant(expansion="project", decoder="polyphase"), LENGTH, SIZE, id="polyphase"),
        pytest.param(CLEAN, LENGTH, Size(X=6, R=1), id="N512 B128 H512, 6 blocks"),
    ],
)
def test_onnx_runtimes_static_quantization_is_as_far_off(
    tmp_path: Path, variant: Variant, length: int, size: Size
) -> None:
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    network, calibration, mix = network_of(variant, length, size), speech_of(3, 0, length), speech_of(1, MIX, length)
    onnx.save(model_of(variant, length, size), str(tmp_path / "float.onnx"))
    quantize_static(
        str(tmp_path / "float.onnx"),
        str(tmp_path / "qdq.onnx"),
        _Reader(calibration),  # type: ignore[arg-type]  # all it asks of a CalibrationDataReader
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
    model = onnx.load(str(tmp_path / "qdq.onnx"))
    names = _quantized_values(model)
    known = {value.name for value in model.graph.output}
    model.graph.output.extend(
        onnx.helper.make_empty_tensor_value_info(name) for name in names.values() if name not in known
    )
    outputs = [value.name for value in model.graph.output]
    running = session(model)
    values = dict(zip(outputs, running.run(None, {"mix": mix.reshape(1, 1, 1, -1)}), strict=True))

    quantized = quantize_network(network, calibration, Scheme())
    exact = results(network, mix, deconv="onnx")
    ours = run_quantized(quantized, mix, deconv="onnx")[0]
    last = network.output_layers[0]
    theirs = values[outputs[0]].transpose(0, 2, 3, 1)
    assert si_sdr(theirs, exact[last]) == pytest.approx(si_sdr(ours, exact[last]), abs=3)

    found = {each.layer: each.snr for each in quantization_figures(quantized, mix)}
    compared = 0
    for layer in network:
        name = names.get(layer.original_names[-1] if layer.original_names else "")
        if layer.type not in {"conv", "dw", "ew_add"} or name is None:
            continue
        value = values[name].transpose(0, 2, 3, 1)
        noise = 10 * np.log10(np.square(exact[layer.name]).sum() / np.square(value - exact[layer.name]).sum())
        assert found[layer.name] == pytest.approx(noise, abs=4), layer.name
        compared += 1
    assert compared > 15


def _quantized_values(model: onnx.ModelProto) -> dict[str, str]:
    """Node -> the dequantized value of its output, for the nodes whose output is quantized."""
    reads = {node.input[0]: node for node in model.graph.node if node.op_type == "QuantizeLinear"}
    after = {node.input[0]: node for node in model.graph.node if node.op_type == "DequantizeLinear"}
    found = {}
    for node in model.graph.node:
        quantizer = reads.get(node.output[0])
        if quantizer is not None and quantizer.output[0] in after:
            found[node.name] = after[quantizer.output[0]].output[0]
    return found


# --- bad input


def test_one_signal_is_a_calibration_set_and_says_so() -> None:
    assert calibrated_ranges(network_of(CLEAN), speech_of(1)).count == 1


def test_silence_quantizes_to_silence() -> None:
    network = network_of(Variant(mask="bypass"))
    silence = np.zeros((1, 1, LENGTH, 1), np.float32)
    quantized = quantize_network(network, silence)
    assert not run_quantized(quantized, silence)[0].any()
    # everything but silence is clipped away, and the report says it
    assert quantization_figures(quantized, speech_of(1))[0].clipped < 1
    assert not negative_slope_failures(quantized)


@pytest.mark.parametrize(
    ("signals", "says"),
    [
        (np.zeros((0, 1, LENGTH, 1), np.float32), "one signal at least"),
        (np.zeros((LENGTH, 1), np.float32), r"calibration set of shape \[8000, 1\]"),
        (
            np.zeros((1, 1, 1, 1), np.float32),
            r"an array \[1, 1, 1, 1\]; \[batch, 1, 8000",
        ),
        # the same second of speech at 16 kHz
        (np.zeros((2, 1, 2 * LENGTH, 1), np.float32), r"signal 0: input input_layer1: an array \[1, 1, 16000, 1\]"),
        (np.full((1, 1, LENGTH, 1), np.inf, np.float32), "signal 0: .*NaN or infinite"),
    ],
)
def test_calibration_sets_that_cannot_be_used(signals: np.ndarray, says: str) -> None:
    with pytest.raises(QuantizeError, match=says):
        quantize_network(network_of(CLEAN), signals)


def test_schemes_that_cannot_be_meant() -> None:
    with pytest.raises(QuantizeError, match="layer conv99 isn't in the network"):
        quantize_network(network_of(CLEAN), speech_of(1), Scheme(sixteen=frozenset({"conv99"})))
    with pytest.raises(QuantizeError, match="layer conv1: at 16 bits and in float"):
        Scheme(sixteen=frozenset({"conv1"}), floating=frozenset({"conv1"}))
    with pytest.raises(QuantizeError, match="clipping entropy: one of"):
        Scheme(clipping="entropy")  # type: ignore[arg-type]
