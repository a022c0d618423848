"""The contract of a toolchain: translate, optimize, compile. Files in, files and a report out.

Two keep it: the embedded one (`reference.py`), which predicts, and the Dataflow Compiler's adapter, which
observes. A caller tells them apart by `predicted` and by nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Protocol, runtime_checkable

from tasnet.hailo.failures import Certainty, Failure

ARCHITECTURES = ("hailo8", "hailo8l", "hailo8r")
"""The architectures that Dataflow Compiler 3.x takes as `hw_arch`."""


class StageEnd(str, Enum):
    """How a stage of a toolchain ended."""

    PASSED = "passed"
    FAILED = "failed"
    """the network can't pass: `failures` says why"""
    UNKNOWN = "unknown"
    """the embedded toolchain can't tell: `doubts` says why"""
    UNCLASSIFIED = "unclassified"
    """it ended in words that no rule knows: `doubts` quotes them, and nothing was learned of the network"""
    INFRA = "infra"
    """the tool itself broke down (no memory, killed, disk full, missing): `detail` says how"""


@dataclass(frozen=True)
class StageReport:
    """What a toolchain says of one stage.

    `failures` block; `doubts` are failures that may or may not come (an untested size) and never block: a stage may
    pass with one that decides nothing.
    `certainty` is set on a pass. `artifact` is the file for the next stage, if the stage leaves one.
    `log` is the tool's own log, kept by the caller. `detail` is one line for a person.
    """

    ended: StageEnd
    failures: tuple[Failure, ...] = ()
    doubts: tuple[Failure, ...] = ()
    certainty: Certainty | None = None
    artifact: Path | None = None
    log: Path | None = None
    detail: str = ""
    figures: Mapping[str, int | float | str] = field(default_factory=dict)
    """what is known of the end in numbers: the limit that cut it (`ExceededLimit.figures`), `warnings`"""


@runtime_checkable
class Toolchain(Protocol):
    """Every method returns a StageReport and raises only for wrong usage (a file that isn't there, an unknown arch)."""

    @property
    def name(self) -> str:
        """`reference` or `dfc`; the key under which the ledger scopes an entry."""

    @property
    def version(self) -> str:
        """The toolchain's version, PEP 440."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same input could give another report; part of every stored outcome's key."""

    @property
    def rests_on(self) -> str:
        """Hash of the observations that verdicts rest on beside the code; part of every stored verdict's key.

        Empty for what observes, and where verdicts rest on what is public alone.
        """

    @property
    def predicted(self) -> bool:
        """True for the embedded toolchain: nothing it says was observed."""

    @property
    def exhaustive(self) -> bool:
        """True when a failed report lists every blocker known, False when it names the first one alone."""

    def translate(self, onnx: Path, net_name: str, har: Path) -> StageReport:
        """ONNX file -> parsed HAR written at `har`."""

    def optimize(self, har: Path, arch: str, out: Path) -> StageReport:
        """Parsed HAR -> quantized HAR at `out`. A toolchain that leaves no file has `artifact` None."""

    def compile(self, har: Path, arch: str, hef: Path) -> StageReport:
        """HAR -> HEF at `hef`. The embedded toolchain judges the parsed HAR and writes no HEF."""


TOOLCHAINS = ("reference", "dfc")
"""The toolchains that an entry can be scoped to."""
