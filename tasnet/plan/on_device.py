"""A compiled plan's segments on the Hailo device of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasnet.hailo.chip import detect_chip, hailort_call
from tasnet.plan.cuts import Plan
from tasnet.plan.function import PlanError
from tasnet.plan.hailort import HailoRT, HailortError
from tasnet.plan.runtime import hef_ends


@contextmanager
def on_device(plan: Plan, folder: Path) -> Iterator[tuple[HailoRT, bool]]:
    """What runs the segments of the plan in `folder`, and whether it is a test double.

    Raises PlanError for a plan that isn't compiled and for no device, RuntimeFailure for what HailoRT refuses.
    """
    ends = hef_ends(plan, folder)
    detection = detect_chip(plan.arch)
    if not detection.ready:
        raise PlanError(f"no Hailo device to run on: {detection.reason}")
    try:
        with hailort_call("running the plan"), HailoRT(detection.module, folder, ends) as run:
            yield run, detection.double
    except HailortError as error:
        raise PlanError(str(error)) from None
