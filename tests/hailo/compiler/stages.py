"""Stages of the adapter around the double of the SDK, without a second try, and what the SDK says of a reshape."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tasnet.hailo.compiler.dfc import Dfc
from tasnet.hailo.compiler.limits import read_limits
from tasnet.hailo.toolchain import StageReport

RESHAPE = "Reshape is needed for layers: conv2, conv3, but adding a reshape has failed."
ALLOCATOR = "BackendAllocatorException"
QUICK_LIMITS = read_limits(
    None, {f"{s}.retries": 0 for s in ("translate", "optimize", "compile")} | {"grace_seconds": 0.2}
)


Make = Callable[..., Dfc]


def stage(dfc: Dfc, name: str, files: Path) -> StageReport:
    if name == "translate":
        return dfc.translate(files / "m.onnx", "net", files / "out.har")
    if name == "optimize":
        return dfc.optimize(files / "m.har", "hailo8", files / "out.har")
    return dfc.compile(files / "m.har", "hailo8", files / "out.hef")
