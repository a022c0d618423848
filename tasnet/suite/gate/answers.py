"""The driver's answers, checked: it runs code of another day, or broken code, of either side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tasnet.common import Notify, printable
from tasnet.suite.cases import MAX_ID_CHARS
from tasnet.suite.gate.checkout import GateError
from tasnet.suite.history import PlanRecord

MAX_CASES = 20_000


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("not printable")
    return text


Name = Annotated[str, Field(min_length=1, max_length=MAX_ID_CHARS), AfterValidator(_printable)]
Text = Annotated[str, AfterValidator(lambda text: printable(text, most=1000))]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class CasesAnswer(_Answer):
    """Every case with its graph: [id, graph]."""

    cases: Annotated[list[Annotated[list[Name], Field(min_length=2, max_length=2)]], Field(max_length=MAX_CASES)]


Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Number = Annotated[int, Field(ge=0)]


class PlanAnswer(_Answer):
    """The figures of a network's plan, or why there is none."""

    network: Name
    name: Name
    trouble: Text
    hardware: Text
    hefs: Number
    invocations: Number
    macs: Number
    uncut_macs: Number
    seconds: Amount
    null_seconds: Amount
    clip_seconds: Amount
    evidence: Text


class PlansAnswer(_Answer):
    """Every network that is planned."""

    plans: Annotated[list[PlanAnswer], Field(max_length=MAX_CASES)]


class GraphAnswer(_Answer):
    """A graph's file in the side's store, or why there is none."""

    graph: Name
    artifact: Annotated[str, Field(pattern=r"^(onnx/[0-9a-f]{64}\.onnx)?$", max_length=80)]
    reason: Text


class DoneAnswer(_Answer):
    """The last answer."""

    done: Literal[True]


class ErrorAnswer(_Answer):
    """The side's code can't export graphs."""

    error: Text


_ANSWER: TypeAdapter[PlansAnswer | CasesAnswer | GraphAnswer | DoneAnswer | ErrorAnswer] = TypeAdapter(
    PlansAnswer | CasesAnswer | GraphAnswer | DoneAnswer | ErrorAnswer
)


@dataclass(frozen=True)
class SideGraphs:
    """A side's graphs. `files`: case -> ONNX file in the side's store; `reasons`: case -> why it has none.

    `plans`: a network's case -> the record of its plan.
    """

    graphs: Mapping[str, str] = field(default_factory=dict)
    """case -> graph"""
    files: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    plans: Mapping[str, PlanRecord] = field(default_factory=dict)


@dataclass
class SideAnswers:
    """Collects the answers of one side as they come. `name` is the side's; `say` is called with its progress."""

    name: str
    say: Notify
    cases: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    plans: dict[str, PlanRecord] = field(default_factory=dict)
    done: bool = False

    def add(self, message: Mapping[str, Any]) -> None:
        """Check and keep an answer. Raises GateError for one that isn't valid here, and for the side's own error."""
        try:
            answer = _ANSWER.validate_python(message)
        except ValidationError:
            raise self._refused(f"it answers {printable(repr(message), most=120)}") from None
        if isinstance(answer, ErrorAnswer):
            raise GateError(f"{self.name} has no graphs to compare: {answer.error}; choose a revision with the suite")
        if self.done:
            raise self._refused("it answers on when it is done")
        if isinstance(answer, PlansAnswer):
            if self.plans:
                raise self._refused("it names its plans twice")
            self.plans = {each.network: PlanRecord(**each.model_dump()) for each in answer.plans}
        elif isinstance(answer, CasesAnswer):
            if self.cases:
                raise self._refused("it names its cases twice")
            self.cases = {each[0]: each[1] for each in answer.cases}
        elif isinstance(answer, GraphAnswer):
            self._graph(answer)
        elif {*self.files, *self.reasons} == {*self.cases.values()}:
            self.done = True
        else:
            raise self._refused("it is done, and has not answered for every graph")

    def _graph(self, answer: GraphAnswer) -> None:
        total = len({*self.cases.values()})
        if answer.graph in self.files or answer.graph in self.reasons or answer.graph not in self.cases.values():
            raise self._refused(f"it answers for {answer.graph}, which nobody asked for")
        place = self.files if answer.artifact else self.reasons
        place[answer.graph] = answer.artifact or answer.reason
        count = len(self.files) + len(self.reasons)
        if count % 50 == 0 or count == total:
            self.say(f"{self.name}: {count} of {total} graphs exported")

    def _refused(self, what: str) -> GateError:
        return GateError(f"{self.name}'s code is not to be believed: {what}; choose another revision")

    @property
    def graphs(self) -> SideGraphs:
        """The graphs by case."""
        return SideGraphs(self.cases, self._by_case(self.files), self._by_case(self.reasons), self.plans)

    def _by_case(self, by_graph: Mapping[str, str]) -> dict[str, str]:
        return {case: by_graph[graph] for case, graph in self.cases.items() if graph in by_graph}
