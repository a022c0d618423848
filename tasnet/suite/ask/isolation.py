"""The smallest graph that still shows a blocker: its nodes by delta debugging, then its sizes.

The layers that the toolchain names are a hint, and are tried first: mostly one of them alone shows the blocker. What is
found is held to be it only when the toolchain says so of the piece itself, and a second time when asked anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import onnx

from tasnet.common import printable
from tasnet.hailo import Failure
from tasnet.hailo.files import Network
from tasnet.suite.ask.answers import Answer, Asker, AskError, BudgetSpent
from tasnet.suite.ask.delta import fewest, smallest
from tasnet.suite.ask.sizes import FreeSize, free_sizes, resized
from tasnet.suite.ask.subgraph import Subgraph, shortcuts, subgraph_of, to_model, with_nodes

_HINTS = 4
"""layers of different kinds that are tried alone before all nodes are searched"""
_COARSE = 1 / 8
"""of a size: all sizes are first made smaller to this step, which takes few questions, and then to the last number"""

Say = Callable[[str], None]


@dataclass(frozen=True)
class SoughtBlocker:
    """What a toolchain stopped at: stage and family, and the kinds of the layers that it named, if it named any."""

    stage: str
    family: str
    kinds: frozenset[str]
    failure: Failure
    """as it was said of the whole graph"""

    def shown_by(self, answer: Answer) -> Failure | None:
        """The failure of an answer that is this blocker: same stage and family, and a layer of a kind named before."""
        for failure in answer.failures if answer.learned else ():
            kinds = _kinds(failure, answer.network)
            alike = (failure.stage, failure.family) == (self.stage, self.family)
            if alike and (not self.kinds or not kinds or kinds & self.kinds):
                return failure
        return None


@dataclass(frozen=True)
class Isolated:
    """A blocker and the smallest graph that was found to show it. `failure` is what was said of that graph.

    `whole_nodes` counts the nodes of the graph that it came from. `unfinished` says what a spent budget left undone.
    """

    blocker: SoughtBlocker
    graph: Subgraph
    failure: Failure
    network: Network | None
    whole_nodes: int
    seconds: float
    """what its last compile took"""
    unfinished: str = ""

    @property
    def model(self) -> onnx.ModelProto:
        """The ONNX model, with drawn weights and no name of the whole's."""
        return to_model(self.graph)


def blockers_of(answer: Answer) -> tuple[SoughtBlocker, ...]:
    """The blockers in an answer, one for each stage and family."""
    found: dict[tuple[str, str], SoughtBlocker] = {}
    for failure in answer.failures:
        key = (failure.stage, failure.family)
        kinds = _kinds(failure, answer.network)
        before = found.get(key)
        found[key] = SoughtBlocker(
            *key, kinds | before.kinds if before else kinds, before.failure if before else failure
        )
    return tuple(found.values())


def isolate(asker: Asker, model: onnx.ModelProto, family: str, say: Say) -> tuple[Isolated, ...]:
    """Each blocker of a settled model (or the one of a family), isolated. `say` hears a line for each step.

    Raises AskError where nothing can be isolated: no blocker, none that repeats, a toolchain that contradicts itself,
    a budget that is too small for one compile, or a graph of which nothing was learned.
    """
    try:
        answer = asker.ask(model)
    except BudgetSpent:
        raise AskError(_too_small(asker)) from None
    whole = subgraph_of(model)
    searches = [_Search(asker, blocker, whole, say) for blocker in _blockers(asker, answer, family)]
    # The nodes of every blocker before the sizes of any: a spent budget leaves pieces, and not one that is perfect.
    for search in searches:
        search.start(model, answer)
    for search in searches:
        search.shrink()
    return tuple(search.confirmed() for search in searches)


