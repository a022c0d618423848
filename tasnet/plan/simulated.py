"""What runs a plan's segments in simulated 8 bits: each by its HAR, calibrated by what recordings gave it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tasnet.hailo.files import Network, har
from tasnet.plan.calibration import segment_inputs
from tasnet.plan.cuts import Plan, Segment, read_plan
from tasnet.plan.executors import input_layers, read_host_weights, read_verified_file, run_har
from tasnet.plan.run import separate

if TYPE_CHECKING:
    from tasnet.hailo.quantize import Quantized

Array = Any


class Simulated:
    """The `.har` files at a8_w8, nothing switched on; `cut_bits` 16 keeps what crosses a cut at 16 bits.

    At 16 bits are then the inputs, and the layers that give the outputs. A segment is quantized at its first
    invocation, and kept. All of it is predicted.
    """

    def __init__(self, folder: Path, cut_bits: int = 8) -> None:
        if cut_bits not in (8, 16):
            raise ValueError(f"{cut_bits} bits at the cuts: 8 or 16")
        self.folder, self.cut_bits = folder, cut_bits
        self.made: dict[str, Quantized] = {}

    def __call__(self, segment: Segment, inputs: Mapping[str, Array], wanted: Collection[str]) -> dict[str, Array]:
        from tasnet.hailo.quantize import run_quantized

        quantized = self.made.get(segment.name)
        if quantized is None:
            quantized = self.made[segment.name] = self._quantized(segment)
        return run_har(quantized.network, segment, inputs, lambda given: run_quantized(quantized, given))

    def _quantized(self, segment: Segment) -> Quantized:
        from tasnet.hailo.quantize import Scheme, quantize_network

        read_verified_file(self.folder, segment.har)
        assert segment.har is not None
        network = har.read(self.folder / segment.har.name)
        layer_of_input = input_layers(network)
        signals = {layer_of_input[name]: each for name, each in segment_inputs(segment, self.folder).items()}
        wide = _crossing(network) if self.cut_bits == 16 else frozenset()
        return quantize_network(network, signals, Scheme(sixteen=wide))


def simulate(folder: Path, waves: Sequence[Array], cut_bits: int = 8) -> Array:
    """What the plan in `folder` makes of waves [T], each for itself: [B, sources, T]. Raises PlanError."""
    plan = read_plan(folder)
    check_recordings(plan, folder)
    weights, run = read_host_weights(plan, folder), Simulated(folder, cut_bits)
    return np.stack([separate(plan, weights, run, wave) for wave in waves])


def check_recordings(plan: Plan, folder: Path) -> None:
    """Raises PlanError unless every segment's HAR and recordings are there, as they were written."""
    for each in plan.on_chip:
        read_verified_file(folder, each.har)
        segment_inputs(each, folder)


def _crossing(network: Network) -> frozenset[str]:
    """The layers whose results cross a cut."""
    return frozenset(layer.name for layer in network if layer.type == "input_layer") | set(network.output_layers)
