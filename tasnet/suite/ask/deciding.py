"""Asked until decided: the best questions first, again after each answer, until nothing of the cases and plans is open.

What is inferred is not compiled; at the end a few inferred graphs are, as a check. A check that doesn't agree refutes
what it was inferred by, and what rested on that is open again. Of what breaks down nothing is learned, and it is asked
again. All that was answered lies in the store: started again after a kill, the same questions have their answers.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import onnx

from tasnet.common import TasnetError, named_error_line
from tasnet.suite.ask.answers import Asker
from tasnet.suite.ask.knowledge import Inferred, Reply
from tasnet.suite.ask.question import Question, Source
from tasnet.suite.ask.replies import TimedReply, whether_compiled
from tasnet.suite.ask.survey import Survey
from tasnet.suite.cases import LEARNED_NOTHING, Outcome, Stage, Status, parse_case
from tasnet.suite.observed import Evidence, is_of_the_network, keep_graph_answer, keep_run_evidence
from tasnet.suite.run import Pipeline

TRIES = 3
"""times that a question is asked whose compile broke down"""
CHECKED = 5
"""inferred graphs that are compiled at the end"""


@dataclass(frozen=True)
class Asked:
    """A question that was asked: whether it compiled (None: nothing was learned), in how many seconds, and why not.

    `inferred` is what had followed for it before, of one that was compiled as a check.
    """

    question: Question
    compiled: bool | None
    seconds: float
    why: str = ""
    inferred: Inferred | None = None


@dataclass(frozen=True)
class SweepOutcome:
    """What was asked, and what is known by it. `left_open` says what is left open and why; empty where nothing is."""

    survey: Survey
    asked: tuple[Asked, ...]
    left_open: str

    @property
    def refuted(self) -> tuple[Asked, ...]:
        """The checks that didn't agree with what was inferred."""
        return tuple(each for each in self.asked if each.inferred and each.compiled is not each.inferred.compiled)


Outcomes = Mapping[Stage, Outcome]
Ask = Callable[[Sequence[Question]], Iterable[tuple[Question, Outcomes | str]]]
"""questions -> each with its outcomes as it ends, or what broke down in one line"""


def decide(
    survey_of: Callable[[Sequence[TimedReply]], Survey],
    ask: Ask,
    *,
    hours: float | None = None,
    at_once: int = 1,
    checked: int = CHECKED,
    on_answer: Callable[[Asked, Survey], None] = lambda asked, survey: None,
    clock: Callable[[], float] = time.monotonic,
) -> SweepOutcome:
    """Asks until all graphs of cases and plans are answered or inferred, or the hours don't let the next one end.

    `survey_of` gives the survey with what was told so far; `at_once` questions are asked at a time. A compile
    that began is let end. `on_answer` is called for each.
    """
    end = None if hours is None else clock() + hours * 3600
    told, asked = list[TimedReply](), list[Asked]()
    broke, abandoned, checks, dice = Counter[str](), set[str](), 0, random.Random(0)
    while True:
        survey = survey_of(told)
        fits = {
            each.name
            for each, time_of in zip(survey.questions, survey.times, strict=True)
            if each.name not in abandoned and (end is None or clock() + time_of.seconds <= end)
        }
        graphs = [index for index, each in enumerate(survey.questions) if each.source is not Source.SINGLE_LAYER]
        left = [index for index in graphs if index in survey.open]
        if left:
            chosen = [survey.questions[each.index] for each in survey.next(at_once, fits)]
            if not chosen:
                return SweepOutcome(survey, tuple(asked), _why_open(len(left), abandoned, end is not None))
        else:
            free = [each for each in graphs if survey.inferred(each) and survey.questions[each].name in fits]
            chosen = [survey.questions[each] for each in dice.sample(free, min(len(free), at_once, checked - checks))]
            checks += len(chosen)
            if not chosen:
                return SweepOutcome(survey, tuple(asked), "")
        indices = {each.name: index for index, each in enumerate(survey.questions)}
        for question, outcomes in ask(chosen):
            ended = _ended(question, outcomes, None if left else survey.inferred(indices[question.name]))
            asked.append(ended)
            if ended.compiled is None:
                broke[question.name] += 1
                again = isinstance(outcomes, str) or any(each.status in LEARNED_NOTHING for each in outcomes.values())
                if not again or broke[question.name] == TRIES:
                    abandoned.add(question.name)
                checks -= not left
            elif not isinstance(outcomes, str):
                told.append(_told(question, outcomes, ended))
            on_answer(ended, survey)


