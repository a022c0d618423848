"""What 8 bits cost a network that separates, in dB SI-SDRi: by what is on the chip, by calibration, by method.

Everything is simulated, so it is predicted. A row's loss is against the same network in float, mixture by mixture, and
its error the standard error of that mean: two rows nearer than that are not told apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from tasnet.common import unfinished
from tasnet.hailo.execute import run_network
from tasnet.hailo.files import Network
from tasnet.hailo.quantize import Scheme, quantize_network, run_quantized
from tasnet.hailo.translate import translate
from tasnet.network import (
    Checkpoint,
    Variant,
    build_network,
    load_checkpoint,
    module_to_onnx,
    to_host_input,
    to_onnx,
    to_waveform,
)
from tasnet.plan import Bounds, function_of_checkpoint, make_plan, read_profile, simulate, write_plan
from tasnet.suite.numerics.kept_figures import weights_label
from tasnet.suite.numerics.separation import calibration_mixtures, improvements, judged_mixtures
from tasnet.suite.numerics.speech import RATE, Mixture
from tasnet.suite.numerics.waves import Signal, each_window, frames_waveform, host_frames
from tasnet.suite.run import Recipe

FLOAT = "float"
WHERE, CALIBRATION, METHOD = "on the chip", "calibrated on", "method"
GROUPS = (WHERE, CALIBRATION, METHOD)
"""of rows: what is on the chip; then, for the whole network there, what set its ranges, and how"""


@dataclass(frozen=True)
class EightBitCost:
    """SI-SDRi in dB, the mean over the mixtures, and how much less than in float it is."""

    group: str
    what: str
    si_sdri: float
    lost: float
    error: float


@dataclass(frozen=True)
class EightBitCosts:
    """All rows, float first. `weights` names the network, `hefs` counts the plan's."""

    weights: str
    rows: tuple[EightBitCost, ...]
    judged: int
    calibrated: int
    hefs: int

    def of(self, group: str) -> tuple[EightBitCost, ...]:
        """The rows of a group, in their order."""
        return tuple(each for each in self.rows if each.group == group)


METHODS: Mapping[str, Scheme] = {
    "ranges without the last 0.01 %": Scheme(clipping="percentile"),
    "ranges of least squared error": Scheme(clipping="mse"),
}
"""what is compared with plain a8_w8, all of it for the whole network on the chip"""


def can_be_judged(recipe: Recipe) -> bool:
    """Whether the weights are of a trained network of two voices at the rate of the package's."""
    if recipe.checkpoint is None:
        return False
    trained = _read(recipe)
    return trained.size.n_src == 2 and trained.sample_rate in (None, RATE)


def eight_bit_costs(
    recipe: Recipe, judged: Sequence[Mixture] = (), say: Callable[[str], None] = lambda _: None
) -> EightBitCosts:
    """Every row for the checkpoint of `recipe`, in its own form, on `judged` (default: `judged_mixtures`).

    Raises CheckpointError, PlanError.
    """
    trained = _read(recipe)
    judged = judged or judged_mixtures()
    mixes = np.stack([each.mix for each in judged])
    voices = np.stack([each.mix for each in calibration_mixtures(mixes.shape[1])])
    whole = _Whole(trained, mixes.shape[1])
    exact = np.array(improvements(whole.exact(mixes), judged))
    rows = [EightBitCost(WHERE, FLOAT, float(exact.mean()), 0.0, 0.0)]
    with unfinished.folder(prefix="tasnet-plan") as place:
        folder = Path(place) / "plan"
        hefs = _write_plan(trained, voices, folder)
        for group, what, run in _ways(whole, voices, folder):
            say(f"8 bits, {group}: {what}")
            found = np.array(improvements(run(mixes), judged))
            lost = exact - found
            error = float(lost.std() / len(lost) ** 0.5)
            rows.append(EightBitCost(group, what, float(found.mean()), float(lost.mean()), error))
    return EightBitCosts(weights_label(recipe), tuple(rows), len(mixes), len(voices), hefs)


def _read(recipe: Recipe) -> Checkpoint:
    assert recipe.checkpoint is not None
    return load_checkpoint(
        recipe.checkpoint, mask_activation=recipe.mask_activation, blocks_per_repeat=recipe.blocks_per_repeat
    )


Run = Callable[[Signal], Signal]
"""mixes [B, T] -> estimates [B, n, T']"""


