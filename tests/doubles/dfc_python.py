"""An interpreter that has the scripted SDK and nothing of the real one: a shell script around this Python."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DOUBLES = Path(__file__).parent


def scripted_python(
    folder: Path, script: Mapping[str, Any] | None = None, name: str = "python3", python: Path | None = None
) -> Path:
    """An executable in `folder` whose SDK acts by `script` (see the double); `python` runs it, or this one."""
    folder.mkdir(parents=True, exist_ok=True)
    acts = folder / f"{name}.json"
    acts.write_text(json.dumps(script or {}))
    path = folder / name
    path.write_text(
        "#!/bin/sh\n"
        f"PYTHONPATH={shlex.quote(str(DOUBLES))} HAILO_DOUBLE={shlex.quote(str(acts))} "
        f'PYTHONDONTWRITEBYTECODE=1 exec {shlex.quote(str(python or sys.executable))} "$@"\n'
    )
    path.chmod(0o755)
    return path


def stand_in(folder: Path, calls: Path | None = None, name: str = "python3") -> Path:
    """An executable whose SDK is the one of `scripted_sdk`: it looks at the graph. `calls` gets a line per call."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(
        "#!/bin/sh\n"
        f"PYTHONPATH={shlex.quote(str(DOUBLES / 'scripted_sdk'))} SCRIPTED_SDK_CALLS={shlex.quote(str(calls or ''))} "
        f'PYTHONDONTWRITEBYTECODE=1 exec {shlex.quote(sys.executable)} "$@"\n'
    )
    path.chmod(0o755)
    return path


def emulating(folder: Path, act: str = "", name: str = "python3") -> Path:
    """An executable whose SDK is the one of `emulating_sdk`: it runs the graphs that it is given."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    # it runs the graphs by this project's own code, and writes HEFs as another double does
    found = shlex.quote(f"{DOUBLES / 'emulating_sdk'}:{DOUBLES.parents[1]}")
    path.write_text(
        "#!/bin/sh\n"
        f"PYTHONPATH={found} EMULATING_SDK={shlex.quote(act)} "
        f'PYTHONDONTWRITEBYTECODE=1 exec {shlex.quote(sys.executable)} "$@"\n'
    )
    path.chmod(0o755)
    return path
