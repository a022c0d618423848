"""A file that appears whole or not at all, with the file before it untouched until then."""

from __future__ import annotations

from pathlib import Path

from tasnet.common import unfinished


def write_whole(path: Path, content: bytes) -> None:
    """Writes beside `path` and renames, as `unfinished.opened` does. Raises OSError, and leaves nothing behind then."""
    unfinished.write(path, content)
