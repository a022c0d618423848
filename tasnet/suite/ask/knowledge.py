"""What the answers so far say: which of them contradict each other, what they refute, and what follows of the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tasnet.hailo.predict import Demands
from tasnet.suite.ask.order import Bools, PartialOrder, RefutedKinds, refuted


@dataclass(frozen=True)
class Reply:
    """A compiler's word on a graph: whether it compiled."""

    demands: Demands
    compiled: bool
    name: str = ""
    """of the graph, for a person"""
    said: str = ""
    """the evidence, in one line"""
    told_by: str = ""
    """toolchain and version"""
    family: str = ""
    """of the failure"""


@dataclass(frozen=True)
class Inferred:
    """An answer that nobody gave: it follows from `by` if more is never easier."""

    compiled: bool
    by: Reply

    @property
    def text(self) -> str:
        """`inferred from concat-…, which failed`."""
        return f"inferred from {self.by.name}, which {'compiled' if self.by.compiled else 'failed'}"


@dataclass(frozen=True)
class Knowledge:
    """The answers of one chip's compiler about graphs of an order, in any sequence."""

    order: PartialOrder
    replies: tuple[Reply, ...] = ()

    @cached_property
    def contradictions(self) -> tuple[tuple[Reply, ...], ...]:
        """Replies on graphs that ask the same, some of which compiled and some not: nobody resolves them here."""
        same: dict[int, list[Reply]] = {}
        for index, each in self._indexed:
            same.setdefault(index, []).append(each)
        return tuple(tuple(those) for those in same.values() if len({each.compiled for each in those}) > 1)

    @cached_property
    def uncontested(self) -> tuple[Reply, ...]:
        """The replies that something may be inferred from."""
        return tuple(each for _, each in self._uncontested)

    @cached_property
    def refuted_kinds(self) -> RefutedKinds:
        """What the answers refute of the order."""
        return refuted(self.order, self._indices(False), self._indices(True))

    @cached_property
    def inferred(self) -> tuple[Inferred | None, ...]:
        """What follows for each graph of the order, an answered one's own answer included; None where nothing does."""
        yes, no = self._following()
        return tuple(
            Inferred(bool(up), self._first(index, bool(up))) if up or down else None
            for index, (up, down) in enumerate(zip(yes, no, strict=True))
        )

    @cached_property
    def open(self) -> Bools:
        """Which graphs of the order are neither answered nor inferred. Where answers contradict, asking is no help."""
        yes, no = self._following()
        found: Bools = ~(yes | no)
        found[self.answered] = False
        return found

    @cached_property
    def answered(self) -> list[int]:
        """The indices of the graphs that ask what was answered."""
        told = {index for index, _ in self._indexed}
        return [index for index, first in enumerate(self.order.firsts) if first in told]

    def and_(self, replies: Iterable[Reply]) -> Knowledge:
        """The knowledge with more answers."""
        return Knowledge(self.order, (*self.replies, *replies))

    @cached_property
    def _indexed(self) -> tuple[tuple[int, Reply], ...]:
        return tuple((self.order.indices[each.demands], each) for each in self.replies)

    @cached_property
    def _uncontested(self) -> tuple[tuple[int, Reply], ...]:
        disputed = {id(each) for those in self.contradictions for each in those}
        return tuple((index, each) for index, each in self._indexed if id(each) not in disputed)

    def _indices(self, compiled: bool) -> list[int]:
        return [index for index, each in self._uncontested if each.compiled is compiled]

    def _following(self) -> tuple[Bools, Bools]:
        """Which graphs are no harder than one that compiled, and which no easier than one that failed."""
        found = self.order.no_harder(self.refuted_kinds)
        return np.any(found[:, self._indices(True)], axis=1), np.any(found[self._indices(False)], axis=0)

    def _first(self, index: int, compiled: bool) -> Reply:
        found = self.order.no_harder(self.refuted_kinds)
        follows = found[index] if compiled else found[:, index]
        return next(each for known, each in self._uncontested if each.compiled is compiled and follows[known])


def known_from(graphs: Iterable[Demands], replies: Iterable[Reply]) -> Knowledge:
    """What answers say of graphs; the graphs come first in the order, those that were answered beside them after."""
    told = tuple(replies)
    distinct = tuple(graphs)
    beside = dict.fromkeys(each.demands for each in told)
    known = set(distinct)
    return Knowledge(PartialOrder((*distinct, *(each for each in beside if each not in known))), told)