def _ways(whole: _Whole, voices: Signal, plan: Path) -> Iterator[tuple[str, str, Run]]:
    yield WHERE, "a8_w8, the whole network", whole.quantized(voices)
    yield WHERE, "input and outputs at 16 bits", whole.quantized(voices, Scheme(sixteen=_crossing(whole.network)))
    masker = _OnlyMasker(whole)
    yield WHERE, "encoder, mask product, decoder on the host", masker.quantized(voices)
    yield (
        WHERE,
        "the same, 16 bits at the cuts",
        masker.quantized(voices, Scheme(sixteen=_crossing(masker.network))),
    )
    yield WHERE, "planned", lambda mixes: simulate(plan, list(mixes))
    yield WHERE, "planned, 16 bits at the cuts", lambda mixes: simulate(plan, list(mixes), 16)
    draw = np.random.default_rng(0)
    level = float(np.sqrt(np.mean(voices**2)))
    yield CALIBRATION, "voices", whole.quantized(voices)
    yield CALIBRATION, "one mixture of voices", whole.quantized(voices[:1])
    noise = (level * draw.standard_normal(voices.shape)).astype(np.float32)
    yield CALIBRATION, "noise as loud as the voices", whole.quantized(noise)
    yield CALIBRATION, "silence", whole.quantized(np.zeros_like(voices))
    for name, scheme in METHODS.items():
        yield METHOD, name, whole.quantized(voices, scheme)


def _crossing(network: Network) -> frozenset[str]:
    """The layers whose results cross between chip and host."""
    return frozenset(layer.name for layer in network if layer.type == "input_layer") | set(network.output_layers)


class _Whole:
    """The network as one graph, a mask head and a decoder for each source."""

    def __init__(self, trained: Checkpoint, length: int) -> None:
        self.trained, self.size, self.length = trained, trained.size, length
        self.variant = Variant("split", decoder="polyphase", activation="prelu", norm=trained.norm)
        model = to_onnx(self.variant, self.size, trained.weights, length, mask_activation=trained.mask_activation)
        self.network = translate(model, "conv_tasnet")

    def exact(self, mixes: Signal) -> Signal:
        """In float."""
        return each_window(lambda one: self._waves(run_network(self.network, self._frames(one))), mixes)

    def quantized(self, calibration: Signal, scheme: Scheme | None = None) -> Run:
        """In 8 bits."""
        made = quantize_network(self.network, self._frames(calibration), scheme)
        return lambda mixes: each_window(
            lambda one: self._waves(run_quantized(made, self._frames(one), deconv="onnx")), mixes
        )

    def _frames(self, mixes: Signal) -> Signal:
        return host_frames(self.variant, self.size, mixes)

    def _waves(self, outputs: tuple[Signal, ...]) -> Signal:
        return frames_waveform(self.variant, self.size, outputs)


class _Masks(nn.Module):
    """The masker with a tuple for its list: what the exporter traces."""

    def __init__(self, masker: nn.Module) -> None:
        super().__init__()
        self.masker = masker

    def forward(self, encoded: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(self.masker(encoded))


class _OnlyMasker:
    """The masks alone on the chip: the host encodes, multiplies and decodes in float."""

    def __init__(self, whole: _Whole) -> None:
        self.whole, trained = whole, whole.trained
        self.host = build_network(whole.variant, whole.size, trained.weights, mask_activation=trained.mask_activation)
        frames = whole.size.frames(whole.length)
        shape = (1, whole.size.N, 1, frames)
        outputs = {f"mask{source + 1}": shape for source in range(whole.size.n_src)}
        assert isinstance(self.host.masker, nn.Module)
        model = module_to_onnx(_Masks(self.host.masker).eval(), {"encoded": shape}, {"encoded": shape}, outputs)
        self.network = translate(model, "masker")

    def _encoded(self, mixes: Signal) -> torch.Tensor:
        given = to_host_input(self.whole.variant, self.whole.size, torch.from_numpy(np.ascontiguousarray(mixes)))
        with torch.no_grad():
            encoded: torch.Tensor = self.host.encoder(given)
        return encoded

    def quantized(self, calibration: Signal, scheme: Scheme | None = None) -> Run:
        made = quantize_network(self.network, _nhwc(self._encoded(calibration)), scheme)

        def run(one: Signal) -> Signal:
            encoded = self._encoded(one)
            masks = [
                torch.from_numpy(np.ascontiguousarray(each.transpose(0, 3, 1, 2)))
                for each in run_quantized(made, _nhwc(encoded), deconv="onnx")
            ]
            with torch.no_grad():
                outputs = [each.numpy() for each in self.host.estimates(encoded, masks)]
            return np.asarray(to_waveform(self.whole.variant, self.whole.size, outputs))

        return lambda mixes: each_window(run, mixes)


def _nhwc(planes: torch.Tensor) -> Signal:
    return np.ascontiguousarray(planes.permute(0, 2, 3, 1).numpy())


def _write_plan(trained: Checkpoint, voices: Signal, folder: Path) -> int:
    """Writes the plan with its recordings; the number of its HEFs."""
    function = function_of_checkpoint(trained)
    made = make_plan(function, voices.shape[1], "hailo8", Bounds(), "time", read_profile("raspberry-pi-5"))
    write_plan(made.plan, function, folder, waves=list(voices))
    return len(made.plan.on_chip)
