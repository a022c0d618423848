"""`tasnet emulate` as a person sees it: a line for each compiled file, with what was written, or why nothing was."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tasnet.common import print_line
from tasnet.suite.numerics import EmulationError, host_frames, mixtures
from tasnet.suite.observed import DeviceError, emulate_bit_exact, hefs_by_case, write_emulation
from tasnet.suite.run import CaseCalibration, Pipeline, Recipe, ToolchainOptions, open_compiler, open_store


def shown(folder: Path, choice: ToolchainOptions, root: Path, recipe: Recipe, windows: int) -> bool:
    """Writes the emulations and prints; whether every file got one. Raises the package's own errors."""
    found = hefs_by_case(folder, choice.arch)
    if not found:
        raise DeviceError(f"{folder}: no .hef in it; name a run's hef folder")
    dfc = open_compiler(choice)
    fit = CaseCalibration(choice.calibration, root) if choice.calibration else None
    pipeline = Pipeline(open_store(root), dfc, recipe, fit=fit)
    for line in pipeline.assumed:
        print_line(f"note: {line}", error=True)
    all_of_them = True
    for case, hef in found:
        waves = np.stack([each.mix for each in mixtures(windows, case.length)])
        try:
            file = write_emulation(
                emulate_bit_exact(pipeline, case, hef, host_frames(case.variant, case.size, waves)), hef
            )
            said = ", a test double: no chip is held against it" if dfc.double else ""
            print_line(f"{file}: {windows} windows by {dfc.name} {dfc.version}{said}")
        except EmulationError as error:
            all_of_them = False
            print_line(f"{hef.name}: left out: {error}")
    return all_of_them
