"""Both sides' graphs: which case exports which file of the store, by the code of its own side."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tasnet.suite.gate.checkout import GateError
from tasnet.suite.recipe import Recipe

DRIVER = Path(__file__).with_name("driver.py")

SOURCES = (
    *("tasnet/network/", "tasnet/digest", "tasnet/suite/case", "tasnet/suite/pipeline", "tasnet/suite/recipe"),
    "tasnet/hailo/toolchain",
)
"""what decides which graphs a profile exports: where both sides have the same files, none changed"""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Request:
    """What both sides export: a profile's graphs, into one store."""

    profile: str
    arch: str
    store: Path
    recipe: Recipe

    @property
    def weights(self) -> dict[str, str | int]:
        """What was said of the checkpoint, and no more: an older side may not know the rest."""
        said = {
            "mask_activation": self.recipe.mask_activation,
            "blocks_per_repeat": self.recipe.blocks_per_repeat,
        }
        return {name: value for name, value in said.items() if value is not None}


@dataclass(frozen=True)
class Graphs:
    """A side's graphs. `files` has the store's name of the ONNX file by case, `reasons` why a case has none."""

    graphs: Mapping[str, str] = field(default_factory=dict)
    """case -> graph"""
    files: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)

    @property
    def distinct(self) -> int:
        """How many graphs there are."""
        return len({*self.graphs.values()})


def same_sources(before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Whether two sets of files export the same graphs, because those that decide it are the same."""
    one, other = ({path: blob for path, blob in each.items() if path.startswith(SOURCES)} for each in (before, after))
    return bool(one) and one == other


def exported(base: Path, here: Path, request: Request, say: Say) -> tuple[Graphs, Graphs]:
    """The graphs of the code in both folders, at once, each in its own process. Raises GateError.

    A folder that can't be asked at all is an error; a graph that can't be exported is told in `reasons`.
    """
    with ThreadPoolExecutor(2) as pool, _stopped_together() as running:
        sides = [
            pool.submit(_asked, folder, name, request, say, running)
            for folder, name in ((base, "the base"), (here, "this side"))
        ]
        return sides[0].result(), sides[1].result()


@contextmanager
def _stopped_together() -> Iterator[list[subprocess.Popen[str]]]:
    """The processes that were started: none lives on when one side fails, or a person stops the gate."""
    running: list[subprocess.Popen[str]] = []
    try:
        yield running
    finally:
        for process in running:
            process.kill()


def _asked(folder: Path, name: str, request: Request, say: Say, running: list[subprocess.Popen[str]]) -> Graphs:
    told = {
        "profile": request.profile,
        "arch": request.arch,
        "store": str(request.store),
        "checkpoint": str(request.recipe.checkpoint or ""),
        "weights": request.weights,
    }
    command = [sys.executable, str(DRIVER), str(folder)]
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors,
        # In the side's own folder: what it reads beside itself is its own.
        subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        running.append(process)
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(told))
            process.stdin.close()
        except BrokenPipeError:
            pass
        found = _read(process.stdout, name, say)
        process.wait()
        if found is None:
            errors.seek(0)
            last = (errors.read().strip().splitlines() or [f"it ended with {process.returncode}"])[-1]
            raise GateError(f"{name}'s graphs can't be exported: {last}; mend it, or choose another revision")
        return found


def _read(answers: IO[str], name: str, say: Say) -> Graphs | None:
    """The answers of a driver; None where it ended before it was done. Raises GateError for what it can't answer."""
    graphs: dict[str, str] = {}
    files: dict[str, str] = {}
    reasons: dict[str, str] = {}
    for line in answers:
        if not line.endswith("\n"):
            break
        answer = json.loads(line)
        if "error" in answer:
            raise GateError(f"{name} has no graphs to compare: {answer['error']}; choose a revision with the suite")
        if "cases" in answer:
            graphs = dict(answer["cases"])
            total = len({*graphs.values()})
        elif "graph" in answer:
            place = files if answer["artifact"] else reasons
            place[answer["graph"]] = answer["artifact"] or answer["reason"]
            done = len(files) + len(reasons)
            if done % 50 == 0 or done == total:
                say(f"{name}: {done} of {total} graphs exported")
        else:
            return Graphs(graphs, _by_case(graphs, files), _by_case(graphs, reasons))
    return None


def _by_case(graphs: Mapping[str, str], told: Mapping[str, str]) -> dict[str, str]:
    return {case: told[graph] for case, graph in graphs.items() if graph in told}
