"""Who is left: the living processes that carry a token in their environment."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import psutil

TOKEN = "TASNET_TEST_TOKEN"


def left(token: str) -> list[psutil.Process]:
    """Living processes started with `TASNET_TEST_TOKEN=token`, wherever in the process tree they are."""
    found = []
    # Not by psutil.process_iter: it reads a dozen files of each, and tests ask fifty times a second.
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError, psutil.Error):
            # A zombie's is empty.
            if f"{TOKEN}={token}".encode() in path.read_bytes().split(b"\0"):
                found.append(psutil.Process(int(path.parent.name)))
    return found


def until(condition: Callable[[], object], seconds: float = 60.0, pause: float = 0.02) -> bool:
    """Wait for `condition`, generously: a loaded machine may take its time. A dear one is asked with longer pauses."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
    return True
