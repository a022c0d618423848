"""NOT HailoRT: what the double is told to do, and what it saw."""

import enum
import os
import runpy
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


class DeviceArchitectureTypes(enum.IntEnum):
    HAILO8_A0 = 0
    HAILO8 = 1
    HAILO8L = 2


def as_it_is(inputs):
    """Every output is the first input's values, repeated or cut to its size."""
    return next(iter(inputs.values()))


def terminate(error):
    """An exception that leaves a native thread ends the process, whoever waits for it."""
    sys.stderr.write(f"terminate called after throwing an instance of 'pybind11::error_already_set': {error!r}\n")
    sys.stderr.flush()
    os.abort()


@dataclass
class Script:
    """`raises` maps a call (`scan`, `Device`, `identify`, `VDevice`, …) to the exception it raises.

    `chip` gets {input: (H, W, C)} and gives one array, cut or repeated to each output's shape; `compute`, if there is
    one, gets the HEF as well and gives {output: array}. `queue` is the length of the async queue; `pause`, in seconds,
    comes before each frame's end, and `gate`, if there is one, is waited for. `terminate` is what a native thread does
    with an exception.
    """

    devices: dict[str, Any] = field(default_factory=lambda: {"0000:01:00.0": DeviceArchitectureTypes.HAILO8})
    raises: dict[str, BaseException] = field(default_factory=dict)
    chip: Callable[[dict[str, np.ndarray]], np.ndarray] = as_it_is
    compute: Callable[[Any, dict[str, np.ndarray]], dict[str, np.ndarray]] | None = None
    has_async: bool = True
    queue: int = 2
    pause: float = 0.0
    gate: Any = None
    temperature: tuple[float, float] | None = (41.5, 43.0)
    power: float | None = None
    terminate: Callable[[BaseException], None] = terminate
    calls: list[str] = field(default_factory=list)
    open: int = 0
    most_in_flight: int = 0

    def call(self, name):
        self.calls.append(name)
        if name in self.raises:
            raise self.raises[name]

    def results(self, hef, inputs):
        """What the chip gives for one frame: {output: float32 array of its shape}."""
        if self.compute is not None:
            return {name: np.asarray(each, dtype=np.float32) for name, each in self.compute(hef, inputs).items()}
        value = np.asarray(self.chip(inputs), dtype=np.float32)
        return {edge.name: np.resize(value, edge.shape) for edge in hef.outputs}


SCRIPT = Script()
"""As the Python file that HAILO_PLATFORM_SCRIPT names leaves it, where a process of its own is told what to do."""
if "HAILO_PLATFORM_SCRIPT" in os.environ:
    runpy.run_path(os.environ["HAILO_PLATFORM_SCRIPT"], {"SCRIPT": SCRIPT})


class Open:
    """Something that must be closed again, and is not used before or after."""

    def __init__(self):
        self._open = False

    def __enter__(self):
        assert not self._open, "entered twice"
        SCRIPT.open += 1
        self._open = True
        return self

    def __exit__(self, *_):
        assert self._open, "left twice"
        SCRIPT.open -= 1
        self._open = False
