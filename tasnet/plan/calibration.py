"""What each segment is given for recordings: the data that the compiler's `optimize` calibrates it with."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tasnet.common import sha256, unfinished
from tasnet.hailo.files import har
from tasnet.plan.cuts import Plan, PlanFile, Segment
from tasnet.plan.executors import OnnxRuntime, input_layers, read_verified_file
from tasnet.plan.function import PlanError, TrainedFunction
from tasnet.plan.run import separate

Array = Any


class _Recorder:
    """Runs the segments and keeps their inputs, but for those of the runs that only fetch scalars.

    Of a stream's many invocations every `step`-th.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self.execute = OnnxRuntime(folder, keep=step > 1)
        self.step, self.seen = step, Counter[str]()
        self.kept: dict[str, list[Mapping[str, Array]]] = {}

    def __call__(self, segment: Segment, inputs: Mapping[str, Array], wanted: Collection[str]) -> dict[str, Array]:
        self.seen[segment.name] += 1
        if {"mean1", "square1"} != set(wanted) and self.seen[segment.name] % self.step == 0:
            self.kept.setdefault(segment.name, []).append({role: each.copy() for role, each in inputs.items()})
        return self.execute(segment, inputs, wanted)


def write_calibration(plan: Plan, trained: TrainedFunction, waves: Sequence[Array], place: Path) -> tuple[Segment, ...]:
    """The segments with their calibration written to `place`, where their graphs are.

    An npz for each: `<segment>/<input layer>` -> [N, height, width, channels] float32, as `optimize` takes it.
    """
    recorder = _Recorder(place, _step(plan, waves))
    weights = {name: tensor.numpy() for name, tensor in trained.weights.items()}
    for wave in waves:
        separate(plan, weights, recorder, wave)
    found = []
    for each in plan.segments:
        if each.har is None:
            found.append(each)
            continue
        if each.name not in recorder.kept:
            raise PlanError("the recordings are shorter than a window of the plan; give longer ones")
        content = _npz(each, recorder.kept.pop(each.name), place)
        name = f"{each.name}.calibration.npz"
        unfinished.write(place / name, content)
        found.append(each.model_copy(update={"calibration": PlanFile(name=name, sha256=sha256(content))}))
    return tuple(found)


STREAMED = 64
"""blocks of a stream that are kept, about"""


def _step(plan: Plan, waves: Sequence[Array]) -> int:
    """Of how many invocations one is kept: of a clip's all, for they are different parts of it."""
    if plan.block is None:
        return 1
    return max(1, sum(len(wave) for wave in waves) // plan.length // STREAMED)


def segment_inputs(each: Segment, folder: Path) -> dict[str, Array]:
    """What a segment is given for the recordings: `in_<role>` -> [N, height, width, channels] float32.

    Raises PlanError for a plan without recordings.
    """
    if each.calibration is None or each.har is None:
        raise PlanError(f"{folder}: made without recordings, which 8 bits need; make the plan again with --calibration")
    layer_of_input = input_layers(har.read(folder / each.har.name, weights=False))
    with np.load(io.BytesIO(read_verified_file(folder, each.calibration)), allow_pickle=False) as arrays:
        return {graph_input: arrays[f"{each.name}/{layer}"] for graph_input, layer in layer_of_input.items()}


def _npz(each: Segment, inputs: Sequence[Mapping[str, Array]], place: Path) -> bytes:
    assert each.har is not None
    network = har.read(place / each.har.name, weights=False)
    layer_of_input = input_layers(network)
    arrays = {
        f"{each.name}/{layer_of_input[f'in_{port.role}']}": np.concatenate([given[port.role] for given in inputs])
        for port in each.inputs
    }
    content = io.BytesIO()
    kept = {name: np.ascontiguousarray(array.transpose(0, 2, 3, 1), np.float32) for name, array in arrays.items()}
    np.savez(content, **kept)  # type: ignore[arg-type, unused-ignore]
    return content.getvalue()
