"""Surveys of the same cases and plans, one after another, as answers come."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from tasnet.common import counted
from tasnet.hailo.predict import Bracket
from tasnet.suite.ask.deciding import SweepOutcome
from tasnet.suite.ask.graphs import Unread, case_questions, plan_questions
from tasnet.suite.ask.monotonicity import ASSUMED
from tasnet.suite.ask.question import Question, Source
from tasnet.suite.ask.replies import StoredReplies, TimedReply, stored_replies
from tasnet.suite.ask.suggesting import refuted_lines
from tasnet.suite.ask.survey import Survey, survey
from tasnet.suite.cases import Case, CaseError
from tasnet.suite.run import Pipeline


class SurveyMaker:
    """What is asked about: cases, and plans in their folders. `pipeline` is the embedded toolchain's.

    With `evidence` what the store has observed is known from the start; a sweep of predictions starts from nothing.
    The graphs are read once for each bracket and kept here; `on_read` is called for each.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        cases: Sequence[Case],
        plans: Sequence[Path],
        arch: str,
        *,
        evidence: bool = True,
        on_read: Callable[[Case], None] = lambda case: None,
    ) -> None:
        self.pipeline, self.cases, self.plans, self.arch = pipeline, tuple(cases), tuple(plans), arch
        self.evidence, self.on_read = evidence, on_read
        self._read: dict[Bracket, list[Question]] = {}
        self._unread: list[Unread] = []

    def now(self, told: Sequence[TimedReply] = ()) -> Survey:
        """The survey with what was told beside the evidence.

        Raises PlanError, and CaseError for another chip's plan.
        """
        everything = (*self._stored.told, *told)
        bracket = StoredReplies(everything).bracket
        if bracket not in self._read:
            self._read[bracket] = self._questions(bracket)
        return survey(self._read[bracket], everything, self.arch)

    @property
    def unread(self) -> tuple[Unread, ...]:
        """What can't be asked about, and why; after the first survey."""
        return (*self._unread, *self._stored.unread)

    @cached_property
    def _stored(self) -> StoredReplies:
        return stored_replies(self.pipeline.store, self.arch) if self.evidence else StoredReplies(())

    def _questions(self, bracket: Bracket) -> list[Question]:
        # Of what a sweep was told the bracket alone: graphs needn't be read again for each answer.
        known = replace(self._stored.observations, bracket=bracket)
        segments: list[Question] = []
        for at in self.plans:
            found, plan = plan_questions(at, known)
            if plan.arch != self.arch:
                raise CaseError(f"--plan {at}: made for {plan.arch}; give --arch {plan.arch}")
            segments += found
        asked, unread = case_questions(self.pipeline, self.cases, known, self.on_read)
        self._unread = unread
        return [*asked, *segments]


def sweep_lines(found: SweepOutcome, by: str) -> Iterator[str]:
    """What a sweep asked, what is inferred by it, what its checks refuted, and what is open. `by` says who told."""
    indices = [index for index, each in enumerate(found.survey.questions) if each.source is not Source.SINGLE_LAYER]
    inferred = [index for index in indices if found.survey.inferred(index) is not None]
    answered = sum(map(found.survey.answered, indices))
    checks = sum(each.inferred is not None for each in found.asked)
    yield f"{by}: {counted(len(found.asked), 'compile')}, {checks} of them checks of what was inferred"
    yield (
        f"{len(indices)} distinct graphs: {answered} answered, {len(inferred)} inferred, "
        f"{len(indices) - answered - len(inferred)} open"
    )
    yield ASSUMED
    yield from refuted_lines(found.survey.known.refuted_kinds)
    for each in found.refuted:
        assert each.inferred is not None
        yield f"refuted: {each.question.name} was {each.inferred.text}, and {'compiled' if each.compiled else 'failed'}"
    yield found.left_open or "decided: nothing is open"
