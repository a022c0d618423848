"""A toolchain's report as the outcome of a stage, its files moved into the store."""

from __future__ import annotations

import os
from pathlib import Path

from tasnet.hailo import StageReport
from tasnet.suite.cases import Outcome, Provenance, Stage, Status
from tasnet.suite.run.store import Store, content_of


def reported(report: StageReport, stage: Stage, provenance: Provenance, store: Store, given: Path) -> Outcome:
    """What the report says of the stage, which was given the HAR at `given`: on the desk, by the name of its content.

    A HAR that the stage leaves is moved beside it, where the next stage finds it.
    """
    figures: dict[str, int | float | str] = dict(report.figures)
    artifact = ""
    if report.artifact is not None and report.artifact == given:
        # passed on as it was: nothing new to keep
        artifact = f"har/{given.stem}.parts"
    elif report.artifact is not None:
        kind = "hef" if stage is Stage.COMPILE else "har"
        figures[f"{kind}_bytes"] = report.artifact.stat().st_size
        if kind == "hef":
            artifact = store.put_file(report.artifact, ".hef")
        else:
            artifact = store.put_har(report.artifact, lasting=not provenance.predicted)
            # the next stage finds it on the desk and needn't put it together
            os.replace(report.artifact, given.with_name(har_file(artifact)))
    if report.log is not None and report.log.is_file():
        figures["log"] = store.put_file(report.log, ".log")
    return Outcome(
        stage=stage,
        status=Status(report.ended.value),
        provenance=provenance,
        failures=report.failures,
        doubts=report.doubts,
        certainty=report.certainty,
        artifact=artifact,
        figures=figures,
        reason=report.detail,
    )


def har_file(name: str) -> str:
    """What the HAR `name` of the store is called on the desk."""
    return f"{content_of(name)}.har"
