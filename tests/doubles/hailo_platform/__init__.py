"""NOT HailoRT: a scripted double of `hailo_platform` 4.x made from public facts, for tests alone.

`SCRIPT` says what it does: which devices there are, what a call raises, and what the "chip" computes. An import that
fails is asked for by the environment variable HAILO_PLATFORM_DOUBLE: `import`, `numpy`, `library` or `mismatch`.
It reads the shapes of a HEF with this project's reader: it knows nothing that the real library knows.

    script.py       what it is told to do
    absent.py       an import that fails
    errors.py       the exceptions, and which calls let the native one through
    control.py      Device: scan, identify, sensors
    classic.py      HEF, VStreams
    infer_model.py  the async API: names, keywords, types, states and the queue as documented for 4.18 to 4.23
"""

from . import _pyhailort
from .absent import fail_as_asked
from .classic import HEF, ConfigureParams, HailoStreamInterface, InferVStreams, InputVStreamParams, OutputVStreamParams
from .control import Device
from .errors import (
    HailoRTException,
    HailoRTHEFNotCompatibleWithDevice,
    HailoRTInvalidHEFException,
    HailoRTInvalidOperationException,
    HailoRTStreamAborted,
    HailoRTTimeout,
    HailoStatusInvalidValueException,
    MissingPyHRTLib,
)
from .infer_model import FormatType, VDevice
from .script import SCRIPT, DeviceArchitectureTypes, Script

fail_as_asked()

IS_A_TEST_DOUBLE = True
__version__ = "4.23.0"


def status(code, name):
    """A status exception as the native module words it."""
    return _pyhailort.HailoRTStatusException(f"libhailort failed with error: {code} ({name})")


__all__ = [
    "HEF",
    "IS_A_TEST_DOUBLE",
    "SCRIPT",
    "ConfigureParams",
    "Device",
    "DeviceArchitectureTypes",
    "FormatType",
    "HailoRTException",
    "HailoRTHEFNotCompatibleWithDevice",
    "HailoRTInvalidHEFException",
    "HailoRTInvalidOperationException",
    "HailoRTStreamAborted",
    "HailoRTTimeout",
    "HailoStatusInvalidValueException",
    "HailoStreamInterface",
    "InferVStreams",
    "InputVStreamParams",
    "MissingPyHRTLib",
    "OutputVStreamParams",
    "Script",
    "VDevice",
    "status",
]
