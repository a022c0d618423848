"""Exports both sides' graphs: each by the code of its own side, within a limit and into its own store."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tasnet.common import Notify, git_environment, printable, unfinished
from tasnet.hailo.process import ProcessEnd, Resource, run_process, signal_name
from tasnet.suite.cases import PLANS
from tasnet.suite.gate.answers import SideAnswers, SideGraphs
from tasnet.suite.gate.base_store import checked_bytes
from tasnet.suite.gate.checkout import GateError
from tasnet.suite.run import Recipe

DRIVER = Path(__file__).with_name("driver.py")

SOURCES = (
    *("tasnet/network/", "tasnet/common/", "tasnet/plan/", "tasnet/suite/cases/", "tasnet/suite/run/"),
    *("tasnet/hailo/__init__.", "tasnet/hailo/failures.py", "tasnet/hailo/toolchain.py"),
)
"""the files that decide which graphs a profile exports: if both sides have the same, no graph changed"""

OF_PLANS = ("tasnet/hailo/", "tasnet/suite/history/")
"""those that decide how a network is cut, too: the constraints that the planner asks, and what is told of a plan"""

MEMORY_BYTES = 8 << 30
"""resident, of a side's code and all that it starts; the matrix takes 1 GiB"""


_HEARD_SECONDS = 1.0
"""A signal that comes just before a wait begins, or to another thread, is heard when the wait ends: none is longer."""


@dataclass(frozen=True)
class Side:
    """One side: the folder of its code, its name for a person, and the store that it may write."""

    folder: Path
    name: str
    store: Path


@dataclass(frozen=True)
class ExportRequest:
    """What each side is to export: the graphs of a profile. `seconds` is the limit of each side."""

    profile: str
    arch: str
    recipe: Recipe
    seconds: float

    @property
    def weights(self) -> dict[str, str | int]:
        """The options given for the checkpoint, and no others: an older side may not know those."""
        options = {
            "mask_activation": self.recipe.mask_activation,
            "blocks_per_repeat": self.recipe.blocks_per_repeat,
        }
        return {name: value for name, value in options.items() if value is not None}


def same_sources(before: Mapping[str, str], after: Mapping[str, str], profile: str = "") -> bool:
    """Whether two sides export the same graphs because the files that decide it are the same. Path -> git blob."""
    deciding = (*SOURCES, *OF_PLANS) if profile == PLANS else SOURCES
    one, other = ({path: blob for path, blob in each.items() if path.startswith(deciding)} for each in (before, after))
    return bool(one) and one == other


def export_both(base: Side, here: Side, request: ExportRequest, say: Notify) -> tuple[SideGraphs, SideGraphs]:
    """The graphs of both sides, exported at the same time, each in a process tree of its own. Raises GateError.

    It is an error if a side can't export at all, takes too long or gives an invalid answer; `reasons` has the graphs
    that can't be exported. Every file is in the side's store and has the content of which its name is the hash.
    """
    with ThreadPoolExecutor(2) as pool, _stopped_together() as stopped:
        asked = [pool.submit(_export_side, side, request, say, stopped) for side in (base, here)]
        for each in asked:
            while wait([each], timeout=_HEARD_SECONDS).not_done:
                pass
            each.result()
        return asked[0].result(), asked[1].result()


@contextmanager
def _stopped_together() -> Iterator[threading.Event]:
    """An event that is set when one side fails or a person stops the gate, so that no process lives on."""
    stopped = threading.Event()
    try:
        yield stopped
    finally:
        stopped.set()


def _export_side(side: Side, request: ExportRequest, say: Notify, stopped: threading.Event) -> SideGraphs:
    answers = SideAnswers(side.name, say)
    driver_request = {
        "profile": request.profile,
        "arch": request.arch,
        "store": str(side.store),
        "checkpoint": str(request.recipe.checkpoint or ""),
        "weights": request.weights,
    }
    with unfinished.folder(prefix="tasnet-side") as folder:
        env = git_environment() | {"TASNET_STORE": str(side.store), "TMPDIR": str(folder)}
        end = run_process(
            [sys.executable, str(DRIVER), str(side.folder)],
            request=driver_request,
            log=folder / "log",
            # In the side's own folder: what it reads beside itself is its own.
            cwd=side.folder,
            seconds=request.seconds,
            memory_bytes=MEMORY_BYTES,
            env=env,
            on_message=answers.add,
            stopped=stopped.is_set,
        )
        output = (folder / "log").read_text(encoding="utf-8", errors="replace")[-10_000:].strip().splitlines()
    if not answers.done:
        raise GateError(f"{side.name}'s graphs can't be exported: {_why(end, output)}")
    for name in {*answers.files.values()}:
        checked_bytes(side.store, name)
    return answers.graphs


def _why(end: ProcessEnd, output: list[str]) -> str:
    mend = "mend it, or choose another revision"
    if exceeded := end.exceeded:
        if exceeded.resource is Resource.MEMORY:
            return f"its code took more than {MEMORY_BYTES >> 30} GiB of memory, and was ended; {mend}"
        ran = f"its code was at work for {exceeded.limit:g} s, and was ended"
        return f"{ran}; {mend}, or raise seconds in [tool.tasnet.gate]"
    ended = f"it ended with {signal_name(end.signal) if end.signal else end.code}"
    if end.signal == signal.SIGKILL:
        return f"{ended}, as a process does where the machine is short of memory; run the gate again"
    return f"{printable(output[-1]) if output else end.unstarted or ended}; {mend}"
