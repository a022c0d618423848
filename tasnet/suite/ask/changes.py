"""The smallest changes of a case's axes that remove a blocker, and what each costs: exact rewrites first.

Every change of one axis is predicted; where none removes a blocker, changes of two are. A change is *exact* where each
axis goes from one value that keeps the trained function to another; otherwise it makes another function, or takes a
shorter clip. All of it is predicted by the embedded toolchain: a change that removes a blocker may bring others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import combinations, product

from tasnet.hailo import Failure
from tasnet.hailo.files import HarError, HNError, Network, row_elements, total_figures, widest_shape
from tasnet.hailo.predict import Prediction, predict_network
from tasnet.network import AXES, EXACT, TrainedForm, VariantError, set_axis
from tasnet.suite.ask.known import known_observations
from tasnet.suite.cases import Case, CaseError, Stage, Status, graph_key
from tasnet.suite.run import Pipeline, StoreError, stored_graph

BLOCKS = (16, 8, 4, 2, 1)
"""TCN blocks that a truncation is tried at"""
SHORTER = (2, 4, 8)
"""parts of the clip that a shorter one is tried at"""
MAX_GRAPHS = 80
"""graphs of two changes that are predicted at most: a graph takes seconds to write"""


_FORMS: Mapping[str, frozenset[str]] = {"causal": frozenset({"pad", "taps"})}
"""values that compute the same as each other, and not what the trained network does unless it is such a one"""


class ChangeKind(str, Enum):
    """What a change does to the function, the mildest first."""

    EXACT = "exact"
    """the same function, up to float noise and the layout of inputs and outputs"""
    SHORTER = "shorter clip"
    """the same layers on fewer samples at a time"""
    OTHER = "another function"


@dataclass(frozen=True)
class GraphCost:
    """What a graph costs: layers of its HN, multiply-accumulates per clip, weights, elements of its widest row."""

    layers: int
    macs: int
    weights: int
    widest_row: int


@dataclass(frozen=True)
class Change:
    """A case that differs from another in a few axes, and what is predicted of it."""

    case: Case
    axes: tuple[tuple[str, str, str], ...]
    """(axis, value before, value after)"""
    kind: ChangeKind
    inexact_axes: tuple[str, ...]
    """the axes on which it is another function than the trained network"""
    verdict: str
    brings: tuple[str, ...]
    """families of blockers that the case before it hadn't"""
    cost: GraphCost

    @property
    def text(self) -> str:
        """`decoder=polyphase, layout=vertical`."""
        return ", ".join(f"{axis}={after}" for axis, _, after in self.axes)


@dataclass(frozen=True)
class Removals:
    """By blocker (stage and family) the smallest changes that remove it, the mildest and cheapest first.

    `together` is the first of each in one case. `tried` graphs were predicted; `untried` changes of two axes were not,
    because there were too many.
    """

    before: GraphCost
    inexact_axes: tuple[str, ...]
    """of the case itself"""
    by: Mapping[tuple[str, str], tuple[Change, ...]]
    together: Change | None
    tried: int
    untried: int


def removals(
    pipeline: Pipeline, case: Case, wanted: Sequence[tuple[str, str]], say: Callable[[str], None]
) -> Removals | None:
    """What removes each of the `wanted` blockers (stage, family) from a case; None where its own graph isn't read.

    `pipeline` is the embedded toolchain's. `say` hears a line before each round of predictions.
    """
    start = _predicted(pipeline, case)
    if start is None:
        return None
    before, had = start
    tried: dict[str, tuple[GraphCost, Prediction] | None] = {graph_key(case): start}
    by: dict[tuple[str, str], tuple[Change, ...]] = {}
    untried = 0
    for count in (1, 2):
        left = [each for each in wanted if each not in by]
        if not left:
            break
        changes = _candidates(case, count)
        say(f"changes of {count} {'axis' if count == 1 else 'axes'}: {len(changes)} graphs to predict")
        made: list[tuple[Change, Prediction]] = []
        for number, (axes, other) in enumerate(changes):
            if count > 1 and number >= MAX_GRAPHS:
                untried = len(changes) - number
                break
            key = graph_key(other)
            if key not in tried:
                tried[key] = _predicted(pipeline, other)
            if (found := tried[key]) is not None:
                made.append((_change(case, axes, other, found, had, pipeline.trained), found[1]))
        for each in left:
            gone = [change for change, prediction in made if each not in _present(prediction)]
            if gone:
                by[each] = tuple(sorted(gone, key=_order))
    together = _together(pipeline, case, [changes[0] for changes in by.values()], had)
    own = case.variant.inexact_axes(case.size, pipeline.trained)
    return Removals(before, own, by, together, len(tried) + (together is not None), untried)


