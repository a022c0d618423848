"""A word to the person at the terminal while a test is at work, which pytest would capture."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import pytest

from tasnet.common import notify_on_stderr


def aloud(config: pytest.Config) -> Callable[[str], None]:
    """Prints a line on the terminal's stderr, whatever is captured; a worker's is its controller's."""

    def say(text: str) -> None:
        capture = config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            notify_on_stderr(text)

    return say
