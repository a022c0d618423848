"""Which graphs are no harder than others: a partial order on demands, and what answers refute of it.

Monotonicity is an assumption: with more layers, wider rows, more channels, taps or memory, or an activation behind a
layer, graphs never get easier to compile. It is stated wherever something is inferred by it, and given up for a kind of
layer as soon as two answers contradict it: a graph that failed is then no reason for a graph with more of that kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from tasnet.hailo.predict import Demand, Demands, LayerKind

Bools = npt.NDArray[np.bool_]

LAYERS = "more layers"
"""what is given up when no single kind can be blamed: that more layers, or more kinds of them, never get easier"""

RefutedKinds = frozenset[LayerKind | str]
"""kinds of layer of which a larger size may be easier, and LAYERS"""


@dataclass(frozen=True)
class PartialOrder:
    """The order of some graphs, by their indices in `graphs`; each order that was asked for is kept."""

    graphs: tuple[Demands, ...]
    _kept: dict[RefutedKinds, Bools] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def indices(self) -> dict[Demands, int]:
        """Where a graph that asks this stands: the first, if several ask the same."""
        return {each: index for index, each in reversed(list(enumerate(self.graphs)))}

    @cached_property
    def firsts(self) -> list[int]:
        """For each graph the index of the first that asks the same."""
        return [self.indices[each] for each in self.graphs]

    def no_harder(self, refuted_kinds: RefutedKinds = frozenset()) -> Bools:
        """True at [i, j]: graph i is at most as demanding as graph j. If j compiles, so does i."""
        if refuted_kinds not in self._kept:
            self._kept[refuted_kinds] = self._no_harder(refuted_kinds)
        return self._kept[refuted_kinds]

    def _no_harder(self, refuted_kinds: RefutedKinds) -> Bools:
        demands = list(dict.fromkeys(each for graph in self.graphs for each in graph.layers))
        column = {each: number for number, each in enumerate(demands)}
        asks = np.zeros((len(self.graphs), len(demands)), np.float32)
        for index, graph in enumerate(self.graphs):
            asks[index, [column[each] for each in graph.layers]] = 1
        met = asks @ _covers(demands, refuted_kinds).astype(np.float32).T > 0
        found: Bools = asks @ (~met).astype(np.float32).T == 0
        counts = np.array([graph.layers_at_work for graph in self.graphs])
        if LAYERS in refuted_kinds:
            kinds = [{each.kind for each in graph.layers} for graph in self.graphs]
            same = np.array([[mine == its for its in kinds] for mine in kinds], bool).reshape(found.shape)
            found &= same & (counts[:, None] == counts[None, :])
        found &= counts[:, None] <= counts[None, :]
        return found


def refuted(order: PartialOrder, failed: Sequence[int], compiled: Sequence[int]) -> RefutedKinds:
    """What must be given up so that no graph that failed is no harder than one that compiled (indices in the order).

    Graphs that ask the same are left alone: their answers contradict each other, not the order.
    """
    refuted_kinds: RefutedKinds = frozenset()
    while True:
        found = order.no_harder(refuted_kinds)[np.ix_(failed, compiled)] if failed and compiled else np.zeros((0, 0))
        pairs = [
            (bad, good)
            for bad, good in ((order.graphs[failed[i]], order.graphs[compiled[j]]) for i, j in np.argwhere(found))
            if bad != good
        ]
        if not pairs:
            return refuted_kinds
        refuted_kinds |= {kind for bad, good in pairs for kind in _grown(bad, good) - refuted_kinds or {LAYERS}}


def _grown(one: Demands, other: Demands) -> frozenset[LayerKind]:
    """The kinds of which the harder graph has more than the easier one."""
    return frozenset(each.kind for each in one.layers if each not in other.layers)


def _covers(demands: Sequence[Demand], refuted_kinds: Iterable[LayerKind | str]) -> Bools:
    """[d, e]: demand e covers demand d, as `Demand.covers` has it; of a kind that is given up only itself."""
    if not demands:
        return np.zeros((0, 0), bool)
    kinds = [each.kind for each in demands]
    bare = [each.bare for each in kinds]
    codes = {each: index for index, each in enumerate({*kinds, *bare})}
    own, without = (np.array([codes[each] for each in those]) for those in (kinds, bare))
    sizes = np.array([each.sizes for each in demands])
    alike = (own[:, None] == own[None, :]) | (own[:, None] == without[None, :])
    found: Bools = alike & (sizes[:, None] <= sizes[None, :]).all(axis=2)
    found[[each in set(refuted_kinds) for each in kinds]] = False
    np.fill_diagonal(found, True)
    return found
