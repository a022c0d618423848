"""What compilers said, as far as verdicts rest on it: the public record, or that with the evidence of a store.

An observation moves the bracket of rows, and how well a verdict is known. It makes no rule and drops none: a prediction
stays a prediction, whatever was observed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING

from tasnet.common import counted
from tasnet.hailo.predict.bracket import PUBLIC_BRACKET, Bracket

if TYPE_CHECKING:
    from tasnet.hailo.files import Layer
    from tasnet.hailo.predict.demands import Demand


@dataclass(frozen=True)
class Observations:
    """The bracket of rows, and layers that were seen to compile or to fail beside those that the rules name.

    `compiled` are the demands of graphs that compiled; a kind of layer of which a larger one was seen to compile where
    a smaller failed is left out. `failed` are graphs of one layer alone, each with the family that it failed as.
    """

    bracket: Bracket = PUBLIC_BRACKET
    compiled: tuple[Demand, ...] = ()
    failed: tuple[tuple[str, Demand], ...] = ()

    def __hash__(self) -> int:
        """Worked out once: searches look things up by it, very often."""
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.bracket, self.compiled, self.failed))

    @property
    def public(self) -> bool:
        """Whether it is the public record alone."""
        return self == PUBLIC_RECORD

    @property
    def digest(self) -> str:
        """sha256 of all of it; empty for the public record alone, which is part of the rules."""
        if self.public:
            return ""
        parts = (self.bracket, sorted(self.compiled), sorted(self.failed))
        return sha256(repr(parts).encode()).hexdigest()

    def has_compiled(self, layer: Layer) -> bool:
        """Whether a layer of this kind compiled at no smaller a size."""
        return bool(self.compiled) and any(each.covers(_demand_of(layer)) for each in self.compiled)

    def has_failed(self, layer: Layer, families: Iterable[str] = ()) -> bool:
        """Whether a layer of this kind failed alone at no larger a size, as one of the families or as any."""
        wanted = frozenset(families)
        return bool(self.failed) and any(
            _demand_of(layer).covers(each) for family, each in self.failed if not wanted or family in wanted
        )

    @property
    def line(self) -> str:
        """What of it isn't public, in one line; empty where all of it is."""
        if self.public:
            return ""
        own, known = self.bracket, PUBLIC_BRACKET
        fails = f"from {own.fails:,} on none does" if own.fails is not None else "with no known end"
        rows = f"rows of up to {own.passes:,} elements compile, {fails}"
        beside = f" (publicly known: {known.passes:,} and {known.fails:,})" if own != known else ", as publicly known"
        return f"{rows}{beside}; {counted(len(self.compiled), 'layer')} compiled, {len(self.failed)} failed alone"


def _demand_of(layer: Layer) -> Demand:
    # Only now: pytest reads the public record in every process, and this would load numpy.
    from tasnet.hailo.predict.demands import demand_of

    return demand_of(layer)


PUBLIC_RECORD = Observations()
"""what is public of the compiler's outcomes"""
