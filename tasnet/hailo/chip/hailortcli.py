"""The output of `hailortcli run X.hef --measure-latency`: the chip's own latency, which HailoRT's Python API lacks.

As documented for HailoRT 4.x; lines may be in any order, and a figure without a line is None.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tasnet.common import TasnetError
from tasnet.hailo.logs import without_escapes

PROGRAM = "hailortcli"
_SECONDS = 120.0
"""limit for a run of hailortcli, which measures for five seconds by default"""


class HailortcliError(TasnetError, ValueError):
    """hailortcli failed, or a text is not its output. One line."""


@dataclass(frozen=True)
class HailortcliFigures:
    """The figures of one network: frames per second, latencies in ms of the chip alone and with the host's part."""

    fps: float | None = None
    hw_latency_ms: float | None = None
    overall_latency_ms: float | None = None


_NUMBER = r"(\d{1,12}(?:\.\d{1,12})?)"
_LINES: Mapping[str, re.Pattern[str]] = {
    "fps": re.compile(rf"\bFPS\b[^:\n]{{0,40}}:\s*{_NUMBER}"),
    "hw_latency_ms": re.compile(rf"\bHW Latency:\s*{_NUMBER}\s*ms"),
    "overall_latency_ms": re.compile(rf"\bOverall Latency:\s*{_NUMBER}\s*ms"),
}


def measure_with_hailortcli(hef: Path) -> HailortcliFigures | None:
    """Run a HEF with hailortcli on this machine's device; None if there is no such program. Raises HailortcliError.

    The device must be free.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        return None
    try:
        ran = subprocess.run(
            [program, "run", str(hef), "--measure-latency"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise HailortcliError(f"{PROGRAM} run {hef.name}: no end in {_SECONDS:.0f} s; is the device free?") from None
    except OSError as error:
        raise HailortcliError(f"{program}: {error.strerror}; install HailoRT again") from None
    text = ran.stdout.decode(errors="replace")
    if ran.returncode:
        output = " ".join(without_escapes(ran.stdout).decode(errors="replace").split())[-200:]
        raise HailortcliError(f"{PROGRAM} run {hef.name}: exit code {ran.returncode} ({output}); run it by hand")
    return parse_hailortcli(text)


def parse_hailortcli(text: str) -> HailortcliFigures:
    """The figures in the output. Raises HailortcliError if there are none.

    A progress bar writes its line again and again: the last value counts.
    """
    plain = without_escapes(text.encode()).decode()
    found = {name: float(last[-1]) for name, pattern in _LINES.items() if (last := pattern.findall(plain))}
    if not found:
        raise HailortcliError("no FPS and no latency in it; give what `hailortcli run X.hef --measure-latency` printed")
    return HailortcliFigures(**found)
