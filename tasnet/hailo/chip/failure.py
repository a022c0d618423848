"""RuntimeFailure: any exception of HailoRT as one line, with its status and what to do about it.

Codes and texts as documented for HailoRT 4.x. Its native `HailoRTStatusException` is no `HailoRTException` and
escapes several calls, and others have no base class of the library's either: its exceptions are recognised by the
module and the name of their class, not by a base class.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tasnet.common import TasnetError

TIMEOUT = 4
CODES: Mapping[int, tuple[str, str]] = {
    TIMEOUT: ("timeout", "raise the time limit, or see whether another process holds the chip"),
    26: ("invalid HEF", "compile it again, or update HailoRT: before 4.20 it reads no HEF of version 2"),
    64: ("driver not installed", "install hailort-pcie-driver (hailo-all on Raspberry Pi OS) and reboot"),
    73: ("device in use", "end the process that holds the chip; `lsof /dev/hailo0` names it"),
    74: ("out of physical devices", "end the process that holds the chip; `lsof /dev/hailo0` names it"),
    76: ("driver version", "install the driver of the library's version and reboot"),
    82: ("queue is full", "see whether another process holds the chip, and run again"),
    91: ("HEF corrupted", "copy or compile it again"),
    92: ("HEF not supported", "compile it with the Dataflow Compiler that goes with this HailoRT"),
    93: ("HEF not compatible with the device", "compile it for this device's architecture"),
}
"""Status -> its name and what to do."""

_BY_CLASS: Mapping[str, int] = {
    "HailoRTTimeout": TIMEOUT,
    "HailoRTInvalidHEFException": 26,
    "HailoRTHEFNotCompatibleWithDevice": 93,
}
_STATUS = re.compile(r"libhailort failed with error: (\d{1,9})(?: \((\w{1,80})\))?")


class RuntimeFailure(TasnetError):
    """HailoRT, or the device, failed. One line. `code` is HailoRT's status, or None."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


def is_hailort(error: BaseException) -> bool:
    """True for an exception of the library: its class is defined in its package or native module, or so named.

    `HailoStatusInvalidValueException` and `MissingPyHRTLib` have no base class of HailoRT's.
    """
    return any(
        kind.__name__.startswith(("HailoRT", "HailoStatus"))
        or kind.__name__ == "MissingPyHRTLib"
        or kind.__module__.partition(".")[0] == "hailo_platform"
        or kind.__module__.rpartition(".")[2] == "_pyhailort"
        for kind in type(error).__mro__
    )


def runtime_failure(error: BaseException, doing: str) -> RuntimeFailure:
    """The library's exception as one line: the call, the status with its name, and what to do."""
    text = " ".join(str(error).split())
    found = _STATUS.search(text)
    named = [code for kind in type(error).__mro__ if (code := _BY_CLASS.get(kind.__name__)) is not None]
    code = int(found.group(1)) if found else named[0] if named else None
    if text.isdecimal() and len(text) < 6:
        # The native exception may have the status as its only text.
        code = int(text)
    known, todo = CODES.get(code or 0, ("", "see hailort.log beside the program"))
    name = (found.group(2) if found else None) or known or type(error).__name__
    status = f"status {code}, {name}" if code is not None else name
    words = f": {text[:200]}" if text and not found and not text.isdecimal() else ""
    return RuntimeFailure(f"HailoRT: {doing} failed ({status}){words}; {todo}", code)


@contextmanager
def hailort_call(doing: str) -> Iterator[None]:
    """Around a call of the library: its exceptions become RuntimeFailure; any other is a bug and passes."""
    try:
        yield
    except Exception as error:
        if not is_hailort(error):
            raise
        raise runtime_failure(error, doing) from error
