"""A question: a distinct graph whose verdict nobody has observed, and what the rules foresee of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tasnet.hailo import Certainty
from tasnet.hailo.predict import Demands, Prediction, PredictionKind


class Source(str, Enum):
    """What a graph is of."""

    CASE = "case"
    SEGMENT = "segment"
    """of a plan"""
    SINGLE_LAYER = "single layer"
    """one layer alone, made to be asked"""


@dataclass(frozen=True)
class RuleVerdict:
    """The rules' verdict on a graph: its blockers by family and certainty, its doubts but for those about rows."""

    kind: PredictionKind
    certainty: Certainty
    blockers: frozenset[tuple[str, Certainty]] = frozenset()
    doubts: frozenset[str] = frozenset()

    @property
    def text(self) -> str:
        """`blocked, observed (agent_infeasible)` or the like."""
        families = ", ".join(sorted({family for family, _ in self.blockers}))
        return f"{self.kind.value}, {self.certainty.value}{f' ({families})' if families else ''}"


@dataclass(frozen=True)
class Question:
    """One distinct graph. `stands_for` are the ids of the cases, or the names of the segments, that have it.

    `weight` is the share that it has of what is asked about: of each profile, plan or set of layers that it is in.
    """

    name: str
    demands: Demands
    predicted: RuleVerdict
    source: Source = Source.CASE
    stands_for: tuple[str, ...] = ()
    weight: float = 1.0
    onnx: str = ""
    """of a case the store's name of its file, of a segment the path"""
    model: bytes = b""
    """of a single layer the file itself"""


def rule_verdict(prediction: Prediction) -> RuleVerdict:
    """What is kept of a prediction."""
    # A doubt about a row names the bracket; how likely the row goes is told by the bracket itself.
    doubts = {each.family for each in prediction.doubts if "bracket_pass_elements" not in each.figures}
    return RuleVerdict(
        prediction.kind,
        prediction.certainty,
        frozenset((each.family, each.certainty) for each in prediction.blockers if each.certainty is not None),
        frozenset(doubts),
    )
