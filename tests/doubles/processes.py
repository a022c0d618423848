"""Who is left: the living processes that carry a token in their environment."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import psutil

TOKEN = "TASNET_TEST_TOKEN"


def left(token: str) -> list[psutil.Process]:
    """Living processes started with `TASNET_TEST_TOKEN=token`, wherever in the process tree they are."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get(TOKEN) == token and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def until(condition: Callable[[], object], seconds: float = 60.0) -> bool:
    """Wait for `condition`, generously: a loaded machine may take its time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
