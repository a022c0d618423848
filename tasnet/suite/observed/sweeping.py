"""Many graphs on many processes or machines: every distinct graph is a task of `dask.distributed`, run once.

Outcomes lie in the store, which all workers see: what is done stays done, whoever is killed, and a second sweep (or
the tests) reads it. A worker compiles one graph at a time, by the resource `compile`. The processes of a worker that
dies are ended by their keepers, and its task goes to another worker.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tasnet.common import TasnetError, error_line, named_error_line
from tasnet.suite.cases import Case, Outcome, Status, Verdict, graph_key, severity, verdict_of
from tasnet.suite.observed.evidence import keep_run_evidence
from tasnet.suite.run import Pipeline

if TYPE_CHECKING:
    from distributed import Client

RESOURCE = "compile"
"""what a worker has one of: `dask worker tcp://… --nthreads 1 --resources compile=1`"""
DEATHS = 5
"""workers that may die over one graph before it is given up"""

ANSWER_SECONDS = 10.0
"""a scheduler that is there has answered by then"""


class SweepError(TasnetError, RuntimeError):
    """A sweep that can't be run. One line: what is missing, and what to do."""


@dataclass(frozen=True)
class SweptGraph:
    """The end of one graph: its cases, and how they ended."""

    cases: tuple[Case, ...]
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True)
class SweepResult:
    """What a sweep did. `unlearned` are those that another sweep tries again."""

    done: tuple[SweptGraph, ...]

    @property
    def unlearned(self) -> tuple[SweptGraph, ...]:
        """The graphs of which nothing was learned."""
        return tuple(each for each in self.done if severity(each.verdict) is None)

    @property
    def counts(self) -> Mapping[Verdict, int]:
        """How many graphs ended so."""
        verdicts = [each.verdict for each in self.done]
        return {verdict: verdicts.count(verdict) for verdict in dict.fromkeys(verdicts)}


def cases_by_graph(cases: Sequence[Case]) -> tuple[tuple[Case, ...], ...]:
    """The cases by graph and architecture, in the order of their first."""
    found: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        found.setdefault((graph_key(case), case.arch), []).append(case)
    return tuple(tuple(those) for those in found.values())


def sweep(
    cases: Sequence[Case],
    pipeline: Pipeline,
    *,
    scheduler: str = "",
    workers: int = 1,
    tell: Callable[[SweptGraph], None] = lambda done: None,
) -> SweepResult:
    """Takes every distinct graph through all stages; `tell` gets each as it ends, in no order.

    `scheduler` is `tcp://host:port` of a cluster whose workers have the store, the toolchain and this package in the
    same places; without it there are `workers` processes on this machine. Stopped at any time, it can be started
    again: what ended isn't run again. Raises SweepError.
    """
    todo = cases_by_graph(cases)
    with _client(scheduler, workers) as client:
        _check(client, pipeline, scheduler)
        return SweepResult(tuple(_results(client, todo, pipeline, tell)))


def _results(
    client: Client, todo: Sequence[tuple[Case, ...]], pipeline: Pipeline, tell: Callable[[SweptGraph], None]
) -> Iterator[SweptGraph]:
    from distributed import as_completed

    # A name of its own for each sweep: the scheduler mustn't hand out what an older one left.
    sweep_id = secrets.token_hex(4)
    futures = {
        client.submit(
            run_graph,
            pipeline,
            those[0],
            key=f"tasnet-{sweep_id}-{number}",
            resources={RESOURCE: 1},
            pure=False,
        ): those
        for number, those in enumerate(todo)
    }
    try:
        for future in as_completed(futures):
            done = _done(future, futures[future])
            tell(done)
            yield done
    finally:
        client.cancel([future for future in futures if not future.done()])


def run_graph(pipeline: Pipeline, case: Case) -> str:
    """One graph through all stages, in a worker; its outcomes as JSON. They are in the store by then."""
    outcomes = pipeline.run(case)
    keep_run_evidence(pipeline.store, pipeline.resolve(case), outcomes)
    return json.dumps([outcome.model_dump(mode="json") for outcome in outcomes.values()])


def _done(future: Any, those: tuple[Case, ...]) -> SweptGraph:
    from distributed import KilledWorker

    error = future.exception()
    if isinstance(error, KilledWorker):
        return SweptGraph(those, Verdict.BROKE_DOWN, f"{DEATHS + 1} workers died over it: too little memory?")
    if error is not None:
        # The package's own errors and bugs alike: one graph's trouble is not the sweep's.
        return SweptGraph(those, Verdict.BROKE_DOWN, named_error_line(error))
    outcomes = [Outcome.model_validate(each) for each in json.loads(future.result())]
    end = next((each for each in outcomes if each.status is not Status.PASSED), outcomes[-1])
    failures = [f"{failure.family} at {failure.stage}" for failure in end.failures[:1]]
    return SweptGraph(those, verdict_of(outcomes), end.reason or "".join(failures))


