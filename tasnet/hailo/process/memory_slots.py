"""Memory as slots: processes that share a machine never start more than its memory allows.

A slot is one GiB, and a lock file in a folder that all processes of a user share. A stage holds as many slots as its
memory limit needs while it runs; the system frees them when the process that holds them dies.
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

SLOT_BYTES = 1 << 30

_POLL = 0.05


def machine_bytes() -> int:
    """Bytes of memory of this machine, or of the control group of this process if that allows less."""
    return min([psutil.virtual_memory().total, *_group_limits()])


def slots(memory: int, total: int) -> int:
    """How many slots a stage of `memory` bytes takes, of those in `total` bytes: at least one, at most all."""
    have = max(1, total // SLOT_BYTES)
    return int(min(have, max(1, -(-memory // SLOT_BYTES))))


def default_folder() -> Path:
    """The folder of the locks: one per user and machine."""
    return Path(tempfile.gettempdir()) / f"tasnet-places-{os.getuid()}"


@contextmanager
def hold_memory(
    memory: int, folder: Path | None = None, total: int | None = None, say: Notify = notify_on_stderr
) -> Iterator[None]:
    """Wait until `memory` bytes are free, by the count of all processes that use this folder, and hold them.

    A stage that wants more than there is gets all of it and runs alone. One process at a time collects slots and the
    others wait behind it, so that none waits for ever and no two wait for each other. After a while of waiting `say`
    is told which process holds the memory.
    """
    folder = folder or default_folder()
    folder.mkdir(parents=True, exist_ok=True)
    total = machine_bytes() if total is None else total
    wanted = slots(memory, total)
    have = max(1, total // SLOT_BYTES)
    with ExitStack() as stack:
        with locked(folder / "door.lock", say):
            mine: set[int] = set()
            began, reported = time.monotonic(), False
            while True:
                for number in range(have):
                    if len(mine) < wanted and number not in mine and _try_slot(stack, folder / f"{number}.lock"):
                        mine.add(number)
                if len(mine) == wanted:
                    break
                if not reported and time.monotonic() - began > PATIENCE_SECONDS:
                    reported = True
                    first = next(number for number in range(have) if number not in mine)
                    say(f"waiting for memory, {wanted} of {have} GiB, held by {lock_holder(folder / f'{first}.lock')}")
                time.sleep(_POLL)
        yield


def _try_slot(stack: ExitStack, path: Path) -> bool:
    """Try to take one slot; whether that succeeded."""
    lock = FileLock(path, blocking=False)
    try:
        lock.acquire()
    except Timeout:
        return False
    sign_lock(path)
    stack.callback(lock.release)
    return True


def _group_limits() -> Iterator[int]:
    """The memory limits in bytes of this process's control group and of those above it (cgroup v2)."""
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