def asked_of(pipeline: Pipeline, arch: str, question: Question) -> Outcomes:
    """The outcomes of one question, from the store or worked out now. What was observed is kept: a case's
    as evidence, any other graph's as a reply.

    Raises what the pipeline and the toolchain raise.
    """
    if question.source is Source.CASE:
        case = parse_case(question.name)
        outcomes = pipeline.run(case)
        keep_run_evidence(pipeline.store, pipeline.resolve(case), outcomes)
        return outcomes
    model = onnx.load_from_string(question.model) if question.model else onnx.load(question.onnx)
    answer = Asker(pipeline.store, pipeline.toolchain, arch).ask(model)
    if answer.learned:
        seen = (question.predicted.kind, question.predicted.certainty)
        keep_graph_answer(pipeline.store, arch, question.name, question.demands, seen, answer.outcomes)
    return answer.outcomes


def ask_here(pipeline: Pipeline, arch: str) -> Ask:
    """Asks in this process, one after another."""

    def ask(questions: Sequence[Question]) -> Iterable[tuple[Question, Outcomes | str]]:
        for each in questions:
            try:
                yield each, asked_of(pipeline, arch, each)
            except (TasnetError, OSError) as error:
                # One graph's trouble is not the sweep's.
                yield each, named_error_line(error)

    return ask


def ask_on_workers(over: Callable[..., Iterator[tuple[int, str, str]]], arch: str) -> Ask:
    """Asks on the workers that `open_workers` gave."""

    def ask(questions: Sequence[Question]) -> Iterable[tuple[Question, Outcomes | str]]:
        for index, text, broke in over(_in_a_worker, [(arch, each) for each in questions]):
            ended = [Outcome.model_validate(each) for each in json.loads(text or "[]")]
            yield questions[index], broke or {each.stage: each for each in ended}

    return ask


def _in_a_worker(pipeline: Pipeline, given: tuple[str, Question]) -> str:
    return json.dumps([each.model_dump(mode="json") for each in asked_of(pipeline, *given).values()])


def _ended(question: Question, outcomes: Outcomes | str, inferred: Inferred | None) -> Asked:
    if isinstance(outcomes, str):
        return Asked(question, None, 0.0, outcomes, inferred)
    ended = tuple(outcomes.values())
    seconds = sum(each.seconds for each in ended)
    compiled = whether_compiled(ended)
    if compiled is None or not is_of_the_network(Evidence(case_id=question.name, tag="", outcomes=ended)):
        last = next((each for each in ended if each.status is not Status.PASSED), ended[-1])
        return Asked(question, None, seconds, f"{last.status.value} at {last.stage.value}: {last.reason}", inferred)
    family = next((f"{each.family} at {each.stage}" for one in ended for each in one.failures), "")
    return Asked(question, compiled, seconds, family, inferred)


def _told(question: Question, outcomes: Outcomes, ended: Asked) -> TimedReply:
    by = list(outcomes.values())[-1].provenance
    told_by = f"{by.toolchain} {by.version}"
    what = "compiled" if ended.compiled else ended.why
    family = next((each.family for one in outcomes.values() for each in one.failures), "")
    reply = Reply(
        question.demands,
        bool(ended.compiled),
        question.name,
        f"{question.name}: {what}; {told_by}",
        told_by,
        "" if ended.compiled else family,
    )
    return TimedReply(reply, question.predicted, ended.seconds)


def _why_open(count: int, abandoned: set[str], budget: bool) -> str:
    """Why questions are left open."""
    graphs = f"{count} graph{'s are' if count != 1 else ' is'} open"
    why = "; no compile fits into the hours that are left" if budget else ""
    broke = f"; nothing was learned of {len(abandoned)} ({sorted(abandoned)[0]}, …)" if abandoned else ""
    return f"{graphs}{broke or why}"
