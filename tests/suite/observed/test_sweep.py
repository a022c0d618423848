"""A sweep on a local cluster of worker processes: each graph once, nothing lost when one is killed, safe to repeat."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tasnet.hailo.failures import Certainty, Failure
from tasnet.hailo.toolchain import StageEnd, StageReport
from tasnet.network.variant import Size, Variant
from tasnet.suite.cases.case import Case
from tasnet.suite.cases.outcome import Stage, Status
from tasnet.suite.cases.verdict import Verdict
from tasnet.suite.observed.sweeping import SweepError, SweptGraph, cases_by_graph, sweep
from tasnet.suite.run.pipeline import Pipeline
from tasnet.suite.run.store import open_store
from tests.doubles.scripted_toolchain import ScriptedToolchain

pytest.importorskip("distributed", reason="dask.distributed isn't installed: pip install 'tasnet[cluster]'")

SMALL = Size(N=16, L=16, B=8, H=8, Sc=8, X=2, R=1)
CASES = tuple(
    Case(Variant(expansion=expansion, decoder=decoder), SMALL, 400)
    for expansion in ("concat", "project", "split")
    for decoder in ("grouped", "polyphase")
)


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    """A pipeline whose graphs are exported: no worker needs torch."""
    made = Pipeline(open_store(tmp_path / "store"), ScriptedToolchain(tmp_path / "calls", leaves_quantized=True))
    for case in CASES:
        made.run(case, until=Stage.EXPORT)
    return made


def ended(pipeline: Pipeline) -> Counter[str]:
    """`compile <graph>` -> how often it came to its end."""
    assert isinstance(pipeline.toolchain, ScriptedToolchain)
    calls = pipeline.toolchain.calls
    lines = calls.read_text().splitlines() if calls.exists() else []
    return Counter(line for line in lines if line.startswith("end compile"))


def test_cases_of_one_graph_are_one_task() -> None:
    bypassed = [Case(Variant(mask="bypass", blocks=blocks)) for blocks in (0, 1, 2)]
    other = replace(bypassed[0], arch="hailo8l")
    assert cases_by_graph([*bypassed, other, Case(Variant())]) == (tuple(bypassed), (other,), (Case(Variant()),))


def test_a_killed_worker_loses_nothing_and_no_graph_is_compiled_twice(pipeline: Pipeline) -> None:
    slow = replace(pipeline, toolchain=replace(pipeline.toolchain, seconds=0.15))  # type: ignore[type-var]
    killed: list[int] = []

    def kill_one_at_work() -> None:
        """The first process that begins a compile dies in the midst of it."""
        import psutil

        calls = slow.toolchain.calls  # type: ignore[attr-defined]
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            time.sleep(0.02)
            if not calls.exists() or "start compile" not in calls.read_text():
                continue
            locks = {str(path) for path in (slow.store.root / "locks").glob("*.lock")}
            for child in psutil.Process().children(recursive=True):
                if any(file.path in locks for file in child.open_files()):
                    killed.append(child.pid)
                    os.kill(child.pid, signal.SIGKILL)
                    return

    killer = threading.Thread(target=kill_one_at_work)
    killer.start()
    swept = sweep(CASES, slow, workers=3)
    killer.join()

    assert killed
    assert swept.counts == {Verdict.CLEAR_OBSERVED: len(CASES)}
    assert len(ended(slow)) == len(CASES)
    assert set(ended(slow).values()) == {1}

    # The tests, or another sweep, read what is there and compile nothing.
    told: list[SweptGraph] = []
    assert sweep(CASES, slow, workers=1, tell=told.append).counts == {Verdict.CLEAR_OBSERVED: len(CASES)}
    assert len(told) == len(CASES)
    for case in CASES:
        assert slow.run(case)[Stage.COMPILE].status is Status.PASSED
    assert set(ended(slow).values()) == {1}


def test_stopped_it_can_be_started_again(pipeline: Pipeline) -> None:
    def stop_after(count: int) -> Callable[[SweptGraph], None]:
        told: list[SweptGraph] = []

        def tell(done: SweptGraph) -> None:
            told.append(done)
            if len(told) == count:
                raise KeyboardInterrupt

        return tell

    with pytest.raises(KeyboardInterrupt):
        sweep(CASES, pipeline, workers=2, tell=stop_after(2))
    before = sum(ended(pipeline).values())
    assert before >= 2
    assert sweep(CASES, pipeline, workers=2).counts == {Verdict.CLEAR_OBSERVED: len(CASES)}
    assert Counter(ended(pipeline).values()) == {1: len(CASES)}


def test_each_end_is_told(pipeline: Pipeline) -> None:
    failure = Failure(
        stage="compile",
        family="memory_units",
        message="Memory units capacity exceeded",
        certainty=Certainty.EXTRAPOLATED,
    )
    ends = {
        Verdict.BLOCKED: (StageReport(StageEnd.FAILED, (failure,)), "memory_units at compile"),
        Verdict.BROKE_DOWN: (StageReport(StageEnd.INFRA, detail="killed"), "killed"),
        Verdict.UNCLASSIFIED: (StageReport(StageEnd.UNCLASSIFIED, detail="NewError"), "NewError"),
    }
    for verdict, (report, reason) in ends.items():
        tool = replace(pipeline.toolchain, script={"compile": report}, fingerprint=verdict.value)  # type: ignore[type-var]
        swept = sweep(CASES[:1], replace(pipeline, toolchain=tool))
        assert [(done.verdict, done.reason) for done in swept.done] == [(verdict, reason)]
        assert len(swept.unlearned) == (verdict is not Verdict.BLOCKED)


def test_a_bug_in_one_graph_is_told_and_the_rest_goes_on(pipeline: Pipeline) -> None:
    tool = replace(pipeline.toolchain, script={"optimize": ZeroDivisionError("a bug")})  # type: ignore[type-var]
    swept = sweep(CASES[:2], replace(pipeline, toolchain=tool))
    assert [done.reason for done in swept.unlearned] == ["ZeroDivisionError: a bug"] * 2


def test_a_cluster_without_the_resource_is_an_error(pipeline: Pipeline) -> None:
    from distributed import LocalCluster

    with (
        LocalCluster(n_workers=1, processes=False, dashboard_address=None) as cluster,
        pytest.raises(
            SweepError, match=r"none of its 1 workers has the resource compile; start them with: dask worker"
        ),
    ):
        sweep(CASES, pipeline, scheduler=cluster.scheduler_address)


def test_another_clusters_workers_are_used(pipeline: Pipeline) -> None:
    from distributed import LocalCluster

    options = {"threads_per_worker": 1, "resources": {"compile": 1}, "dashboard_address": None}
    with LocalCluster(n_workers=2, processes=False, protocol="tcp", **options) as cluster:
        assert sweep(CASES[:3], pipeline, scheduler=cluster.scheduler_address).counts == {Verdict.CLEAR_OBSERVED: 3}


def test_no_scheduler_is_an_error(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasnet.suite.observed.sweeping.ANSWER_SECONDS", 0.2)
    with pytest.raises(SweepError, match=r"--scheduler tcp://127.0.0.1:9: no answer .*; start one with"):
        sweep(CASES, pipeline, scheduler="tcp://127.0.0.1:9")


def test_without_dask_the_extra_is_named(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SweepError, match=r"pip install 'tasnet\[cluster\]'"):
        sweep(CASES, pipeline)
