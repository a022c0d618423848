"""What a compiler said of graphs that are no cases: single layers and segments that a sweep asked, kept in the store.

    replies/<sha256 of what was said>.json

What a graph asks is kept with it, so that it needn't be read again. Predictions, the words of a test double, and what
says nothing of the network are not kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from tasnet.hailo import Certainty
from tasnet.hailo.predict import Demands, PredictionKind, demands_from_json, demands_json
from tasnet.suite.ask.question import Foreseen, Question
from tasnet.suite.cases import Outcome, Stage
from tasnet.suite.run import Store, content_key


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    arch: str
    demands: dict[str, Any]
    kind: PredictionKind
    certainty: Certainty
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True)
class KeptReply:
    """One graph's outcomes, observed; what it asks, and the rules' verdict on it when it was asked."""

    name: str
    demands: Demands
    foreseen: Foreseen
    outcomes: tuple[Outcome, ...]


def keep_reply(store: Store, arch: str, question: Question, outcomes: Mapping[Stage, Outcome]) -> None:
    """Writes what was said of a question's graph; nothing where it was predicted or said by a test double."""
    said = tuple(outcomes.values())
    if any(each.provenance.predicted or each.provenance.double for each in said):
        return
    record = _Record(
        name=question.name,
        arch=arch,
        demands=demands_json(question.demands),
        kind=question.foreseen.kind,
        certainty=question.foreseen.certainty,
        outcomes=said,
    )
    key = content_key(record.model_dump(mode="json"))
    path = store.root / "replies" / f"{key}.json"
    if not path.is_file():
        store.seal(path, key, record.model_dump_json().encode())


def kept_replies(store: Store, arch: str) -> Iterator[KeptReply]:
    """All that is kept for an architecture. What is damaged is set aside, and said."""
    for path in sorted((store.root / "replies").glob("*.json")):
        text = store.unsealed(path, path.stem)
        try:
            record = _Record.model_validate(json.loads(text or b"null"))
            demands = demands_from_json(record.demands)
        except (ValidationError, ValueError):
            continue
        if record.arch == arch:
            yield KeptReply(record.name, demands, Foreseen(record.kind, record.certainty), record.outcomes)
