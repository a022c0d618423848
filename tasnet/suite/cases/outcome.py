"""Stage, Outcome, Provenance: what happened to a case, how it is known, and by whom."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from pydantic import BaseModel, ConfigDict

from tasnet.hailo import Certainty, Failure


class Stage(str, Enum):
    """The stages of a case, in their order."""

    EXPORT = "export"
    TRANSLATE = "translate"
    OPTIMIZE = "optimize"
    COMPILE = "compile"
    INFER = "infer"


STAGES: tuple[Stage, ...] = tuple(Stage)


class Status(str, Enum):
    """How a case ended at a stage."""

    PASSED = "passed"
    FAILED = "failed"
    """the network can't pass this stage; the outcome's failures say why"""
    BLOCKED = "blocked"
    """a stage before it failed; `blocked_by` names it"""
    UNKNOWN = "unknown"
    """the embedded toolchain can't tell; the outcome's doubts say why"""
    UNCLASSIFIED = "unclassified"
    """the compiler ended with a message that no rule knows; the outcome's doubts quote them. Nothing was learned"""
    INFRA = "infra"
    """no memory, killed, disk full, tool missing: never the network's fault"""
    SKIPPED = "skipped"
    """not run, for the reason given"""


LEARNED_NOTHING = frozenset({Status.INFRA, Status.UNCLASSIFIED})
"""Nothing was learned of the network: never stored, never evidence, and the next run tries again."""


DOUBLE_SUFFIX = "+double"
"""A toolchain's version that ends so is a test double's."""


class Provenance(BaseModel):
    """Who says so. `predicted` is true for everything the embedded toolchain says, and is shown wherever it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    toolchain: str
    version: str
    predicted: bool
    exhaustive: bool
    arch: str = ""
    inputs: str = ""
    """content hash of what the stage was given"""

    @property
    def double(self) -> bool:
        """True where a test double said it: nothing was observed."""
        return self.version.endswith(DOUBLE_SUFFIX)


class Outcome(BaseModel):
    """The end of one case at one stage."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: Stage
    status: Status
    provenance: Provenance
    failures: tuple[Failure, ...] = ()
    doubts: tuple[Failure, ...] = ()
    certainty: Certainty | None = None
    blocked_by: Stage | None = None
    artifact: str = ""
    """the store's name of the file that the stage left"""
    figures: Mapping[str, int | float | str] = {}
    """what was measured on the way, each key with its unit (`onnx_bytes`, `layers`, ...)"""
    reason: str = ""
    """one line for a person: why blocked, skipped or infra"""
    seconds: float = 0.0
    """wall-clock time of the stage when it was run, not when it was read from the store"""

    @property
    def judged(self) -> bool:
        """True where the toolchain was asked about this stage and answered, be it that it can't tell."""
        return self.status in (Status.PASSED, Status.FAILED, Status.UNKNOWN) and self.blocked_by is None
