"""How long a chip takes for one frame of a HEF when it is loaded already, and when another one was: the switch.

All HEFs are configured on one VDevice, whose own scheduler switches between them, as documented for the async API.
Latencies are the host's: quantizing, the way there and back, and dequantizing are in them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tasnet.hailo.chip.detection import Detection
from tasnet.hailo.chip.failure import RuntimeFailure
from tasnet.hailo.chip.runtime import TIMEOUT_MS, Array, async_session, checked_frames, checked_hef, open_virtual_device
from tasnet.hailo.files import Hef


@dataclass(frozen=True)
class FrameTimes:
    """Seconds of each frame of one HEF: `loaded` right after another of its own, `switched` right after another HEF's.

    `switched` is empty where there was only one HEF.
    """

    loaded: tuple[float, ...]
    switched: tuple[float, ...]


def time_switches(paths: Sequence[Path], detection: Detection, repeats: int) -> tuple[FrameTimes, ...]:
    """`repeats` frames of zeros of each HEF after its own, and as many after each of the others, one at a time.

    Raises RuntimeFailure, HefError.
    """
    # What the device may still write to until it is closed.
    buffers: dict[int, object] = {}
    with ExitStack() as stack:
        found = [checked_hef(path, detection) for path in paths]
        device = stack.enter_context(open_virtual_device(detection, found[0][1]))
        if not hasattr(device, "create_infer_model"):
            raise RuntimeFailure("HailoRT has no async API here, which switches by itself; use HailoRT 4.18 or later")
        starts = []
        for path, (hef, _) in zip(paths, found, strict=True):
            made = async_session(detection.module, device, os.fspath(path), hef, TIMEOUT_MS, buffers)
            starts.append(stack.enter_context(made).start)
        frames = [_zeros(hef) for hef, _ in found]

        def run(index: int) -> float:
            begun = time.perf_counter()
            starts[index](frames[index])()
            return time.perf_counter() - begun

        loaded = []
        for index in range(len(paths)):
            run(index)
            loaded.append(tuple(run(index) for _ in range(repeats)))
        # Turn about: each comes after another.
        turns = [[run(index) for index in range(len(paths))] for _ in range(repeats)] if len(paths) > 1 else []
        switched = list(zip(*turns, strict=True)) or [()] * len(paths)
        return tuple(FrameTimes(own, others) for own, others in zip(loaded, switched, strict=True))


def _zeros(hef: Hef) -> Mapping[str, Array]:
    data = checked_frames(hef, {edge.name: np.zeros((1, *edge.shape), np.float32) for edge in hef.inputs})
    return {name: array[0] for name, array in data.items()}
