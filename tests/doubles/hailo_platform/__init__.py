"""NOT HailoRT: a scripted double of `hailo_platform` 4.x made from public facts, for tests alone.

`SCRIPT` says what it does: which devices there are, what a call raises, and what the "chip" computes. An import that
fails is asked for by the environment variable HAILO_PLATFORM_DOUBLE: `import`, `numpy`, `library` or `mismatch`.
It reads the shapes of a HEF with this project's reader: it knows nothing that the real library knows.
"""

import enum
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from tasnet.hailo import hef as hefs

from . import _pyhailort

IS_A_TEST_DOUBLE = True


class MissingPyHRTLib(Exception):
    pass


_IMPORT = os.environ.get("HAILO_PLATFORM_DOUBLE", "")
if _IMPORT == "import":
    raise ImportError("No module named '_pyhailort'")
if _IMPORT == "numpy":
    raise ImportError("numpy.core.multiarray failed to import: A module compiled using NumPy 1.x cannot be run")
if _IMPORT == "library":
    raise MissingPyHRTLib("libhailort.so.4.23.0: cannot open shared object file")
if _IMPORT == "mismatch":
    raise ImportError("libhailort version 4.21.0 does not match the pyhailort version 4.23.0")


class HailoRTException(Exception):
    pass


class HailoRTTimeout(HailoRTException):
    pass


class HailoRTInvalidHEFException(HailoRTException):
    pass


class HailoRTHEFNotCompatibleWithDevice(HailoRTException):
    pass


class DeviceArchitectureTypes(enum.IntEnum):
    HAILO8_A0 = 0
    HAILO8 = 1
    HAILO8L = 2


class FormatType(enum.Enum):
    AUTO = 0
    FLOAT32 = 3


class HailoStreamInterface(enum.Enum):
    PCIe = 0


def status(code, name):
    """A status exception as the native module words it."""
    return _pyhailort.HailoRTStatusException(f"libhailort failed with error: {code} ({name})")


def as_it_is(inputs):
    """Every output is the first input's values, repeated or cut to its size."""
    return next(iter(inputs.values()))


@dataclass
class Script:
    """`raises` maps a call (`scan`, `Device`, `identify`, `VDevice`, …) to the exception it raises.

    `chip` gets {input: (H, W, C)} and gives one array, cut or repeated to each output's shape.
    """

    devices: dict[str, Any] = field(default_factory=lambda: {"0000:01:00.0": DeviceArchitectureTypes.HAILO8})
    raises: dict[str, BaseException] = field(default_factory=dict)
    chip: Callable[[dict[str, np.ndarray]], np.ndarray] = as_it_is
    has_async: bool = True
    temperature: tuple[float, float] | None = (41.5, 43.0)
    power: float | None = None
    calls: list[str] = field(default_factory=list)
    open: int = 0

    def call(self, name):
        self.calls.append(name)
        if name in self.raises:
            raise self.raises[name]


SCRIPT = Script()
__version__ = "4.23.0"


class _Open:
    """Something that must be closed again."""

    def __enter__(self):
        SCRIPT.open += 1
        return self

    def __exit__(self, *_):
        SCRIPT.open -= 1


class _Control:
    def __init__(self, device_id):
        self._id = device_id

    def identify(self):
        SCRIPT.call("identify")
        # The board's name is said to be Hailo-8 on a Hailo-8L too.
        return SimpleNamespace(
            device_architecture=SCRIPT.devices[self._id],
            firmware_version=SimpleNamespace(major=4, minor=23, revision=0),
            serial_number="HLLWM2A000000",
            board_name="Hailo-8",
        )

    def get_chip_temperature(self):
        SCRIPT.call("temperature")
        if SCRIPT.temperature is None:
            raise status(56, "HAILO_FW_CONTROL_FAILURE")
        first, second = SCRIPT.temperature
        return SimpleNamespace(ts0_temperature=first, ts1_temperature=second)

    def power_measurement(self):
        SCRIPT.call("power")
        if SCRIPT.power is None:
            raise HailoRTException("libhailort failed with error: 56 (HAILO_FW_CONTROL_FAILURE)")
        return SCRIPT.power