# --- the cluster -------------------------------------------------------------------------------------------


@contextmanager
def _client(scheduler: str, workers: int) -> Iterator[Client]:
    """A client of the scheduler, or of a cluster of this machine's own that ends with it."""
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise SweepError(f"tasnet sweep needs dask.distributed ({error}); pip install 'tasnet[cluster]'") from None
    settings = {
        # A worker is a fork of a process that has dask's imports, which take a second for each that makes its own.
        "distributed.worker.multiprocessing-method": "forkserver",
        "distributed.scheduler.allowed-failures": DEATHS,
        # A compile is as long as it is, and its worker answers from another thread all the while.
        "distributed.scheduler.work-stealing": False,
        "distributed.worker.memory.terminate": False,
        "distributed.worker.memory.pause": False,
        "distributed.worker.memory.spill": False,
        "distributed.worker.memory.target": False,
        "distributed.admin.log-format": "%(message)s",
        "logging": {"distributed": "critical", "distributed.nanny": "critical"},
    }
    with dask.config.set(settings):
        if not scheduler:
            with (
                LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    processes=True,
                    resources={RESOURCE: 1},
                    dashboard_address="127.0.0.1:0",
                    silence_logs=50,
                ) as cluster,
                Client(cluster) as client,
            ):
                yield client
            return
        try:
            client = Client(scheduler, timeout=ANSWER_SECONDS)
        except (OSError, ValueError, TimeoutError) as error:
            why = error_line(error)
            raise SweepError(
                f"--scheduler {scheduler}: no answer ({why}); start one with: dask scheduler --port 8786"
            ) from None
        with client:
            yield client


def _check(client: Client, pipeline: Pipeline, scheduler: str) -> None:
    """SweepError unless there are workers with the resource, and all of them see the store that this process sees."""
    workers = client.scheduler_info(n_workers=-1)["workers"]
    able = [name for name, worker in workers.items() if worker.get("resources", {}).get(RESOURCE)]
    if not able:
        where = f"--scheduler {scheduler}: " if scheduler else ""
        raise SweepError(
            f"{where}none of its {len(workers)} workers has the resource {RESOURCE}; "
            f"start them with: dask worker {scheduler or 'tcp://…'} --nthreads 1 --resources {RESOURCE}=1"
        )
    with pipeline.store.workspace() as desk:
        token = desk / "seen"
        token.write_text("by all workers")
        seen = client.run(_sees, str(token), workers=able, on_error="return")
    blind = [name for name, answer in seen.items() if answer is not True]
    if blind:
        why = "it isn't there" if seen[blind[0]] is False else " ".join(str(seen[blind[0]]).split())
        raise SweepError(
            f"worker {blind[0]} can't use the store {pipeline.store.root} ({why}); "
            "give a --store that all machines have at the same path, and all of them the same tasnet"
        )


def _sees(token: str) -> bool:
    return os.path.isfile(token)


Work = Callable[[Pipeline, Any], str]


@contextmanager
def open_workers(
    pipeline: Pipeline, *, scheduler: str = "", workers: int = 1
) -> Iterator[Callable[[Work, Sequence[Any]], Iterator[tuple[int, str, str]]]]:
    """Workers that take one piece of work after another, for as long as it is open: `over(work, given)`.

    `work` gets the pipeline and one of `given` in a worker, and returns text. Out come, in no order, the place of each
    in `given`, its text, and in its stead a line of what broke down. Raises SweepError.
    """
    with _client(scheduler, workers) as client:
        _check(client, pipeline, scheduler)

        def over(work: Work, given: Sequence[Any]) -> Iterator[tuple[int, str, str]]:
            from distributed import as_completed

            sweep_id = secrets.token_hex(4)
            futures = {
                client.submit(
                    work, pipeline, each, key=f"tasnet-{sweep_id}-{place}", resources={RESOURCE: 1}, pure=False
                ): place
                for place, each in enumerate(given)
            }
            try:
                for future in as_completed(futures):
                    error = future.exception()
                    yield (
                        (futures[future], future.result(), "") if error is None else (futures[future], "", _why(error))
                    )
            finally:
                client.cancel([future for future in futures if not future.done()])

        yield over


def _why(error: BaseException) -> str:
    """What broke down, in one line."""
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        return f"{DEATHS + 1} workers died over it: too little memory?"
    # The package's own errors and bugs alike: one graph's trouble is not the sweep's.
    return named_error_line(error)
