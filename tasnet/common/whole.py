"""A file that appears whole or not at all, with the file before it untouched until then."""

from __future__ import annotations

import os
from pathlib import Path

from tasnet.common import unfinished


def write_whole(path: Path, content: bytes) -> None:
    """Writes beside `path` and renames. Raises OSError, and leaves nothing behind then.

    A link stays one, and its target is written. What is no file, such as a pipe or /dev/stdout, is written into; a
    pipe that nobody reads would wait for ever, and is an OSError.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        handle = os.open(target, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        os.set_blocking(handle, True)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        return
    unfinished.write(target, content)
