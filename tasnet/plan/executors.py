"""What runs a plan's segments on this machine: ONNX Runtime, or the native HAR by the embedded executor."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tasnet.common import sha256
from tasnet.hailo.files import Network, har
from tasnet.plan.cuts import Plan, PlanFile, Segment
from tasnet.plan.function import PlanError
from tasnet.plan.run import Execute

Array = Any


class OnnxRuntime:
    """The `.onnx` files in ONNX Runtime, float32 on the CPU: one session at a time, as one HEF is on the chip.

    With `keep` every session stays open.
    """

    def __init__(self, folder: Path, keep: bool = False) -> None:
        self.folder, self.keep = folder, keep
        self.loaded: dict[str, Any] = {}

    def __call__(self, segment: Segment, inputs: Mapping[str, Array], wanted: Collection[str]) -> dict[str, Array]:
        import onnxruntime

        if segment.name not in self.loaded:
            if not self.keep:
                self.loaded.clear()
            content = read_verified_file(self.folder, segment.onnx)
            options = onnxruntime.SessionOptions()
            # Between two runs the host has work of its own: threads that wait busily would take its time.
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
            made = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
            self.loaded[segment.name] = made
        names = [f"out_{role}" for role in wanted]
        gave = self.loaded[segment.name].run(names, {f"in_{role}": each for role, each in inputs.items()})
        return dict(zip(wanted, gave, strict=True))


class NativeHar:
    """The `.har` files in float32 by the embedded executor: one at a time, or with `keep` all."""

    def __init__(self, folder: Path, keep: bool = False) -> None:
        self.folder, self.keep = folder, keep
        self.loaded: dict[str, Network] = {}

    def __call__(self, segment: Segment, inputs: Mapping[str, Array], wanted: Collection[str]) -> dict[str, Array]:
        from tasnet.hailo.execute import run_network

        if segment.name not in self.loaded:
            if not self.keep:
                self.loaded.clear()
            read_verified_file(self.folder, segment.har)
            assert segment.har is not None
            self.loaded[segment.name] = har.read(self.folder / segment.har.name)
        network = self.loaded[segment.name]
        return run_har(network, segment, inputs, lambda given: run_network(network, given))


def run_har(
    network: Network,
    segment: Segment,
    inputs: Mapping[str, Array],
    run: Callable[[dict[str, Array]], tuple[Array, ...]],
) -> dict[str, Array]:
    """A segment's inputs by role through its HN: `run` is given them by input layer, [1, H, W, C]."""
    layer_of_input = input_layers(network)
    made = run({layer_of_input[f"in_{role}"]: each.transpose(0, 2, 3, 1) for role, each in inputs.items()})
    roles = [port.role for port in segment.outputs]
    return {role: each.transpose(0, 3, 1, 2) for role, each in zip(roles, made, strict=True)}


def input_layers(network: Network) -> dict[str, str]:
    """The ONNX graph's inputs -> the layers that they became."""
    return {layer.original_names[0]: layer.name for layer in network if layer.type == "input_layer"}


EXECUTORS: dict[str, Callable[..., Execute]] = {"onnx": OnnxRuntime, "har": NativeHar}
"""by their names on the command line"""


def read_host_weights(plan: Plan, folder: Path) -> dict[str, Array]:
    """The weights of the host's steps. Raises PlanError for another file than the plan's."""

    with np.load(io.BytesIO(read_verified_file(folder, plan.host_weights)), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def read_verified_file(folder: Path, file: PlanFile | None) -> bytes:
    """The bytes of one of the plan's files. Raises PlanError where it is gone, or another."""
    if file is None:
        raise PlanError(f"{folder}: a plan without files; write it with tasnet plan make -o {folder}")
    path = folder / file.name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PlanError(f"{path}: {error.strerror}; copy the plan's whole folder, or make it again") from None
    if sha256(content) != file.sha256:
        raise PlanError(f"{path}: not the file that the plan was made with; copy it again, or make the plan again")
    return content
