"""NOT HailoRT: the exceptions of the double's Python layer, and how it makes them of the native one."""

from contextlib import contextmanager

from ._pyhailort import HailoRTStatusException

NAMES = {
    2: "HAILO_INVALID_ARGUMENT",
    4: "HAILO_TIMEOUT",
    6: "HAILO_INVALID_OPERATION",
    26: "HAILO_INVALID_HEF",
    56: "HAILO_FW_CONTROL_FAILURE",
    61: "HAILO_NOT_FOUND",
    62: "HAILO_STREAM_ABORT",
    64: "HAILO_DRIVER_NOT_INSTALLED",
    73: "HAILO_DEVICE_IN_USE",
    74: "HAILO_OUT_OF_PHYSICAL_DEVICES",
    76: "HAILO_INVALID_DRIVER_VERSION",
    82: "HAILO_QUEUE_IS_FULL",
    91: "HAILO_HEF_FILE_CORRUPTED",
    92: "HAILO_HEF_NOT_SUPPORTED",
    93: "HAILO_HEF_NOT_COMPATIBLE_WITH_DEVICE",
}


class MissingPyHRTLib(Exception):
    pass


class HailoRTException(Exception):
    pass


class HailoRTTimeout(HailoRTException):
    pass


class HailoRTInvalidHEFException(HailoRTException):
    pass


class HailoRTInvalidOperationException(HailoRTException):
    pass


class HailoRTHEFNotCompatibleWithDevice(HailoRTException):
    pass


class HailoRTStreamAborted(HailoRTException):
    pass


class HailoStatusInvalidValueException(Exception):
    """As in 4.x: without a base class of HailoRT's."""


_OWN = {
    4: HailoRTTimeout,
    6: HailoRTInvalidOperationException,
    26: HailoRTInvalidHEFException,
    62: HailoRTStreamAborted,
    93: HailoRTHEFNotCompatibleWithDevice,
}


def of_status(code):
    """The exception that the Python layer makes of a status."""
    if code not in NAMES:
        return HailoStatusInvalidValueException(f"Value {code} is not a valid status")
    return _OWN.get(code, HailoRTException)(f"libhailort failed with error: {code} ({NAMES[code]})")


@contextmanager
def wrapped():
    """What most calls of the layer do: the native exception becomes one of the layer's."""
    try:
        yield
    except HailoRTStatusException as error:
        if not str(error).isdecimal():
            raise
        raise of_status(int(str(error))) from error


def refuse(code):
    """As the native module ends a call."""
    raise HailoRTStatusException(str(code))
