"""What a test's report carries from a worker to the process that reports: JSON under a user property's name."""

from __future__ import annotations

import pytest

RECORD_PROPERTY = "tasnet"
"""The user property of a test report that carries a case's record as JSON."""
MEASURE_PROPERTY = "tasnet-measure"
"""The same for a measured distance from PyTorch; a test may have several."""
PAIR_PROPERTY = "tasnet-pair"
"""The same for a prediction beside the compiler's verdict."""
RECALLED_PROPERTY = "tasnet-recalled"
"""The same for the predictions beside the evidence in the store."""
DEVICE_PROPERTY = "tasnet-device"
"""The same for a check of a compiled file on a device."""
PROPERTIES = frozenset({RECORD_PROPERTY, MEASURE_PROPERTY, PAIR_PROPERTY, RECALLED_PROPERTY, DEVICE_PROPERTY})


class ReviewDue(UserWarning):
    """An entry must be reviewed soon. pytest itself brings warnings from the workers."""


def property_of(report: pytest.TestReport, wanted: str = RECORD_PROPERTY) -> str | None:
    """What the report carries under that name, if it does."""
    return next((str(value) for name, value in report.user_properties if name == wanted), None)
