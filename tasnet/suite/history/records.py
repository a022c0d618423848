"""The record of one case: all that a report says of it. It crosses from an xdist worker to the controller as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import cache

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tasnet.hailo import Certainty
from tasnet.network import PUBLISHED, FunctionKept, TrainedForm, Variant
from tasnet.suite.cases import (
    NOTES_TAGS,
    STAGES,
    AnyCase,
    Outcome,
    Stage,
    Status,
    Verdict,
    axes_function,
    graph_key,
    verdict_of,
)
from tasnet.suite.ledger import BlockedStage, Blocker, Judgement, JudgementKind, blocked_stages


class EvidenceWord(str, Enum):
    """How the evidence in a store knows whether a graph compiles; what it doesn't know is predicted at best."""

    OBSERVED = "observed"
    INFERRED = "inferred"
    """nobody asked: it follows from an observation, if more is never easier"""
    DISPUTED = "disputed"
    """observations contradict each other"""


class ByEvidence(BaseModel):
    """What the evidence in a store says of a case's graph. `text` says which observation: `inferred from …`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    word: EvidenceWord
    clear: bool
    """False for what is disputed"""
    text: str


class CaseRecord(BaseModel):
    """One case, judged up to `stage`. Everything in it is a prediction where `predicted` is true."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case_id: str
    axes: dict[str, str | int]
    run_tag: str
    """the conversion notes' tag where the case is one of theirs, else the case's id"""
    graph: str
    """equal for two cases that export the same graph"""
    profile: str
    stage: Stage
    toolchain: str
    version: str
    predicted: bool
    arch: str
    kind: JudgementKind
    entries: tuple[str, ...]
    expected: str
    happened: str
    hint: str
    outcomes: tuple[Outcome, ...]
    """in the order of the stages, the last one `stage`'s"""
    covering: tuple[tuple[str, ...], ...]
    """for each failure of the outcomes, in their order, the ids of the entries that cover it"""
    repeat: str = ""
    """the command that runs this case again"""
    by_evidence: ByEvidence | None = Field(default=None, exclude=True)
    """of a prediction, what the store's evidence says of its graph now: looked up when it is shown, and never stored"""
    hef: str = ""
    """where the compiled file lies, if one was written: the store's name of it, or a path beside summary.tsv"""
    trained: TrainedForm = PUBLISHED
    """how the run's checkpoint was trained; without one, as published networks were"""

    @field_validator("axes")
    @classmethod
    def _with_later_axes(cls, axes: dict[str, str | int]) -> dict[str, str | int]:
        """A run from before there was an axis has none of its cases off that axis' base."""
        base = Variant().axes()
        return axes if base.keys() <= axes.keys() else {**base, **axes}

    @property
    def function(self) -> FunctionKept:
        """Whether the case keeps the trained network's function: never stored, always read off the axes."""
        return axes_function(self.axes, self.trained)

    @property
    def verdict(self) -> Verdict:
        """What is said of the case: never stored, always read off the outcomes."""
        return verdict_of(self.outcomes)

    @property
    def certainty(self) -> Certainty | None:
        """Of a clear."""
        return self.verdict.certainty

    @property
    def blockers(self) -> tuple[Blocker, ...]:
        """The failures of all stages, each with the entries that cover it."""
        failures = [failure for outcome in self.outcomes for failure in outcome.failures]
        return tuple(map(Blocker, failures, self.covering))

    @property
    def upstream(self) -> tuple[BlockedStage, ...]:
        """Of each stage that was blocked the one cause: the stage that failed, and the entries that cover it."""
        return blocked_stages(self.by_stage, self.blockers)

    @property
    def by_stage(self) -> dict[Stage, Outcome]:
        """The outcomes as `judge` takes them."""
        return {outcome.stage: outcome for outcome in self.outcomes}

    @property
    def stages(self) -> dict[Stage, Status]:
        """How each stage ended."""
        return {outcome.stage: outcome.status for outcome in self.outcomes}

    @property
    def seconds(self) -> float:
        """Wall-clock time of all stages when they were run, not when they were read from the store."""
        return sum(outcome.seconds for outcome in self.outcomes)

    @property
    def onnx_bytes(self) -> int | None:
        """The size of the ONNX file with its weights; None where none was written."""
        exported = self.by_stage.get(Stage.EXPORT)
        size = exported.figures.get("onnx_bytes") if exported else None
        return int(size) if size is not None else None

    @property
    def logs(self) -> dict[Stage, str]:
        """The store's names of the toolchain's own logs, where it keeps any."""
        return {each.stage: str(each.figures["log"]) for each in self.outcomes if each.figures.get("log")}


def case_record(
    case_id: str,
    case: AnyCase,
    profile: str,
    stage: Stage,
    outcomes: Mapping[Stage, Outcome],
    judgement: Judgement,
    repeat: str = "",
    *,
    trained: TrainedForm = PUBLISHED,
) -> CaseRecord:
    """The record of a case that was taken as far as `stage`.

    `case_id` is the profile's id; `case` is what was run: a checkpoint may bring another size.
    """
    ordered = [outcomes[each] for each in STAGES if each in outcomes]
    last = ordered[-1]
    return CaseRecord(
        case_id=case_id,
        axes=case.axes(),
        run_tag=_tag(case_id),
        graph=graph_key(case),
        profile=profile,
        stage=stage,
        toolchain=last.provenance.toolchain,
        version=last.provenance.version,
        predicted=last.provenance.predicted,
        arch=case.arch,
        kind=judgement.kind,
        entries=judgement.entries,
        expected=judgement.expected,
        happened=judgement.happened,
        hint=judgement.hint,
        outcomes=tuple(ordered),
        covering=tuple(blocker.entries for blocker in judgement.blockers),
        repeat=repeat,
        hef=last.artifact if last.stage is Stage.COMPILE and last.status is Status.PASSED else "",
        trained=trained,
    )


def _tag(case_id: str) -> str:
    return _tags().get(case_id, case_id)


@cache
def _tags() -> Mapping[str, str]:
    """The case's id -> the notes' first tag for it."""
    return {case.id: tag for tag, case in reversed(list(NOTES_TAGS.items()))}
