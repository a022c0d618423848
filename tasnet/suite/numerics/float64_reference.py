"""One reference in float64, and what PyTorch, ONNX Runtime and the HAR, run natively, make of the same mix.

The reference is the plain form of the case's function (concat, grouped, strided, horizontal, gLN and PReLU as the
trained model has them), in PyTorch at float64: a stage is compared with what it should compute, not with its
neighbour, so a figure says whose error it is. ONNX Runtime is imported when it is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from tasnet.common import TasnetError
from tasnet.hailo.execute import run_network, visit_layers
from tasnet.hailo.files import Layer, Network
from tasnet.network import Size, Variant, Weights, output_names, seeded_weights, to_onnx
from tasnet.suite.numerics.metrics import SignalDistance, distance, snr
from tasnet.suite.numerics.waves import Signal, frames_waveform, host_frames, host_input, torch_waveform, waveform


class ParityError(TasnetError, RuntimeError):
    """The comparison can't be made. One line: what is missing, what to do."""


@dataclass(frozen=True)
class Departure:
    """The first layer of a HAR whose result isn't the ONNX node's."""

    layer: str
    node: str
    distance: SignalDistance

    def __str__(self) -> str:
        return f"layer {self.layer} departs from ONNX node {self.node}: {self.distance}"


def plain_form(variant: Variant, size: Size) -> Variant:
    """The form that stands for all exact rewrites of this variant's function."""
    exact_decoder = variant.decoder in ("ungrouped_blockdiag", "polyphase")
    return replace(
        variant,
        expansion="concat",
        encoder="strided",
        layout="horizontal",
        decoder="grouped" if exact_decoder else variant.decoder,
        norm="gln" if variant.norm == "gln_pool" else variant.norm,
        activation="prelu" if variant.activation in ("prelu_maxmin", "leaky_relu") else variant.activation,
        causal="pad" if variant.causal == "taps" else variant.causal,
    ).canonical(size)


def reference_waveform(
    variant: Variant, size: Size, weights: Weights, mix: Signal, *, mask_activation: str = "relu"
) -> Signal:
    """What `variant` should make of a mix [B, T]: the plain form in float64, [B, sources, T'] (see `waveform`)."""
    form = plain_form(variant, size)
    return torch_waveform(form, size, weights, mix, mask_activation=mask_activation, dtype=torch.float64)


def onnx_waveform(variant: Variant, size: Size, model: onnx.ModelProto | Path, mix: Signal) -> Signal:
    """What ONNX Runtime makes of a mix [1, T]."""
    inputs = {"mix": host_input(variant, size, mix)}
    return waveform(variant, size, _session(model).run(list(output_names(variant, size)), inputs))


def har_waveform(variant: Variant, size: Size, network: Network, mix: Signal) -> Signal:
    """What the HAR's graph makes of a mix [B, T], its deconvolutions as long as ONNX's."""
    return frames_waveform(variant, size, run_network(network, host_frames(variant, size, mix), deconv="onnx"))


def first_departure(
    variant: Variant, size: Size, model: onnx.ModelProto | Path, network: Network, mix: Signal, least: float
) -> Departure | None:
    """The first layer, in the HAR's order, whose SNR against its ONNX node's value is below `least` dB.

    A layer is compared when it is the last of those that carry its node's name. All of ONNX's values are held at
    once: 24 blocks at T=16000 take about a gigabyte.
    """
    made = onnx.load(str(model)) if isinstance(model, Path) else model
    values = _all_values(made, host_input(variant, size, mix))
    last = {layer.original_names[-1]: layer.name for layer in network if layer.original_names}
    nodes = {layer: node for node, layer in last.items() if node in values}
    found: list[Departure] = []

    def see(layer: Layer, x: Signal) -> None:
        node = nodes.get(layer.name)
        if found or node is None or layer.type in {"input_layer", "output_layer", "const_input"}:
            return
        expected = _nhwc(values[node], x.shape)
        if expected is None or snr(x, expected) >= least:
            return
        # two silences are equal, and have no ratio
        if np.any(expected) or np.any(x):
            found.append(Departure(layer.name, node, distance(x, expected)))

    visit_layers(network, host_frames(variant, size, mix), see, deconv="onnx")
    return found[0] if found else None


@dataclass(frozen=True)
class NormErrorGrowth:
    """The error of one form of gLN at one length, by stage, against the float64 reference."""

    norm: str
    length: int
    stage: str
    distance: SignalDistance

    @property
    def relative(self) -> float:
        """The largest error over the reference's peak."""
        return self.distance.max_abs / self.distance.peak


LENGTHS = (1600, 4000, 8000, 16000, 32000, 64000)


GLN_FORMS = ("gln", "gln_pool")
"""those that gLN is exported in"""


def error_growth(
    mix: Signal,
    *,
    size: Size | None = None,
    blocks: int = 0,
    norms: Sequence[str] = GLN_FORMS,
    lengths: Sequence[int] = LENGTHS,
    seed: int = 0,
) -> tuple[NormErrorGrowth, ...]:
    """How the error of each form of gLN grows with the length of `mix` [T], cut to each of `lengths`.

    Drawn weights, PReLU, `blocks` TCN blocks (0: all). About two minutes for the whole network on two cores.
    Raises ParityError for a mix shorter than the longest length.
    """
    from tasnet.hailo.translate import translate

    size = size or Size()
    if mix.shape[-1] < max(lengths):
        raise ParityError(f"a mix of {mix.shape[-1]} samples: {max(lengths)} are needed; give a longer one")
    weights, rows = seeded_weights(size, seed), []
    for length in lengths:
        cut = mix.reshape(1, -1)[:, :length]
        expected: Signal | None = None
        for norm in norms:
            variant = Variant(activation="prelu", norm=norm, blocks=blocks)
            expected = reference_waveform(variant, size, weights, cut) if expected is None else expected
            model = to_onnx(variant, size, weights, length)
            waves = {
                "torch": torch_waveform(variant, size, weights, cut),
                "onnx": onnx_waveform(variant, size, model, cut),
                "har": har_waveform(variant, size, translate(model, "conv_tasnet"), cut),
            }
            rows += [NormErrorGrowth(norm, length, stage, distance(wave, expected)) for stage, wave in waves.items()]
    return tuple(rows)


def _session(model: onnx.ModelProto | Path) -> Any:
    """With as many threads as torch may take here: beside other workers its own would wait, busily, for a core."""
    try:
        import onnxruntime
    except ImportError:
        raise ParityError("onnxruntime isn't installed; pip install onnxruntime") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    given = str(model) if isinstance(model, Path) else model.SerializeToString()
    return onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])


def _all_values(model: onnx.ModelProto, host: Signal) -> dict[str, Signal]:
    """Node name -> its first output on `host`, NCHW."""
    opened = onnx.ModelProto()
    opened.CopyFrom(model)
    outputs = {node.name: node.output[0] for node in opened.graph.node}
    known = {value.name for value in opened.graph.output}
    opened.graph.output.extend(
        onnx.helper.make_empty_tensor_value_info(name) for name in outputs.values() if name not in known
    )
    results = _session(opened).run(list(outputs.values()), {"mix": host})
    return dict(zip(outputs, results, strict=True))


def _nhwc(value: Signal, shape: tuple[int, ...]) -> Signal | None:
    """An ONNX value as NHWC of `shape`, or None if it is no such tensor (flattened, or a shape's arithmetic)."""
    if value.ndim != 4:
        return None
    turned = value.transpose(0, 2, 3, 1)
    return turned if turned.shape == shape else None
