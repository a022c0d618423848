"""The evidence in a store as replies: what a compiler said of graphs, with what the rules had predicted of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from tasnet.hailo.predict import PUBLIC_RECORD, Bracket, Demands, Observations, Reference
from tasnet.suite.ask.bracket import observations_of
from tasnet.suite.ask.graphs import Graph, Unread, read_graph
from tasnet.suite.ask.knowledge import Reply, known_from
from tasnet.suite.ask.question import RuleVerdict
from tasnet.suite.cases import Outcome, Stage, Status, parse_any_case
from tasnet.suite.observed import Evidence, SharedEvidence, everything_observed, is_of_the_network
from tasnet.suite.run import Pipeline, Store


@dataclass(frozen=True)
class TimedReply:
    """A reply, what the rules had predicted of its graph by the public bracket, and the seconds that it took."""

    reply: Reply
    predicted: RuleVerdict
    seconds: float = 0.0


@dataclass(frozen=True)
class StoredReplies:
    """All that a store's evidence says of an architecture. `unread` are graphs that can't be read here."""

    told: tuple[TimedReply, ...]
    unread: tuple[Unread, ...] = ()

    @property
    def bracket(self) -> Bracket:
        """The rows' bracket after all of it."""
        return self.observations.bracket

    @cached_property
    def observations(self) -> Observations:
        """What verdicts rest on after all of it."""
        return observations_of(known_from((), (each.reply for each in self.told)))


def stored_replies(store: Store, arch: str, evidence: SharedEvidence | None = None) -> StoredReplies:
    """The replies in the given evidence, or (None) in all of a store's, of every version of a toolchain.

    What says nothing of the network, and what ended before the compile, is no reply. `store` keeps the graphs.
    """
    # The graphs alone: no checkpoint, whatever weights were compiled.
    pipeline = Pipeline(store, Reference())
    told, unread = list[TimedReply](), list[Unread]()
    said = everything_observed(store) if evidence is None else evidence
    for each in said.cases:
        case, compiled = parse_any_case(each.case_id), whether_compiled(each.outcomes)
        if case.arch != arch or compiled is None or not is_of_the_network(each):
            continue
        graph = read_graph(pipeline, case, PUBLIC_RECORD)
        if isinstance(graph, Graph):
            told.append(_told(each, graph.demands, graph.predicted, compiled))
        else:
            unread.append(Unread((each.case_id,), graph))
    for one in said.graphs:
        compiled = whether_compiled(one.outcomes)
        if one.arch == arch and compiled is not None and is_of_the_network(one.as_run):
            told.append(_told(one.as_run, one.asked, RuleVerdict(one.kind, one.certainty), compiled))
    return StoredReplies(tuple(told), tuple(unread))


def whether_compiled(outcomes: Iterable[Outcome]) -> bool | None:
    """Whether a graph compiled; None where nobody was told. What ran on a chip was compiled."""
    ended = {each.stage: each.status for each in outcomes}
    if ended.get(Stage.COMPILE) is Status.PASSED or Stage.INFER in ended:
        return True
    stages = (Stage.TRANSLATE, Stage.OPTIMIZE, Stage.COMPILE)
    return False if any(ended.get(stage) is Status.FAILED for stage in stages) else None


def _told(evidence: Evidence, demands: Demands, predicted: RuleVerdict, compiled: bool) -> TimedReply:
    by = evidence.end.provenance
    figures = {name: value for each in evidence.outcomes for name, value in _limits(each)}
    limits = "".join(f", {name} {value}" for name, value in figures.items())
    family = next((failure.family for each in evidence.outcomes for failure in each.failures), "")
    said = f"{evidence.line}{limits}"
    reply = Reply(demands, compiled, evidence.case_id, said, f"{by.toolchain} {by.version}", "" if compiled else family)
    return TimedReply(reply, predicted, sum(one.seconds for one in evidence.outcomes))


def _limits(outcome: Outcome) -> Iterator[tuple[str, object]]:
    """The limits that a stage ran under, as far as it says."""
    for figures in (outcome.figures, *(each.figures for each in outcome.failures)):
        yield from ((name, value) for name, value in figures.items() if "limit" in name)
