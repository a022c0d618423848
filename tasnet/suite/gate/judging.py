"""GateContext: what this side's toolchain and ledger say of the graphs that changed, on as many processes as asked."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from multiprocessing import connection
from pathlib import Path

from tasnet.common import Notify, unfinished, utc_today
from tasnet.hailo.files import Network, har
from tasnet.suite.ask import open_informed_pipeline
from tasnet.suite.cases import AnyCase, Outcome, Provenance, Stage, Status
from tasnet.suite.gate.difference import GraphChangeKind, GraphDifference, graph_difference
from tasnet.suite.gate.regression import GateSettings, Regression, gate_settings, size_regressions, verdict_regressions
from tasnet.suite.gate.result import ChangedGraph
from tasnet.suite.history import CaseRecord, case_record
from tasnet.suite.ledger import Entry, judge, read_ledger
from tasnet.suite.run import Pipeline, Recipe, Store, ToolchainOptions, cases_of, onnx_bytes

CaseRegressions = tuple[tuple[str, Regression], ...]
"""(case, what is worse about it)"""

ALONE = 8
"""graphs that one process judges in the time another one needs for its imports"""


@dataclass(frozen=True)
class GateRequest:
    """What the gate is to compare. `root` is the folder of this side: its package, ledger, thresholds and settings."""

    root: Path
    base: str
    profile: str
    choice: ToolchainOptions
    store: Path
    recipe: Recipe
    uncommitted: bool = False
    """judge files that differ from the last commit too"""
    processes: int = 1


@dataclass(frozen=True)
class GraphPair:
    """Two ONNX files of the store, and the cases that export `before` at the base and `after` here."""

    before: str
    after: str
    cases: tuple[str, ...]


@dataclass(frozen=True)
class GateContext:
    """A request, and what judging its graphs needs, read or opened when first used."""

    request: GateRequest

    @cached_property
    def cases(self) -> Mapping[str, AnyCase]:
        """This side's cases by their ids. Raises CaseError for a profile or an architecture that isn't known."""
        choice = self.request.choice
        found = cases_of(
            self.request.profile,
            choice.arch,
            self.request.store,
            toolchain=choice.name,
            checkpoint=self.request.recipe.checkpoint,
        )
        return {case.id: case for case in found.cases}

    @cached_property
    def entries(self) -> Sequence[Entry]:
        """This side's ledger. Raises LedgerError."""
        return read_ledger(self.request.root / "expected_failures.yaml").entries

    @cached_property
    def limits(self) -> GateSettings:
        """This side's settings. Raises GateError."""
        return gate_settings(self.request.root / "pyproject.toml")

    @cached_property
    def pipeline(self) -> Pipeline:
        """This side's pipeline. Raises what opening the toolchain and the store raises."""
        return open_informed_pipeline(self.request.store, self.request.choice, self.request.recipe)

    @cached_property
    def today(self) -> date:
        """The day on which an entry's `review` is past or not."""
        return utc_today()

    def outcomes(self, case: AnyCase, onnx: str, until: Stage = Stage.COMPILE) -> Mapping[Stage, Outcome]:
        """What the toolchain says of an ONNX file of the store, whichever side wrote it."""
        export = export_outcome(self.pipeline.store, onnx)
        return self.pipeline.run(case, until, exported=export, whole=until is Stage.TRANSLATE)

    def record(self, name: str, outcomes: Mapping[Stage, Outcome]) -> CaseRecord:
        """A case's outcomes against the ledger."""
        sized = self.pipeline.resolve(self.cases[name])
        judgement = judge(sized.axes(), outcomes, self.entries, self.today)
        return case_record(
            name, sized, self.request.profile, Stage.COMPILE, outcomes, judgement, trained=self.pipeline.trained
        )


def export_outcome(store: Store, onnx: str) -> Outcome:
    """The outcome of the export of an ONNX file that lies in the store."""
    return Outcome(
        stage=Stage.EXPORT,
        status=Status.PASSED,
        provenance=Provenance(toolchain=Stage.EXPORT.value, version="", predicted=False, exhaustive=True),
        artifact=onnx,
        figures={"onnx_bytes": onnx_bytes(store.path(onnx))},
    )


@lru_cache(maxsize=1)
def gate_context(request: GateRequest) -> GateContext:
    """The context of this process: what it has read and opened is kept for the next graph."""
    return GateContext(request)


def judge_pairs(
    request: GateRequest, pairs: Sequence[GraphPair], say: Notify
) -> Iterator[tuple[ChangedGraph, CaseRegressions]]:
    """Every pair in its order: how it changed, and what is worse about it."""
    for index, each in enumerate(_each_pair(request, pairs), 1):
        if index % 50 == 0 or index == len(pairs):
            say(f"judged {index} of {len(pairs)} changed graphs")
        yield each


def _each_pair(request: GateRequest, pairs: Sequence[GraphPair]) -> Iterator[tuple[ChangedGraph, CaseRegressions]]:
    if request.processes < 2 or len(pairs) <= ALONE:
        for pair in pairs:
            yield judge_pair(request, pair)
        return
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(request.processes, spawned, _leave_with_parent) as pool:
        try:
            yield from pool.map(judge_pair, [request] * len(pairs), pairs, chunksize=4)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _leave_with_parent() -> None:
    """End this worker when its parent is gone: it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def leave() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=leave, daemon=True).start()


def judge_pair(request: GateRequest, pair: GraphPair) -> tuple[ChangedGraph, CaseRegressions]:
    """How a graph changed, and what is worse about it, by case."""
    context = gate_context(request)
    first = context.cases[pair.cases[0]]
    translated = [context.outcomes(first, file, Stage.TRANSLATE) for file in (pair.before, pair.after)]
    found = _pair_difference(context.pipeline, *translated)
    if found and found.kind is GraphChangeKind.NAMES:
        return ChangedGraph(pair.cases, found), ()
    both = [context.outcomes(first, file) for file in (pair.before, pair.after)]
    grown = [*size_regressions(found, context.limits.size_share)] if found else []
    worse: list[tuple[str, Regression]] = []
    records = []
    for name in pair.cases:
        before, after = (context.record(name, outcomes) for outcomes in both)
        records.append((before, after))
        worse += [(name, each) for each in (*verdict_regressions(before, after), *grown)]
    return ChangedGraph(pair.cases, found, *records[0]), tuple(worse)


def _pair_difference(
    pipeline: Pipeline, before: Mapping[Stage, Outcome], after: Mapping[Stage, Outcome]
) -> GraphDifference | None:
    """How the HARs differ; None if a side has no HAR because its translation failed."""
    hars = [outcomes[Stage.TRANSLATE].artifact for outcomes in (before, after)]
    if not all(hars):
        return None
    sizes = [int(outcomes[Stage.EXPORT].figures["onnx_bytes"]) for outcomes in (before, after)]
    with unfinished.folder(prefix="tasnet-har") as folder:
        files = [pipeline.store.get_har(name, Path(folder) / f"{side}.har") for side, name in enumerate(hars)]

        def graphs(weights: bool) -> tuple[Network, Network]:
            return har.read(files[0], weights=weights), har.read(files[1], weights=weights)

        return graph_difference(*graphs(False), (sizes[0], sizes[1]), lambda: graphs(True))
