"""What is asked about: the distinct graphs of profiles and of a plan, read once and noted in the store.

A graph is read by the embedded translator, whatever toolchain is asked later. What the rules foresee is noted with
the observations that it was predicted by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasnet.common import source_digest
from tasnet.hailo import Certainty
from tasnet.hailo.files import Network, har
from tasnet.hailo.predict import (
    Demands,
    Observations,
    PredictionKind,
    demands_from_json,
    demands_json,
    demands_of,
    predict_network,
)
from tasnet.suite.ask.question import Question, RuleVerdict, Source, rule_verdict
from tasnet.suite.cases import AnyCase, Case, Outcome, Stage, graph_key
from tasnet.suite.run import Pipeline, Store, content_key, stored_graph

if TYPE_CHECKING:
    from tasnet.plan import Plan


@dataclass(frozen=True)
class Unread:
    """Cases that nothing can be asked about: the embedded translator can't read their graph. One line says why."""

    cases: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class Graph:
    """A graph as read. `onnx` is the store's name of its file."""

    demands: Demands
    predicted: RuleVerdict
    onnx: str


def read_graph(pipeline: Pipeline, case: AnyCase, known: Observations) -> Graph | str:
    """The graph of a case, or why it can't be read: the export or the embedded translation didn't pass."""
    outcomes = pipeline.run(case, Stage.TRANSLATE)
    translated = outcomes[Stage.TRANSLATE]
    if not translated.artifact:
        return _why(translated)
    return graph_of_har(pipeline.store, translated.artifact, case.arch, known, outcomes[Stage.EXPORT].artifact)


def graph_of_har(store: Store, name: str, arch: str, known: Observations, onnx: str) -> Graph:
    """The graph of a HAR in the store, read once; `onnx` is the store's name of its source. Raises StoreError."""
    parts = {"har": name, "arch": arch, "known": known.digest}
    key = content_key({**parts, "demands": source_digest("hailo/files", "hailo/predict", "suite/ask")})
    noted = store.note(key)
    if noted is None:
        with store.workspace() as desk:
            network = stored_graph(store, name, desk)
        noted = _noted(network, arch, known)
        store.put_note(key, noted)
    return Graph(*_from_note(noted), onnx)


def case_questions(
    pipeline: Pipeline, cases: Iterable[Case], known: Observations, on_read: Callable[[Case], None] = lambda case: None
) -> tuple[list[Question], list[Unread]]:
    """A question for each distinct graph of the cases; each case has the same share. `on_read` is called for each."""
    meant: dict[str, list[Case]] = {}
    for case in cases:
        meant.setdefault(graph_key(pipeline.resolve(case)), []).append(case)
    count = sum(map(len, meant.values()))
    questions, unread = [], []
    for those in meant.values():
        graph, ids = read_graph(pipeline, those[0], known), tuple(each.id for each in those)
        if isinstance(graph, Graph):
            share = len(ids) / count
            questions.append(Question(ids[0], graph.demands, graph.predicted, Source.CASE, ids, share, graph.onnx))
        else:
            unread.append(Unread(ids, graph))
        on_read(those[0])
    return questions, unread


def plan_questions(at: Path, known: Observations) -> tuple[list[Question], Plan]:
    """A question for each distinct graph of a plan's segments. Raises PlanError."""
    # Only now: it loads torch, and who tells of a run reads no plan.
    from tasnet.plan import check_files, read_plan

    plan = read_plan(at)
    folder = at if at.is_dir() else at.parent
    check_files(plan, folder)
    found: dict[Demands, Question] = {}
    for each in plan.on_chip:
        assert each.onnx is not None
        assert each.har is not None
        network = har.read(folder / each.har.name, weights=False)
        demands = demands_of(network)
        question = found.get(demands) or Question(
            f"{folder.name}/{each.name}",
            demands,
            rule_verdict(predict_network(network, plan.arch, known)),
            Source.SEGMENT,
            weight=0.0,
            onnx=str((folder / each.onnx.name).absolute()),
        )
        share = question.weight + 1 / len(plan.on_chip)
        found[demands] = replace(question, stands_for=(*question.stands_for, each.name), weight=share)
    return list(found.values()), plan


def _why(outcome: Outcome) -> str:
    first = next(iter((*outcome.failures, *outcome.doubts)), None)
    return f"{outcome.stage.value} {outcome.status.value}: {first.message if first else outcome.reason}"


def _noted(network: Network, arch: str, known: Observations) -> dict[str, Any]:
    seen = rule_verdict(predict_network(network, arch, known))
    return {
        "demands": demands_json(demands_of(network)),
        "kind": seen.kind.value,
        "certainty": seen.certainty.value,
        "blockers": sorted([family, certainty.value] for family, certainty in seen.blockers),
        "doubts": sorted(seen.doubts),
    }


def _from_note(noted: Mapping[str, Any]) -> tuple[Demands, RuleVerdict]:
    blockers = frozenset((family, Certainty(certainty)) for family, certainty in noted["blockers"])
    seen = RuleVerdict(
        PredictionKind(noted["kind"]), Certainty(noted["certainty"]), blockers, frozenset(noted["doubts"])
    )
    return demands_from_json(noted["demands"]), seen
