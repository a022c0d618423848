"""An interpreter that has the double of the SDK and nothing of the real one: a shell script around this Python."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DOUBLES = Path(__file__).parent
QUANTIZED_HAR = '{"double": true, "state": "quantized_model", "script": "", "calls": []}'
"""what the double of the SDK calls a HAR, where its network is the fixed one: any stage goes on from it"""


def dfc_python(
    folder: Path, script: Mapping[str, Any] | None = None, name: str = "python3", python: Path | None = None
) -> Path:
    """An executable in `folder` whose SDK acts by `script` (see the double); `python` runs it, or this one."""
    folder.mkdir(parents=True, exist_ok=True)
    acts = folder / f"{name}.json"
    acts.write_text(json.dumps(script or {}))
    path = folder / name
    # one that runs graphs does so by this project's own code
    found = [DOUBLES, DOUBLES.parents[1]] if script and script.get("graph") == "run" else [DOUBLES]
    start = shlex.quote(str(python))
    if python is None:
        # Without `site`: what editable installs hang in there takes longer than a stage.
        found += [Path(each) for each in sys.path if Path(each).name in ("site-packages", "dist-packages")]
        start = f"{shlex.quote(sys.executable)} -S"
    path.write_text(
        "#!/bin/sh\n"
        f"PYTHONPATH={shlex.quote(':'.join(map(str, found)))} HAILO_DOUBLE={shlex.quote(str(acts))} "
        f'exec {start} "$@"\n'
    )
    path.chmod(0o755)
    return path
