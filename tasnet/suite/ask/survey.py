"""The survey: all questions, what is known of them, and how likely and how dear each is, and which come next."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tasnet.hailo.predict import PUBLIC_BRACKET, Bracket
from tasnet.suite.ask.bracket import moved_bracket
from tasnet.suite.ask.chances import yes_chances
from tasnet.suite.ask.knowledge import Inferred, Knowledge, Reply, known_from
from tasnet.suite.ask.question import Question
from tasnet.suite.ask.ranking import Choice, rank
from tasnet.suite.ask.replies import TimedReply
from tasnet.suite.ask.times import Expected, expected


@dataclass(frozen=True)
class Survey:
    """Questions about one architecture, each at its index in the order of `known`, and what was told so far."""

    questions: tuple[Question, ...]
    told: tuple[TimedReply, ...]
    known: Knowledge
    bracket: Bracket

    @cached_property
    def times(self) -> list[Expected]:
        """What each question is expected to take."""
        return expected([each.demands for each in self.questions], self.told)

    @cached_property
    def likely(self) -> list[float]:
        """The chance of a yes to each question."""
        predicted = {id(each.reply): each.predicted for each in self.told}
        replies = [(each, predicted[id(each)]) for each in self.known.uncontested]
        return yes_chances(self.questions, replies, self.bracket)

    @property
    def open(self) -> tuple[int, ...]:
        """The indices of the questions that are neither answered nor inferred."""
        return tuple(int(index) for index in np.flatnonzero(self.known.open) if index < len(self.questions))

    def inferred(self, index: int) -> Inferred | None:
        """What follows for a question that nobody answered."""
        return None if index in self._answered else self.known.inferred[index]

    def answered(self, index: int) -> bool:
        """Whether the question was answered, or one that asks the same."""
        return index in self._answered

    def replies(self, index: int) -> tuple[Reply, ...]:
        """The replies on a question's graph, or on one that asks the same."""
        order = self.known.order
        return tuple(each for each in self.known.replies if order.indices[each.demands] == order.firsts[index])

    @cached_property
    def _answered(self) -> frozenset[int]:
        return frozenset(self.known.answered)

    def next(self, most: int, among: Collection[str] | None = None) -> list[Choice]:
        """The next questions, the best first, of those so named or of all."""
        count = len(self.questions)
        order = self.known.order.no_harder(self.known.refuted_kinds)[:count, :count]
        free = np.array([among is None or each.name in among for each in self.questions], bool)
        weights = [each.weight for each in self.questions]
        seconds = [each.seconds for each in self.times]
        return rank(order, self.known.open[:count], self.likely, weights, seconds, most=most, askable=free)


def survey(questions: Sequence[Question], told: Sequence[TimedReply], arch: str) -> Survey:
    """The survey of these questions, with the single layers that are worth making beside them."""
    # Only now: every run's end asks for this module, and ONNX takes a second to import.
    from tasnet.suite.ask.single_layers import layers_in_bracket, layers_of_new_kinds

    replies = [each.reply for each in told]
    own = known_from([each.demands for each in questions], replies)
    bracket = moved_bracket(own, PUBLIC_BRACKET)
    compiled = [demand for each in own.uncontested if each.compiled for demand in each.demands.layers]
    left = [each.demands for each, is_open in zip(questions, own.open, strict=False) if is_open]
    layers = (*layers_of_new_kinds(left, compiled, bracket, arch), *layers_in_bracket(bracket, arch))
    there = {each.demands for each in questions}
    every = (*questions, *(each for each in layers if each.demands not in there))
    return Survey(every, tuple(told), known_from([each.demands for each in every], replies), bracket)
