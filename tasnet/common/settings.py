"""A table of pyproject.toml, read within bounds: its values, or one line of what is wrong with the file."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasnet.common import bounded
from tasnet.common.printing import printable

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MAX_PYPROJECT_BYTES = 1 << 20
"""bytes of a pyproject.toml"""

MAX_SETTING = 10**18
"""No setting is so large; what is can't be written out in a message either."""


def settings_table(pyproject: Path, name: str, error: type[Exception]) -> Mapping[str, Any]:
    """The table `name`, such as `tool.tasnet.limits`; empty where the file has none. Raises `error`, one line."""
    text = bounded.read_text(pyproject, most=MAX_PYPROJECT_BYTES, what="a pyproject.toml", error=error)
    try:
        found: Any = tomllib.loads(text)
    except (ValueError, RecursionError) as refused:
        why = "nested without end" if isinstance(refused, RecursionError) else printable(str(refused))
        raise error(f"{pyproject}: can't be read ({why}); mend the file") from None
    for part in name.split("."):
        found = found.get(part, {})
        if not isinstance(found, dict):
            raise error(f"{pyproject}: {part} isn't a table; write [{name}]")
    if _has_too_large(found):
        raise error(f"{pyproject}: [{name}]: a number past 10^18; write one that is meant")
    return dict(found)


def _has_too_large(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_has_too_large, value.values()))
    if isinstance(value, list):
        return any(map(_has_too_large, value))
    return isinstance(value, int) and abs(value) >= MAX_SETTING
