"""Evidence of graphs that are no cases: single layers, pieces of a graph and segments, that somebody asked a compiler.

    replies/<sha256 of what was said>.json

What a graph demands is kept with it, so that it needn't be read again: of the graph itself, its weights and its names
nothing is. Predictions, the words of a test double, and what says nothing of the network are not kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from tasnet.hailo import Certainty
from tasnet.hailo.predict import Demands, PredictionKind, demands_from_json, demands_json
from tasnet.suite.cases import Outcome, Stage
from tasnet.suite.observed.evidence import Evidence, EvidenceError, check_outcomes, is_of_the_network
from tasnet.suite.run import Store, content_key


class GraphEvidence(BaseModel):
    """One observed run of a graph. `kind` and `certainty` are the rules' verdict on it when it was asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    arch: str
    demands: dict[str, Any]
    kind: PredictionKind
    certainty: Certainty
    outcomes: tuple[Outcome, ...]

    @field_validator("demands")
    @classmethod
    def _of_a_graph(cls, demands: dict[str, Any]) -> dict[str, Any]:
        demands_from_json(demands)
        return demands

    @cached_property
    def asked(self) -> Demands:
        """What the graph demands."""
        return demands_from_json(self.demands)

    @property
    def key(self) -> str:
        """sha256 of all of it."""
        return content_key(self.model_dump(mode="json"))

    @property
    def tag(self) -> str:
        """The graph's name, as evidence of a case has it."""
        return self.name

    @property
    def as_run(self) -> Evidence:
        """The same as a run of a case, for what reads its outcomes alone."""
        return Evidence(case_id=self.name, tag=self.name, outcomes=self.outcomes)


def keep_graph_answer(
    store: Store,
    arch: str,
    name: str,
    demands: Demands,
    predicted: tuple[PredictionKind, Certainty],
    outcomes: Mapping[Stage, Outcome],
) -> bool:
    """Writes what a compiler said of a graph to the store; False where it is there already, or is no evidence."""
    kind, certainty = predicted
    said = GraphEvidence(
        name=name,
        arch=arch,
        demands=demands_json(demands),
        kind=kind,
        certainty=certainty,
        outcomes=tuple(outcomes.values()),
    )
    try:
        return is_of_the_network(said.as_run) and keep_graph_evidence(store, said)
    except EvidenceError:
        return False


def keep_graph_evidence(store: Store, said: GraphEvidence) -> bool:
    """Writes it to the store; False if it was there. Raises EvidenceError for what wasn't observed."""
    check_outcomes(said.name, said.outcomes)
    path = store.root / "replies" / f"{said.key}.json"
    if path.is_file():
        return False
    store.seal(path, said.key, said.model_dump_json().encode())
    return True


def all_graph_evidence(store: Store) -> Iterator[GraphEvidence]:
    """All that is kept, by content. What is damaged is set aside, and said."""
    for path in sorted((store.root / "replies").glob("*.json")):
        text = store.unsealed(path, path.stem)
        try:
            said = GraphEvidence.model_validate(json.loads(text or b"null"))
            check_outcomes(said.name, said.outcomes)
        except (ValidationError, ValueError):
            continue
        yield said
