"""NOT HailoRT: the ways in which importing it fails."""

import os

from .errors import MissingPyHRTLib

_FAILURES = {
    "import": ImportError("No module named '_pyhailort'"),
    "numpy": ImportError("numpy.core.multiarray failed to import: A module compiled using NumPy 1.x cannot be run"),
    "library": MissingPyHRTLib("libhailort.so.4.23.0: cannot open shared object file"),
    "mismatch": ImportError("libhailort version 4.21.0 does not match the pyhailort version 4.23.0"),
}


def fail_as_asked():
    """Raises what the environment variable HAILO_PLATFORM_DOUBLE asks for, if it does."""
    if asked := os.environ.get("HAILO_PLATFORM_DOUBLE"):
        raise _FAILURES[asked]
