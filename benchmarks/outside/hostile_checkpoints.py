"""Checkpoint files that are made to harm whoever reads them: each ends in one line, soon, and in little memory.

`python -m benchmarks.outside hostile_checkpoints` writes one file of each kind and reads each in a process of its own.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from benchmarks.outside._hostile_archives import ARCHIVES
from benchmarks.outside._hostile_pickles import PICKLES
from benchmarks.outside._hostile_tensors import TENSORS

MAX_SECONDS = 20
MAX_BYTES = 2 << 30


@dataclass(frozen=True)
class Read:
    """How the reading of one file ended. `told` is the error's text, empty where the file was taken."""

    name: str
    told: str
    ours: bool
    """the error is this package's, of one line, and nothing else was printed"""
    seconds: float
    peak_bytes: int


def write(folder: Path) -> list[Path]:
    """One file of each kind."""
    paths = []
    for name, make in {**ARCHIVES, **PICKLES, **TENSORS}.items():
        path = folder / f"{name.replace(' ', '_')}.pt"
        make(path)
        paths.append(path)
    return paths


def read(paths: Sequence[Path]) -> list[Read]:
    """Each file, read in a process of its own: torch is imported before it is forked, which takes seconds."""
    import torch

    from tasnet.network import CheckpointError, load_checkpoint

    # What is forked has no other threads, and may not wait for them.
    torch.set_num_threads(1)
    return [_read(path, load_checkpoint, CheckpointError) for path in paths]


def figures() -> list[str]:
    """What is printed."""
    with tempfile.TemporaryDirectory(prefix="tasnet-hostile-") as folder:
        found = read(write(Path(folder)))
    wrong = [each for each in found if not each.ours]
    large = [each for each in found if each.peak_bytes > MAX_BYTES]
    slow = [each for each in found if each.seconds > MAX_SECONDS]
    worst, longest = max(each.peak_bytes for each in found), max(each.seconds for each in found)
    return [
        f"{len(found)} hostile checkpoints read",
        f"{len(wrong)} tracebacks, or taken for a network (goal: 0){_names(wrong)}",
        f"{len(large)} over 2 GB (goal: 0){_names(large)}; the largest process {worst >> 20} MiB",
        f"{len(slow)} over {MAX_SECONDS} s (goal: 0){_names(slow)}; the longest {longest:.1f} s",
    ]


def _names(found: Sequence[Read]) -> str:
    return "".join(f" {each.name}" for each in found)


def _read(path: Path, load: object, expected: type[Exception]) -> Read:
    assert callable(load)
    started = time.perf_counter()
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(here)
        _told(path, load, expected, there)
    os.close(there)
    with open(here, encoding="utf-8", errors="replace") as told:
        # A child that hangs closes nothing: it is ended, and what it holds with it.
        signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
        signal.alarm(MAX_SECONDS + 5)
        text = told.read()
        _, _, used = os.wait4(child, 0)
        signal.alarm(0)
    seconds = time.perf_counter() - started
    return Read(path.stem, text[1:], text.startswith("+"), seconds, used.ru_maxrss * 1024)


def _told(path: Path, load: object, expected: type[Exception], out: int) -> None:
    """In the child: a `+` or a `-`, and what was said; then its end."""
    assert callable(load)
    said, fine, text = StringIO(), False, ""
    # Far beyond the bound that is held: what grows without end ends here, and not the machine.
    with suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_DATA, (6 << 30, resource.RLIM_INFINITY))
    try:
        with redirect_stderr(said), redirect_stdout(said):
            load(path)
    except expected as error:
        text = str(error)
        fine = len(text.splitlines()) == 1 and text.isprintable() and len(text) < 1000 and not said.getvalue()
    except BaseException as error:
        text = f"{type(error).__name__}: {error}"
    with suppress(OSError):
        os.write(out, f"{'+' if fine else '-'}{text}"[:4000].encode("utf-8", "backslashreplace"))
    os._exit(0)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as where:
        for each in read(write(Path(where))):
            line = f"{each.seconds:5.1f} s {each.peak_bytes >> 20:5} MiB {'ours' if each.ours else 'WRONG'} {each.name}"
            print(line, each.told, file=sys.stdout)
