"""Memory as places: processes that share a machine never start more than its memory allows.

A place is one GiB, and a lock file in a folder that all processes of a user share. A stage holds as many places as
its memory limit asks for while it runs; the system frees them when the process that holds them dies.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from tasnet.common import PATIENCE_SECONDS, Notify, lock_holder, locked, notify_on_stderr, sign_lock

PLACE_BYTES = 1 << 30

_POLL = 0.05


def machine_bytes() -> int:
    """The memory there is: the machine's, or less where a control group allows less."""
    return min([psutil.virtual_memory().total, *_group_limits()])


def places(memory: int, total: int) -> int:
    """How many places a stage of `memory` bytes takes, of those that `total` bytes give: one to all of them."""
    have = max(1, total // PLACE_BYTES)
    return int(min(have, max(1, -(-memory // PLACE_BYTES))))


def default_folder() -> Path:
    """The folder of the locks: one per user and machine."""
    return Path(tempfile.gettempdir()) / f"tasnet-places-{os.getuid()}"


@contextmanager
def held(
    memory: int, folder: Path | None = None, total: int | None = None, say: Notify = notify_on_stderr
) -> Iterator[None]:
    """Wait until `memory` bytes are free by the count of all who ask here, and hold them.

    A stage that wants more than there is gets all of it and runs alone. Who waits is served first: one process at
    a time collects places, the rest stand behind it, so that nobody waits for ever and no two wait for each other.
    Who waits for long says for whom.
    """
    folder = folder or default_folder()
    folder.mkdir(parents=True, exist_ok=True)
    total = machine_bytes() if total is None else total
    wanted = places(memory, total)
    have = max(1, total // PLACE_BYTES)
    with ExitStack() as stack:
        with locked(folder / "door.lock", say):
            mine: set[int] = set()
            began, told = time.monotonic(), False
            while True:
                for number in range(have):
                    if len(mine) < wanted and number not in mine and _taken(stack, folder / f"{number}.lock"):
                        mine.add(number)
                if len(mine) == wanted:
                    break
                if not told and time.monotonic() - began > PATIENCE_SECONDS:
                    told = True
                    first = next(number for number in range(have) if number not in mine)
                    say(f"waiting for memory, {wanted} of {have} GiB, held by {lock_holder(folder / f'{first}.lock')}")
                time.sleep(_POLL)
        yield


def _taken(stack: ExitStack, path: Path) -> bool:
    """Try to take one place; whether that went well."""
    lock = FileLock(path, blocking=False)
    try:
        lock.acquire()
    except Timeout:
        return False
    sign_lock(path)
    stack.callback(lock.release)
    return True


def _group_limits() -> Iterator[int]:
    """The limits of this process's control group and of those above it."""
    root = Path("/sys/fs/cgroup")
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    group = next((line[3:].lstrip("/") for line in lines if line.startswith("0::")), "")
    here = root / group
    for folder in (here, *here.parents):
        try:
            yield int((folder / "memory.max").read_text(encoding="ascii"))
        except (OSError, ValueError):
            continue
        if folder == root:
            return