class Device:
    def __init__(self, device_id):
        SCRIPT.call("Device")
        self.control = _Control(device_id)
        SCRIPT.open += 1

    @staticmethod
    def scan():
        SCRIPT.call("scan")
        return list(SCRIPT.devices)

    def release(self):
        SCRIPT.open -= 1


class HEF:
    def __init__(self, path):
        SCRIPT.call("HEF")
        self.read = hefs.read(path)


def _compute(hef, inputs):
    """What the chip gives for one frame: {output: array of its shape}."""
    value = np.asarray(SCRIPT.chip(inputs), dtype=np.float32)
    return {edge.name: np.resize(value, edge.shape) for edge in hef.outputs}


class VDevice(_Open):
    def __init__(self, params=None, *, device_ids=None):
        SCRIPT.call("VDevice")

    def configure(self, hef, params):
        SCRIPT.call("configure")
        return [hef.read]

    def __getattr__(self, name):
        if name == "create_infer_model" and SCRIPT.has_async:
            return InferModel
        raise AttributeError(name)


# The classic API


class ConfigureParams:
    @staticmethod
    def create_from_hef(hef, interface):
        assert interface is HailoStreamInterface.PCIe
        return {}


class _Params:
    @classmethod
    def make(cls, group, format_type=FormatType.AUTO):
        assert format_type is FormatType.FLOAT32
        edges = group.inputs if cls is InputVStreamParams else group.outputs
        return {edge.name: format_type for edge in edges}


class InputVStreamParams(_Params):
    pass


class OutputVStreamParams(_Params):
    pass


class InferVStreams(_Open):
    def __init__(self, group, inputs, outputs):
        self._hef = group

    def __enter__(self):
        SCRIPT.call("InferVStreams")
        return super().__enter__()

    def infer(self, data):
        SCRIPT.call("infer")
        count = len(next(iter(data.values())))
        each = [_compute(self._hef, {name: array[i] for name, array in data.items()}) for i in range(count)]
        return {name: np.stack([one[name] for one in each]) for name in each[0]}


# The async API


class _Stream:
    def __init__(self, edge):
        self.name, self.shape = edge.name, edge.shape
        self.format = FormatType.AUTO

    def set_format_type(self, kind):
        self.format = kind


class _Streams:
    def __init__(self, streams):
        self._streams = streams

    def __call__(self, name=None):
        if name is None:
            (only,) = self._streams
            return only
        return next(each for each in self._streams if each.name == name)


class InferModel:
    def __init__(self, path):
        SCRIPT.call("create_infer_model")
        self._hef = hefs.read(path)
        self.inputs = [_Stream(edge) for edge in self._hef.inputs]
        self.outputs = [_Stream(edge) for edge in self._hef.outputs]
        self.input, self.output = _Streams(self.inputs), _Streams(self.outputs)

    def configure(self):
        SCRIPT.call("configure")
        assert all(each.format is FormatType.FLOAT32 for each in (*self.inputs, *self.outputs))
        return ConfiguredInferModel(self._hef)


class _Buffer:
    def __init__(self, edge):
        self.name, self.shape, self.array = edge.name, edge.shape, None

    def set_buffer(self, array):
        assert array.shape == self.shape
        assert array.dtype == np.float32
        assert array.flags["C_CONTIGUOUS"]
        self.array = array


class _Bindings:
    def __init__(self, hef):
        self.inputs = [_Buffer(edge) for edge in hef.inputs]
        self.outputs = [_Buffer(edge) for edge in hef.outputs]
        self.input, self.output = _Streams(self.inputs), _Streams(self.outputs)


class _Job:
    def wait(self, timeout_ms):
        SCRIPT.call("wait")


class ConfiguredInferModel(_Open):
    def __init__(self, hef):
        self._hef = hef

    def create_bindings(self):
        return _Bindings(self._hef)

    def run_async(self, bindings, callback):
        SCRIPT.call("run_async")
        (one,) = bindings
        results = _compute(self._hef, {each.name: each.array for each in one.inputs})
        for each in one.outputs:
            each.array[...] = results[each.name]
        callback(SimpleNamespace(exception=SCRIPT.raises.get("completion")))
        return _Job()
