"""The double of HailoRT in the place of `hailo_platform`, fresh for each who asks and gone after."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

DOUBLES = Path(__file__).parent


def forget() -> None:
    """Takes every `hailo_platform` out of the imported modules."""
    for name in [each for each in sys.modules if each.split(".")[0] == "hailo_platform"]:
        del sys.modules[name]


@contextmanager
def as_hailo_platform() -> Iterator[ModuleType]:
    """The double, importable as `hailo_platform` while this lasts.

    What would have ended the process, an exception in a native thread, fails the test here.
    """
    ended: list[BaseException] = []
    with pytest.MonkeyPatch.context() as patch:
        forget()
        patch.syspath_prepend(str(DOUBLES))
        patch.delenv("HAILO_PLATFORM_DOUBLE", raising=False)
        try:
            library = importlib.import_module("hailo_platform")
            library.SCRIPT.terminate = ended.append
            yield library
        finally:
            forget()
    assert not ended, f"this would have ended the process: {ended[0]!r}"
