"""What the plan's tests run segments with, and what they hold the result against."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from tasnet.network import Size, Variant, seeded_weights
from tasnet.network.convtasnet import build_network as whole
from tasnet.network.host_side import to_host_input, to_waveform
from tasnet.network.weights import SeededWeights
from tasnet.plan.candidates import Bounds
from tasnet.plan.cuts import Plan, Segment, cut_from_segment
from tasnet.plan.function import TrainedFunction
from tasnet.plan.hardware import read_profile
from tasnet.plan.make import Made, make_plan, make_stream_plan
from tasnet.plan.segment_network import build_segment

HARDWARE = read_profile("raspberry-pi-5")


class Modules:
    """The segments' PyTorch networks in float64: what is wrong then is wrong, and not rounding."""

    def __init__(self, plan: Plan, trained: TrainedFunction) -> None:
        self.plan = plan
        # Products of weights are made in the weights' own precision.
        self.trained = replace(trained, weights={name: each.double() for name, each in trained.weights.items()})
        self.networks: dict[str, torch.nn.Module] = {}
        self.shapes: list[tuple[int, ...]] = []

    def __call__(
        self, segment: Segment, inputs: Mapping[str, np.ndarray], wanted: Collection[str]
    ) -> dict[str, np.ndarray]:
        given = [torch.from_numpy(np.ascontiguousarray(inputs[port.role])) for port in segment.inputs]
        self.shapes += [tuple(each.shape) for each in given]
        if segment.name not in self.networks:
            self.networks[segment.name] = build_segment(self.trained, cut_from_segment(self.plan, segment)).double()
        made = self.networks[segment.name](*given)
        return {port.role: each.numpy() for port, each in zip(segment.outputs, made, strict=True)}


@lru_cache(maxsize=4)
def drawn(size: Size) -> SeededWeights:
    """Weights that test after test asks for: drawing them takes as long as planning."""
    return seeded_weights(size, 3)


def doubles(trained: TrainedFunction) -> dict[str, np.ndarray]:
    """The weights in float64, for the host's steps."""
    return {name: trained.weights[name].double().numpy() for name in trained.weights}


def uncut(
    variant: Variant, size: Size, weights: Mapping[str, Any], mix: np.ndarray, mask_activation: str = "relu"
) -> np.ndarray:
    """[T] -> [sources, T]: the uncut network in float64, zeros behind the last whole frame."""
    network = whole(variant, size, weights, mask_activation=mask_activation).double()
    made = to_waveform(variant, size, network(to_host_input(variant, size, torch.from_numpy(mix[None]))))[0].numpy()
    return np.pad(made, ((0, 0), (0, len(mix) - made.shape[1])))


def planned(trained: TrainedFunction, length: int, objective: str = "time", **bounds: Any) -> Plan:
    """A plan on shapes."""
    return make_plan(trained, length, "hailo8", Bounds(**bounds), objective, HARDWARE).plan


def made_of(trained: TrainedFunction, block: int | None = None, objective: str = "latency", **bounds: Any) -> Made:
    """A plan for streams, on shapes."""
    latency = bounds.pop("latency", None)
    return make_stream_plan(trained, "hailo8", Bounds(**bounds), objective, HARDWARE, block=block, latency=latency)


def apart(got: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference, of the expected peak."""
    assert got.shape == expected.shape
    return float(np.abs(got - expected).max() / np.abs(expected).max())


def noise(length: int, seed: int = 0) -> np.ndarray:
    """White noise in [-1, 1], float64."""
    return np.random.default_rng(seed).uniform(-1, 1, length)
