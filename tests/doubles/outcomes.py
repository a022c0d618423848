"""Outcomes and a pipeline that say what a test tells them to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tasnet.hailo.failures import FAMILIES, Certainty, Failure
from tasnet.suite.cases.case import Case
from tasnet.suite.cases.outcome import STAGES, Outcome, Provenance, Stage, Status

REFERENCE = Provenance(toolchain="reference", version="0.1.0", predicted=True, exhaustive=True, arch="hailo8")
DFC = Provenance(toolchain="dfc", version="3.33.1", predicted=False, exhaustive=False, arch="hailo8")


def failure(family: str, message: str = "it failed", *layers: str) -> Failure:
    """A failure at the stage of its family."""
    return Failure(stage=FAMILIES[family], family=family, message=message, layers=layers, certainty=Certainty.OBSERVED)


SUPER_DECONV = failure("unsupported_kernel", "Super deconv is not supported with groups", "deconv1")


def outcomes(
    *blockers: Failure, status: Status = Status.PASSED, by: Provenance = REFERENCE, reason: str = ""
) -> dict[Stage, Outcome]:
    """A case's outcomes up to compile: failed at the blockers' stages, blocked after, else `status` at compile."""
    ended: dict[Stage, Outcome] = {}
    failed_at: Stage | None = None
    for stage in STAGES[:4]:
        here = tuple(each for each in blockers if each.stage == stage.value)
        if failed_at:
            ended[stage] = Outcome(stage=stage, status=Status.BLOCKED, blocked_by=failed_at, provenance=by)
        elif here:
            failed_at = stage
            ended[stage] = Outcome(stage=stage, status=Status.FAILED, failures=here, provenance=by)
        elif stage is Stage.COMPILE and status is not Status.PASSED:
            ended[stage] = Outcome(stage=stage, status=status, reason=reason, provenance=by)
        else:
            figures = {"onnx_bytes": 1_500_000} if stage is Stage.EXPORT else {}
            known = Certainty.OBSERVED if stage is Stage.COMPILE else None
            ended[stage] = Outcome(stage=stage, status=Status.PASSED, provenance=by, certainty=known, figures=figures)
    return ended


@dataclass(frozen=True)
class FakePipeline:
    """Runs nothing: `tell` says how a case ends."""

    tell: Callable[[Case], Mapping[Stage, Outcome]]

    def resolve(self, case: Case) -> Case:
        """The case itself."""
        return case

    def run(self, case: Case, until: Stage = Stage.COMPILE, *, whole: bool = False) -> Mapping[Stage, Outcome]:
        """The told outcomes up to `until`."""
        told = self.tell(case)
        return {stage: told[stage] for stage in STAGES[: STAGES.index(until) + 1] if stage in told}
