"""Both sides' graphs: which case exports which file, by the code of its own side, within a limit and its own store."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tasnet.common import git_environment, printable, unfinished
from tasnet.hailo.process import ProcessEnd, Resource, run_process, signal_name
from tasnet.suite.gate.answers import Graphs, Heard, Say
from tasnet.suite.gate.checkout import GateError
from tasnet.suite.gate.lent import is_there
from tasnet.suite.run import Recipe

DRIVER = Path(__file__).with_name("driver.py")

SOURCES = (
    *("tasnet/network/", "tasnet/common/", "tasnet/suite/cases/", "tasnet/suite/run/"),
    "tasnet/hailo/toolchain",
)
"""what decides which graphs a profile exports: where both sides have the same files, none changed"""

MEMORY_BYTES = 8 << 30
"""resident, of a side's code and all that it starts; the matrix takes one"""


@dataclass(frozen=True)
class Side:
    """One side: the folder of its code, its name for a person, and the store that it may write."""

    folder: Path
    name: str
    store: Path


@dataclass(frozen=True)
class Request:
    """What both sides export: a profile's graphs. `seconds` is what each may take."""

    profile: str
    arch: str
    recipe: Recipe
    seconds: float

    @property
    def weights(self) -> dict[str, str | int]:
        """What was said of the checkpoint, and no more: an older side may not know the rest."""
        said = {
            "mask_activation": self.recipe.mask_activation,
            "blocks_per_repeat": self.recipe.blocks_per_repeat,
        }
        return {name: value for name, value in said.items() if value is not None}


def same_sources(before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Whether two sets of files export the same graphs, because those that decide it are the same."""
    one, other = ({path: blob for path, blob in each.items() if path.startswith(SOURCES)} for each in (before, after))
    return bool(one) and one == other


def exported(base: Side, here: Side, request: Request, say: Say) -> tuple[Graphs, Graphs]:
    """The graphs of the code of both sides, at once, each in a process tree of its own. Raises GateError.

    A side that can't be asked at all, takes too long or answers what can't be is an error; a graph that can't be
    exported is told in `reasons`. Every file is in the side's store, and has the content that its name says.
    """
    with ThreadPoolExecutor(2) as pool, _stopped_together() as stopped:
        asked = [pool.submit(_asked, side, request, say, stopped) for side in (base, here)]
        return asked[0].result(), asked[1].result()


@contextmanager
def _stopped_together() -> Iterator[threading.Event]:
    """Is set when one side fails, or a person stops the gate: no process lives on."""
    stopped = threading.Event()
    try:
        yield stopped
    finally:
        stopped.set()


def _asked(side: Side, request: Request, say: Say, stopped: threading.Event) -> Graphs:
    heard = Heard(side.name, say)
    told = {
        "profile": request.profile,
        "arch": request.arch,
        "store": str(side.store),
        "checkpoint": str(request.recipe.checkpoint or ""),
        "weights": request.weights,
    }
    with unfinished.folder(prefix="tasnet-side") as desk:
        surroundings = git_environment() | {"TASNET_STORE": str(side.store), "TMPDIR": str(desk)}
        end = run_process(
            [sys.executable, str(DRIVER), str(side.folder)],
            request=told,
            log=desk / "log",
            # In the side's own folder: what it reads beside itself is its own.
            cwd=side.folder,
            seconds=request.seconds,
            memory_bytes=MEMORY_BYTES,
            env=surroundings,
            on_message=heard.hear,
            stopped=stopped.is_set,
        )
        said = (desk / "log").read_text(encoding="utf-8", errors="replace")[-10_000:].strip().splitlines()
    if not heard.done:
        raise GateError(f"{side.name}'s graphs can't be exported: {_why(end, said)}")
    for name in {*heard.files.values()}:
        is_there(side.store, name)
    return heard.graphs


def _why(end: ProcessEnd, said: list[str]) -> str:
    mend = "mend it, or choose another revision"
    if exceeded := end.exceeded:
        if exceeded.resource is Resource.MEMORY:
            return f"its code took more than {MEMORY_BYTES >> 30} GiB of memory, and was ended; {mend}"
        ran = f"its code was at work for {exceeded.limit:g} s, and was ended"
        return f"{ran}; {mend}, or raise seconds in [tool.tasnet.gate]"
    ended = f"it ended with {signal_name(end.signal) if end.signal else end.code}"
    if end.signal == signal.SIGKILL:
        return f"{ended}, as a process does where the machine is short of memory; run the gate again"
    return f"{printable(said[-1]) if said else end.unstarted or ended}; {mend}"
