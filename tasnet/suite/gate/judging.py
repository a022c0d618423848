"""Judging: what this side's toolchain and ledger say of the graphs that changed, on as many processes as asked."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timezone
from functools import cached_property, lru_cache
from multiprocessing import connection
from pathlib import Path

from tasnet.common import unfinished
from tasnet.hailo.files import Network, har
from tasnet.suite.cases import Case, Outcome, Provenance, Stage, Status, profile_cases
from tasnet.suite.gate.difference import Difference, What, difference
from tasnet.suite.gate.regression import Regression, of_size, of_verdict
from tasnet.suite.gate.result import Changed
from tasnet.suite.gate.settings import Settings, settings
from tasnet.suite.history import CaseRecord, case_record
from tasnet.suite.ledger import Entry, judge, read_ledger
from tasnet.suite.run import CaseCalibration, Pipeline, Recipe, ToolchainOptions, onnx_bytes, open_store, open_toolchain

Say = Callable[[str], None]
Worse = tuple[tuple[str, Regression], ...]
"""a case and what is worse about it, for each"""

ALONE = 8
"""so many graphs are judged before another process has imported what it needs"""


@dataclass(frozen=True)
class Order:
    """What the gate is asked. `root` is the folder of this side: its package, ledger, thresholds and settings."""

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
class Pair:
    """Two ONNX files of the store, and the cases that export the one at the base and the other here."""

    before: str
    after: str
    cases: tuple[str, ...]


@dataclass(frozen=True)
class Judging:
    """An order with all that judging a graph needs."""

    order: Order

    @cached_property
    def cases(self) -> Mapping[str, Case]:
        """This side's cases by their ids. Raises CaseError for a profile or an architecture that isn't known."""
        return {case.id: case for case in profile_cases(self.order.profile, self.order.choice.arch)}

    @cached_property
    def entries(self) -> Sequence[Entry]:
        """This side's ledger. Raises LedgerError."""
        return read_ledger(self.order.root / "expected_failures.yaml").entries

    @cached_property
    def limits(self) -> Settings:
        """This side's settings. Raises GateError."""
        return settings(self.order.root / "pyproject.toml")

    @cached_property
    def pipeline(self) -> Pipeline:
        """This side's pipeline. Raises what opening the toolchain and the store raises."""
        recordings = self.order.choice.calibration
        fit = CaseCalibration(recordings, self.order.store) if recordings else None
        return Pipeline(open_store(self.order.store), open_toolchain(self.order.choice), self.order.recipe, fit=fit)

    @cached_property
    def today(self) -> date:
        """The day on which an entry's `review` is past or not."""
        return datetime.now(timezone.utc).date()

    def outcomes(self, case: Case, onnx: str, until: Stage = Stage.COMPILE) -> Mapping[Stage, Outcome]:
        """What the toolchain says of an ONNX file of the store, whichever side wrote it."""
        provenance = Provenance(toolchain=Stage.EXPORT.value, version="", predicted=False, exhaustive=True)
        export = Outcome(
            stage=Stage.EXPORT,
            status=Status.PASSED,
            provenance=provenance,
            artifact=onnx,
            figures={"onnx_bytes": onnx_bytes(self.pipeline.store.path(onnx))},
        )
        return self.pipeline.run(case, until, exported=export, whole=until is Stage.TRANSLATE)

    def record(self, name: str, outcomes: Mapping[Stage, Outcome]) -> CaseRecord:
        """A case's outcomes against the ledger."""
        sized = self.pipeline.resolve(self.cases[name])
        judgement = judge(sized.axes(), outcomes, self.entries, self.today)
        return case_record(name, sized, self.order.profile, Stage.COMPILE, outcomes, judgement)


@lru_cache(maxsize=1)
def judging(order: Order) -> Judging:
    """The one of this process: what it has read and opened is kept for the next graph."""
    return Judging(order)


def judged(order: Order, pairs: Sequence[Pair], say: Say) -> Iterator[tuple[Changed, Worse]]:
    """Every pair in its order: how it changed, and what is worse about it."""
    for index, each in enumerate(_judged(order, pairs), 1):
        if index % 50 == 0 or index == len(pairs):
            say(f"judged {index} of {len(pairs)} changed graphs")
        yield each


def _judged(order: Order, pairs: Sequence[Pair]) -> Iterator[tuple[Changed, Worse]]:
    if order.processes < 2 or len(pairs) <= ALONE:
        for pair in pairs:
            yield judged_pair(order, pair)
        return
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(order.processes, spawned, _leave_with_parent) as pool:
        try:
            yield from pool.map(judged_pair, [order] * len(pairs), pairs, chunksize=4)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _leave_with_parent() -> None:
    """A worker waits for work for ever, even from a parent that was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def leave() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=leave, daemon=True).start()


def judged_pair(order: Order, pair: Pair) -> tuple[Changed, Worse]:
    """How a graph changed, and what is worse about it in which of its cases."""
    by = judging(order)
    first = by.cases[pair.cases[0]]
    parsed = [by.outcomes(first, file, Stage.TRANSLATE) for file in (pair.before, pair.after)]
    found = _difference(by.pipeline, *parsed)
    if found and found.what is What.NAMES:
        return Changed(pair.cases, found), ()
    ended = [by.outcomes(first, file) for file in (pair.before, pair.after)]
    grown = [*of_size(found, by.limits.size_share)] if found else []
    worse: list[tuple[str, Regression]] = []
    records = []
    for name in pair.cases:
        before, after = (by.record(name, outcomes) for outcomes in ended)
        records.append((before, after))
        worse += [(name, each) for each in (*of_verdict(before, after), *grown)]
    return Changed(pair.cases, found, *records[0]), tuple(worse)


def _difference(
    pipeline: Pipeline, before: Mapping[Stage, Outcome], after: Mapping[Stage, Outcome]
) -> Difference | None:
    """None where a side has no HAR: its translation failed."""
    hars = [outcomes[Stage.TRANSLATE].artifact for outcomes in (before, after)]
    if not all(hars):
        return None
    sizes = [int(outcomes[Stage.EXPORT].figures["onnx_bytes"]) for outcomes in (before, after)]
    with unfinished.folder(prefix="tasnet-har") as folder:
        files = [pipeline.store.get_har(name, Path(folder) / f"{side}.har") for side, name in enumerate(hars)]

        def graphs(weights: bool) -> tuple[Network, Network]:
            return har.read(files[0], weights=weights), har.read(files[1], weights=weights)

        return difference(*graphs(False), (sizes[0], sizes[1]), lambda: graphs(True))
