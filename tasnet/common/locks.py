"""A lock file that one process holds at a time; a process that waits for long says for which.

The system frees it when its holder dies. A holder that is suspended, or at work for hours, is alive: it is named.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

PATIENCE_SECONDS = 5.0
"""seconds that anybody waits without a word"""

Notify = Callable[[str], None]


def notify_on_stderr(text: str) -> None:
    """The usual Notify: one line on stderr."""
    print(f"tasnet: {text}", file=sys.stderr, flush=True)


@contextmanager
def locked(path: Path, say: Notify = notify_on_stderr, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Keeps every other process out until left. After `patience` seconds `say` is called once: who holds it."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=patience, poll_interval=0.02)
    except Timeout:
        say(f"waiting for {lock_holder(path)}")
        lock.acquire(poll_interval=0.1)
    try:
        sign_lock(path)
        yield
    finally:
        lock.release()


def sign_lock(path: Path) -> None:
    """Writes into a lock file that is held who holds it, and since when."""
    with suppress(OSError):
        since = datetime.now(timezone.utc).isoformat(timespec="seconds")
        path.write_text(f"{os.getpid()} {socket.gethostname()} {since}\n", encoding="utf-8")


def lock_holder(path: Path) -> str:
    """Who holds a lock file, by what its holder wrote: the process, since when, and what to do if it is suspended."""
    try:
        pid, host, since = path.read_text(encoding="utf-8", errors="replace")[:200].split()
        number, when = int(pid), datetime.fromisoformat(since).astimezone()
    except (OSError, ValueError):
        return f"another process, which holds {path}"
    holder = f"process {number} on {ascii(host)[1:-1]}, which has held {path} since {when:%Y-%m-%d %H:%M:%S}"
    if host != socket.gethostname():
        return holder
    try:
        suspended = psutil.Process(number).status() == psutil.STATUS_STOPPED
    except (psutil.Error, ValueError, OverflowError):
        return holder
    return f"{holder}; it is suspended: kill -CONT {number}, or end it" if suspended else holder