def _together(pipeline: Pipeline, case: Case, changes: Sequence[Change], had: Prediction) -> Change | None:
    """All the changes in one case; None for fewer than two, or where one undoes another."""
    axes = tuple(dict.fromkeys(each for change in changes for each in change.axes))
    values = {axis: after for axis, _, after in axes}
    if len(values) < max(2, len(axes)):
        return None
    try:
        other = _with(case, values)
    except (VariantError, CaseError):
        return None
    found = _predicted(pipeline, other)
    return _change(case, axes, other, found, had, pipeline.trained) if found else None


def _order(change: Change) -> tuple[object, ...]:
    return list(ChangeKind).index(change.kind), len(change.brings), change.cost.macs, change.cost.layers, change.text


def _candidates(case: Case, count: int) -> list[tuple[tuple[tuple[str, str, str], ...], Case]]:
    """The cases at `count` changed axes, one for each graph, the exact ones first."""
    choices = {axis: list(_values(case, axis)) for axis in (*AXES, "T")}
    seen = {graph_key(case)}
    found = []
    for axes in combinations(choices, count):
        for values in product(*(choices[axis] for axis in axes)):
            try:
                other = _with(case, dict(zip(axes, values, strict=True)))
            except (VariantError, CaseError):
                continue
            if (key := graph_key(other)) not in seen:
                seen.add(key)
                told = case.axes()
                changed = tuple((axis, str(told[axis]), value) for axis, value in zip(axes, values, strict=True))
                found.append((changed, other))
    return sorted(found, key=lambda each: list(ChangeKind).index(_kind(case, each[1])))


def _values(case: Case, axis: str) -> Iterator[str]:
    if axis == "T":
        yield from (str(case.length // part) for part in SHORTER if case.length // part >= case.size.L)
    elif axis == "blocks":
        kept = case.variant.blocks or case.size.total_blocks
        yield from (str(blocks) for blocks in BLOCKS if blocks < kept)
        if case.variant.blocks:
            yield "all"
    else:
        yield from (value for value in AXES[axis] if value != getattr(case.variant, axis))


def _with(case: Case, values: Mapping[str, str]) -> Case:
    variant, length = case.variant, case.length
    for axis, value in values.items():
        if axis == "T":
            length = int(value)
        else:
            variant = set_axis(variant, axis, value)
    return replace(case, variant=variant, length=length)


def _kind(case: Case, other: Case) -> ChangeKind:
    old, new = case.variant.canonical(case.size), other.variant.canonical(case.size)
    if not all(_alike(axis, getattr(old, axis), getattr(new, axis)) for axis in AXES):
        return ChangeKind.OTHER
    return ChangeKind.SHORTER if other.length < case.length else ChangeKind.EXACT


def _alike(axis: str, old: object, new: object) -> bool:
    """Whether two values of an axis compute the same: the trained function both, or another one both."""
    return old == new or any(
        {old, new} <= those for those in (EXACT.get(axis, frozenset()), _FORMS.get(axis, frozenset()))
    )


def _change(
    case: Case,
    axes: tuple[tuple[str, str, str], ...],
    other: Case,
    found: tuple[GraphCost, Prediction],
    had: Prediction,
    trained: TrainedForm,
) -> Change:
    cost, prediction = found
    return Change(
        other,
        axes,
        _kind(case, other),
        other.variant.inexact_axes(other.size, trained),
        prediction.kind.value,
        tuple(dict.fromkeys(each.family for each in prediction.blockers if _key(each) not in _present(had))),
        cost,
    )


def _present(prediction: Prediction) -> frozenset[tuple[str, str]]:
    """The blockers of a graph, and those that may come: a blocker that has only become doubtful isn't gone."""
    return frozenset(map(_key, (*prediction.blockers, *prediction.doubts)))


def _key(failure: Failure) -> tuple[str, str]:
    return failure.stage, failure.family


def _predicted(pipeline: Pipeline, case: Case) -> tuple[GraphCost, Prediction] | None:
    """What a case's graph costs and what is predicted of it; None for one that can't be written or read."""
    outcome = pipeline.run(case, Stage.TRANSLATE)[Stage.TRANSLATE]
    if outcome.status is not Status.PASSED:
        return None
    try:
        with pipeline.store.workspace() as desk:
            network = stored_graph(pipeline.store, outcome.artifact, desk)
    except (StoreError, HarError, HNError):
        return None
    return graph_cost(network), predict_network(network, case.arch, known_observations(pipeline.store, case.arch))


def graph_cost(network: Network) -> GraphCost:
    """What a graph costs."""
    figures = total_figures(network)
    rows = max((row_elements(widest_shape(layer)) for layer in network), default=0)
    return GraphCost(len(network.layers), figures.macs, figures.weights, rows)
