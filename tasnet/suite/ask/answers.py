"""A toolchain asked about one graph after another, within a budget; every answer is kept.

In goes an ONNX model, out comes an `Answer`. What was answered lies in the store under the graph's bytes, so that a
search which was killed asks the same questions again and has them at once. Only the toolchain's own word about a graph
is an answer: our limits, the machine and words that nobody knows are none, and are asked again next time. What the
store's evidence has of the same bytes, toolchain, version and chip, be it imported, needn't be asked either.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import onnx

from tasnet.common import TasnetError
from tasnet.hailo import UNINFORMATIVE_FAMILIES, Failure, Toolchain
from tasnet.hailo.files import HarError, HNError, Layer, Network
from tasnet.hailo.predict import demands_of, predict_network
from tasnet.hailo.translate import TranslationError, translate
from tasnet.suite.cases import LEARNED_NOTHING, Outcome, Stage
from tasnet.suite.observed import everything_observed, keep_graph_answer
from tasnet.suite.run import GraphToCompile, Store, StoreError, compile_graph, stored_graph

DRAWN = "drawn, 8 frames of uniform noise, seed 0"
"""what a question's inputs are calibrated with: nobody's recordings"""
_FRAMES = 8
NET = "isolated"
"""what a question's network is called in HARs and logs"""


class AskError(TasnetError, RuntimeError):
    """A question that can't be asked, or whose answers can't be gone by. One line."""


class BudgetSpent(Exception):
    """The next question would be past the budget: whoever searches ends with what it has."""


@dataclass(frozen=True)
class Budget:
    """How many compiles there may be, and how many seconds they may take together; None is no limit."""

    compiles: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Answer:
    """What a toolchain said of a graph. `network` is the graph as its own translator left it, None if it left none."""

    outcomes: Mapping[Stage, Outcome]
    network: Network | None = None

    @property
    def end(self) -> Outcome:
        """The stage that it came to."""
        return list(self.outcomes.values())[-1]

    @property
    def failures(self) -> tuple[Failure, ...]:
        """The failures of all stages, each telling of the graph."""
        return tuple(failure for outcome in self.outcomes.values() for failure in outcome.failures)

    @property
    def learned(self) -> bool:
        """Whether it tells anything of the graph."""
        broke = any(outcome.status in LEARNED_NOTHING for outcome in self.outcomes.values())
        return not broke and not {failure.family for failure in self.failures} & UNINFORMATIVE_FAMILIES

    @property
    def seconds(self) -> float:
        """What its stages took when they were run."""
        return sum(outcome.seconds for outcome in self.outcomes.values())

    @property
    def log(self) -> str:
        """The store's name of the last stage's log; empty without one."""
        return str(self.end.figures.get("log", ""))


@dataclass
class Asker:
    """Asks one toolchain, and counts. `compiles` are those run by it, `kept` those that the store had already."""

    store: Store
    tool: Toolchain
    arch: str
    budget: Budget = Budget()
    clock: Callable[[], float] = time.monotonic
    compiles: int = 0
    kept: int = 0
    unlearned: int = 0
    started: float = field(init=False)
    spent: float = 0.0
    """seconds from when it was made to its last answer"""

    def __post_init__(self) -> None:
        self.started = self.clock()

    def ask(self, model: onnx.ModelProto, asked: int = 1) -> Answer:
        """The toolchain's word on a model; the `asked`th one, each kept by itself.

        Raises BudgetSpent before a compile that the budget has no room for, and where it was cut by it. StoreError.
        """
        fresh = False
        data = model.SerializeToString(deterministic=True)

        def starting(_: Stage) -> None:
            nonlocal fresh
            if not fresh:
                if asked == 1 and (told := self._elsewhere.get(hashlib.sha256(data).hexdigest())):
                    raise _ToldElsewhere(told)
                self._check_budget()
                self.compiles += 1
                fresh = True

        with self.store.workspace() as desk:
            path = desk / "question.onnx"
            path.write_bytes(data)
            graph = GraphToCompile(NET, path, _noise, DRAWN, asked)
            try:
                outcomes: Mapping[Stage, Outcome] = compile_graph(self.store, self._tool(), self.arch, graph, starting)
                network = self._network(outcomes, desk)
            except _ToldElsewhere as told:
                outcomes, network = told.outcomes, _translated(model)
        answer = Answer(outcomes, network)
        self.kept += not fresh
        self.spent = self.clock() - self.started
        if not answer.learned:
            if self._left == 0:
                raise BudgetSpent
            self.unlearned += 1
        return answer

    def keep(self, model: onnx.ModelProto, answer: Answer) -> None:
        """Keeps what was said of a model with drawn weights and numbered names as evidence, to go by and to share."""
        network = _translated(model) if answer.learned else None
        if network is not None:
            seen = predict_network(network, self.arch)
            name = f"graph {hashlib.sha256(model.SerializeToString(deterministic=True)).hexdigest()[:12]}"
            verdict = (seen.kind, seen.certainty)
            keep_graph_answer(self.store, self.arch, name, demands_of(network), verdict, answer.outcomes)

    @cached_property
    def _elsewhere(self) -> Mapping[str, Mapping[Stage, Outcome]]:
        """What the store's evidence has by this toolchain's version for this chip, by the ONNX file's sha256."""
        found: dict[str, Mapping[Stage, Outcome]] = {}
        for each in everything_observed(self.store).graphs:
            by = each.outcomes[0].provenance
            if (by.toolchain, by.version, each.arch) == (self.tool.name, self.tool.version, self.arch):
                found.setdefault(by.inputs, {one.stage: one for one in each.outcomes})
        return found

    def _check_budget(self) -> None:
        if self.budget.compiles is not None and self.compiles >= self.budget.compiles:
            raise BudgetSpent
        if self._left == 0:
            raise BudgetSpent

    @property
    def _left(self) -> float | None:
        """Seconds of the budget that are left."""
        return None if self.budget.seconds is None else max(0.0, self.budget.seconds + self.started - self.clock())

    def _tool(self) -> Toolchain:
        """The toolchain, held to the time that is left: a stage that would go past it is cut, and is no answer."""
        limits = getattr(self.tool, "limits", None)
        left = self._left
        if limits is None or left is None:
            return self.tool
        cut = {
            stage: limits.of(stage).model_copy(
                update={"seconds": min(max(left, 1.0), limits.of(stage).seconds), "retries": 0}
            )
            for stage in ("translate", "optimize", "compile")
        }
        return replace(self.tool, limits=limits.model_copy(update=cut))  # type: ignore[type-var]

    def _network(self, outcomes: Mapping[Stage, Outcome], desk: Path) -> Network | None:
        left = outcomes[Stage.TRANSLATE].artifact
        if not left:
            return None
        try:
            return stored_graph(self.store, left, desk)
        except (StoreError, HarError, HNError):
            return None


class _ToldElsewhere(Exception):
    """The question was answered already, as the store's evidence says."""

    def __init__(self, outcomes: Mapping[Stage, Outcome]) -> None:
        super().__init__()
        self.outcomes = outcomes


def _translated(model: onnx.ModelProto) -> Network | None:
    """The graph by the embedded translator; None for one that it can't read."""
    try:
        return translate(model, NET)
    except TranslationError:
        return None


def _noise(layers: Sequence[Layer]) -> Mapping[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {
        layer.name: random.uniform(-1, 1, (_FRAMES, *layer.output_shape[1:])).astype(np.float32) for layer in layers
    }