def _blockers(asker: Asker, answer: Answer, family: str) -> tuple[SoughtBlocker, ...]:
    if not answer.learned:
        raise AskError(f"the graph: {_ended(answer)}: nothing was learned of it; mend that and start again")
    blockers = blockers_of(answer)
    if not blockers:
        doubts = [doubt for outcome in answer.outcomes.values() for doubt in outcome.doubts]
        why = f" ({printable(doubts[0].message)})" if doubts else ""
        raise AskError(f"the graph has no blocker to isolate: {_ended(answer)}{why}; {asker.tool.name} was asked")
    chosen = tuple(each for each in blockers if family in ("", each.family))
    if not chosen:
        there = ", ".join(each.family for each in blockers)
        raise AskError(f"--family {printable(family)}: the graph doesn't show it; {asker.tool.name} names {there}")
    return chosen


@dataclass
class _Search:
    """The search for one blocker: the smallest graph so far that shows it, and what was said of that."""

    asker: Asker
    blocker: SoughtBlocker
    graph: Subgraph
    say: Say
    answer: Answer | None = None
    whole_nodes: int = field(init=False)
    left: str = ""
    """what a spent budget left undone"""

    def __post_init__(self) -> None:
        self.whole_nodes = len(self.graph.nodes)

    def start(self, model: onnx.ModelProto, answer: Answer) -> None:
        """Finds the fewest nodes; with a spent budget as few as were found."""
        whole = self.graph
        try:
            if not any(self.shows(with_nodes(whole, hint)) for hint in self._hints(answer)) and not self.shows(whole):
                raise AskError(self._not_of_drawn(model))
            self._fewer_nodes()
        except BudgetSpent:
            self.left = "its nodes and sizes"
        if self.answer is not None:
            self._tell(f"{len(self.graph.nodes)} of {self.whole_nodes} nodes")

    def shrink(self) -> None:
        """Makes the sizes smaller, one after another."""
        if self.left or self.answer is None:
            return
        lows: dict[tuple[object, ...], int] = {}
        try:
            for grain in (_COARSE, 0.0):
                done: set[tuple[object, ...]] = set()
                while group := self._next_sizes(done):
                    self._smaller(group, lows, grain)
                    done |= {each.place for each in group}
        except BudgetSpent:
            self.left = "its sizes"

    def confirmed(self) -> Isolated:
        """What was found, asked anew: a second answer that says otherwise ends it."""
        if self.answer is None:
            raise AskError(
                f"{self.blocker.family}: the budget ended before a piece of the graph was shown to have it; "
                "what was answered is kept: the same command with more of it goes on"
            )
        failure = self.blocker.shown_by(self.answer)
        assert failure is not None
        undone = filter(None, (self.left, self._asked_again(self.answer)))
        return Isolated(
            self.blocker,
            self.graph,
            failure,
            self.answer.network,
            self.whole_nodes,
            self.answer.seconds,
            "; ".join(undone),
        )

    def shows(self, graph: Subgraph | None) -> bool:
        """Whether the toolchain says of this graph that it has the blocker; the last that does is kept."""
        if graph is None or not graph.usable:
            return False
        model = to_model(graph)
        answer = self.asker.ask(model)
        self.asker.keep(model, answer)
        if self.blocker.shown_by(answer) is None:
            return False
        self.graph, self.answer = graph, answer
        return True

    # --- nodes

    def _hints(self, answer: Answer) -> Iterator[Sequence[int]]:
        """Nodes that were named, then those behind the named layers: one layer of each kind alone, then all of them."""
        failures = [each for each in answer.failures if each.family == self.blocker.family]
        numbers = {node.name: index for index, node in enumerate(self.graph.nodes)}
        named = {numbers[node] for failure in failures for node in failure.nodes if node in numbers}
        yield from ([node] for node in sorted(named)[:_HINTS])
        layers = {layer.name: layer for layer in answer.network or ()}
        kinds: dict[str, list[int]] = {}
        together: set[int] = set()
        for name in (name for failure in failures for name in failure.layers if name in layers):
            behind = sorted({numbers[each] for each in layers[name].original_names if each in numbers})
            together |= set(behind)
            if behind:
                kinds.setdefault(layers[name].type, behind)
        yield from sorted(kinds.values(), key=len)[:_HINTS]
        if 1 < len(together) < len(self.graph.nodes):
            yield sorted(together)

    def _fewer_nodes(self) -> None:
        graph = self.graph
        kept = fewest(range(len(graph.nodes)), lambda some: self.shows(with_nodes(graph, some)))
        self.graph = with_nodes(graph, kept)
        while any(self.shows(shorter) for shorter in shortcuts(self.graph)):
            pass

    # --- sizes

    def _next_sizes(self, done: set[tuple[object, ...]]) -> tuple[FreeSize, ...]:
        """Free sizes that weren't tried in this round: those that are equal together first, then each alone."""
        free = free_sizes(self.graph)
        todo = [each for each in free if each.place not in done]
        if not todo:
            return ()
        alike = tuple(each for each in free if (each.what, each.now) == (todo[0].what, todo[0].now))
        return alike if all(each in todo for each in alike) else (todo[0],)

    def _smaller(self, group: Sequence[FreeSize], lows: dict[tuple[object, ...], int], grain: float) -> None:
        graph, size = self.graph, group[0].now
        known = tuple(each.place for each in group)
        low, found = smallest(
            size,
            lambda now: self.shows(resized(graph, dict.fromkeys(group, now))),
            lows.get(known, 0),
            grain,
        )
        lows[known] = low
        if found < size:
            self._tell(f"{group[0].what} {size} to {found}")

    # --- again

    def _asked_again(self, first: Answer) -> str:
        """What to say of a second asking that taught nothing. Raises AskError where it said something else."""
        try:
            model = to_model(self.graph)
            second = self.asker.ask(model, asked=2)
            # One that says otherwise than the first stands beside it: nothing is inferred from either.
            self.asker.keep(model, second)
        except BudgetSpent:
            return "it was not asked a second time"
        if not second.learned:
            return f"asked a second time, {_ended(second)}: nothing was learned"
        if self.blocker.shown_by(second) is None:
            tool = self.asker.tool
            raise AskError(
                f"{tool.name} {tool.version} contradicts itself: asked for {self.blocker.family} of one graph of "
                f"{len(self.graph.nodes)} nodes, {_ended(first)}; asked again, {_ended(second)}; both answers are kept "
                f"in {self.asker.store.root}, and nothing is written"
            )
        return ""

    def _not_of_drawn(self, model: onnx.ModelProto) -> str:
        """Why the whole graph with drawn weights doesn't show what it shows with its own."""
        second = self.asker.ask(model, asked=2)
        if self.blocker.shown_by(second) is None:
            return f"{self.blocker.family} does not repeat: the same graph, asked again, {_ended(second)}"
        return (
            f"{self.blocker.family} depends on the weights: the same graph with drawn ones doesn't show it, and its "
            "own are not given away"
        )

    def _tell(self, text: str) -> None:
        self.say(f"{self.blocker.family}: {text} ({self.asker.compiles} compiles)")


def _kinds(failure: Failure, network: Network | None) -> frozenset[str]:
    """The kinds of the layers that a failure names."""
    kinds = {layer.name: layer.type for layer in network} if network else {}
    return frozenset(kinds[name] for name in failure.layers if name in kinds)


def _ended(answer: Answer) -> str:
    first = next(iter((*answer.failures, *answer.end.doubts)), None)
    why = first.family if first else printable(answer.end.reason)
    return f"{answer.end.stage.value} {answer.end.status.value}" + (f" ({why})" if why else "")


def _too_small(asker: Asker) -> str:
    budget = asker.budget
    if budget.compiles is not None and budget.compiles < 1:
        return f"--compiles {budget.compiles}: too small for one compile"
    return (
        f"--hours {(budget.seconds or 0) / 3600:g}: too small for one compile, which was cut after "
        f"{asker.clock() - asker.started:.0f} s; nothing was learned: give more"
    )
