"""The adapter around the double that runs the graphs it is given."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tasnet.hailo.compiler.dfc import Dfc
from tasnet.suite.cases.case import Case
from tasnet.suite.numerics.stages import calibration_signals
from tasnet.suite.numerics.waves import host_frames
from tests.doubles.dfc_python import dfc_python


def dfc_of(folder: Path, case: Case, act: str = "") -> Dfc:
    np.save(folder / "calibration.npy", host_frames(case.variant, case.size, calibration_signals(case, 2)))
    return Dfc(
        dfc_python(folder / "env", {"graph": "run", "emulation": act}),
        "3.33.0",
        double=True,
        calibration=folder / "calibration.npy",
        memory_slots=folder / "places",
    )
