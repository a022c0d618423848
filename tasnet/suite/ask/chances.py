"""How likely a graph compiles: by the rules' verdict on its layers and its certainty, and by the answers so far.

A graph compiles if all its new *traits* do, and their chances multiply; a trait is new if no compiled graph had it: a
layout, an operation, an activation, a doubled count of layers, its widest row against the bracket, a family that the
rules expect. Once one graph in columns compiled, columns are no news. Chances order questions and decide nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import log2, prod

from tasnet.hailo import Certainty
from tasnet.hailo.predict import SEEN_KIND, Bracket, Demands, LayerKind, PredictionKind
from tasnet.suite.ask.knowledge import Reply
from tasnet.suite.ask.question import Question, RuleVerdict

Trait = tuple[str, ...]

PRIOR: Mapping[tuple[PredictionKind, Certainty], tuple[float, float]] = {
    (PredictionKind.CLEAR, Certainty.OBSERVED): (19, 1),
    (PredictionKind.CLEAR, Certainty.EXTRAPOLATED): (4, 1),
    (PredictionKind.UNKNOWN, Certainty.EXTRAPOLATED): (1, 1),
    (PredictionKind.BLOCKED, Certainty.EXTRAPOLATED): (1, 4),
    (PredictionKind.BLOCKED, Certainty.OBSERVED): (1, 19),
}
"""Graphs that compiled and that failed, as if so many had been seen of each verdict: a belief, moved by each answer."""
NEW_OPERATION_PRIOR = 46 / 49
"""prior chance that a new operation or activation compiles: so many of the public small pieces did"""
NEW_LAYOUT_PRIOR = 1 / 2
"""the same of a new layout: no outcome of another than rows is public"""


@dataclass(frozen=True)
class RuleRecord:
    """How often each verdict of the rules came true: of each how many graphs compiled and how many failed."""

    counts: Mapping[tuple[PredictionKind, Certainty], tuple[int, int]]

    def chance(self, verdict: tuple[PredictionKind, Certainty]) -> float:
        """That a graph of such a verdict compiles: the mean of the belief after the answers."""
        good, bad = PRIOR.get(verdict, (1, 1))
        seen = self.counts.get(verdict, (0, 0))
        return (good + seen[0]) / (good + bad + sum(seen))


def rule_record(told: Iterable[tuple[RuleVerdict, bool]]) -> RuleRecord:
    """The record of the rules in graphs that compiled (True) or failed."""
    counts: dict[tuple[PredictionKind, Certainty], tuple[int, int]] = {}
    for seen, compiled in told:
        good, bad = counts.get((seen.kind, seen.certainty), (0, 0))
        counts[(seen.kind, seen.certainty)] = (good + compiled, bad + (not compiled))
    return RuleRecord(counts)


def yes_chances(
    questions: Sequence[Question], replies: Sequence[tuple[Reply, RuleVerdict]], bracket: Bracket
) -> list[float]:
    """For each graph that it compiles. `replies` are those that contradict nothing, each with what was predicted."""
    record = rule_record((each, reply.compiled) for reply, each in replies)
    seen, layers = set(traits_of(SEEN_KIND)), 1
    for reply, _ in replies:
        if reply.compiled:
            seen |= _traits(reply.demands)
            layers = max(layers, reply.demands.layers_at_work)
    usual = record.chance((PredictionKind.CLEAR, Certainty.EXTRAPOLATED))
    chances = _TraitChances()
    for reply, each in replies:
        if not reply.compiled and each.kind is not PredictionKind.BLOCKED:
            chances.after_failure(_traits(reply.demands) - seen)
    return [
        prod(chances[trait] for trait in _traits(each.demands) - seen)
        * usual ** max(0.0, log2(max(each.demands.layers_at_work, 1) / layers))
        * row_chance(each.demands.widest_row, bracket)
        * _rules(each.predicted, record, bracket.fails_at(each.demands.widest_row))
        for each in questions
    ]


def row_chance(row: int, bracket: Bracket) -> float:
    """That a row goes: inside the bracket the limit is as likely anywhere. What lies past it the rules say."""
    if row <= bracket.passes or bracket.fails is None or row >= bracket.fails:
        return 1.0
    return (bracket.fails - row) / (bracket.fails - bracket.passes)


def _rules(seen: RuleVerdict, record: RuleRecord, too_wide: bool) -> float:
    """What the rules expect apart from rows inside the bracket, each family of doubts once."""
    if too_wide and seen.kind is not PredictionKind.BLOCKED:
        return record.chance((PredictionKind.BLOCKED, Certainty.EXTRAPOLATED))
    if seen.kind is PredictionKind.BLOCKED:
        return min(record.chance((PredictionKind.BLOCKED, certainty)) for _, certainty in seen.blockers)
    return record.chance((PredictionKind.UNKNOWN, Certainty.EXTRAPOLATED)) ** len(seen.doubts)


def _traits(demands: Demands) -> frozenset[Trait]:
    return frozenset(trait for each in demands.layers for trait in traits_of(each.kind))


@cache
def traits_of(kind: LayerKind) -> tuple[Trait, ...]:
    """The traits of a kind of layer: its layout, its operation, its activation."""
    operation = ("operation", kind.type, kind.kernel, kind.strides, str(kind.grouped))
    return ("layout", kind.layout), operation, ("activation", kind.activation)


class _TraitChances(dict[Trait, float]):
    """The chance that a trait goes, by what failed with it."""

    def __missing__(self, trait: Trait) -> float:
        return NEW_LAYOUT_PRIOR if trait[0] == "layout" else NEW_OPERATION_PRIOR

    def after_failure(self, new: frozenset[Trait]) -> None:
        """The posterior of each new trait, given that at least one of a graph's failed (Bayes)."""
        all_go = prod(self[trait] for trait in new)
        if new and all_go < 1:
            self.update({trait: (self[trait] - all_go) / (1 - all_go) for trait in new})
