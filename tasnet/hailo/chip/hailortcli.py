"""What `hailortcli run X.hef --measure-latency` prints: the chip's own latency, which Python can't reach.

As documented for HailoRT 4.x; lines in any order, and what isn't there stays None.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tasnet.common import TasnetError

PROGRAM = "hailortcli"
_SECONDS = 120.0
"""for a run of hailortcli, which measures for five seconds unless told otherwise"""


class CliError(TasnetError, ValueError):
    """hailortcli didn't run through, or a text is none of its outputs. One line."""


@dataclass(frozen=True)
class CliRun:
    """One network's figures."""

    fps: float | None = None
    hw_latency_ms: float | None = None
    overall_latency_ms: float | None = None


_ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_NUMBER = r"(\d{1,12}(?:\.\d{1,12})?)"
_LINES: Mapping[str, re.Pattern[str]] = {
    "fps": re.compile(rf"\bFPS\b[^:\n]{{0,40}}:\s*{_NUMBER}"),
    "hw_latency_ms": re.compile(rf"\bHW Latency:\s*{_NUMBER}\s*ms"),
    "overall_latency_ms": re.compile(rf"\bOverall Latency:\s*{_NUMBER}\s*ms"),
}


def measured(hef: Path) -> CliRun | None:
    """What hailortcli measures of a HEF on the device of this machine; None without the program. Raises CliError.

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
        raise CliError(f"{PROGRAM} run {hef.name}: no end in {_SECONDS:.0f} s; is the device free?") from None
    except OSError as error:
        raise CliError(f"{program}: {error.strerror}; install HailoRT again") from None
    text = ran.stdout.decode(errors="replace")
    if ran.returncode:
        said = " ".join(_ESCAPE.sub("", text).split())[-200:]
        raise CliError(f"{PROGRAM} run {hef.name}: exit code {ran.returncode} ({said}); run it by hand")
    return parse_lines(text)


def parse_lines(text: str) -> CliRun:
    """The figures that stand in the printed lines. Raises CliError where there is none of them.

    A progress bar writes its line again and again: the last word counts.
    """
    plain = _ESCAPE.sub("", text).replace("\r", "\n")
    found = {name: float(last[-1]) for name, pattern in _LINES.items() if (last := pattern.findall(plain))}
    if not found:
        raise CliError("no FPS and no latency in it; give what `hailortcli run X.hef --measure-latency` printed")
    return CliRun(
        fps=found.get("fps"),
        hw_latency_ms=found.get("hw_latency_ms"),
        overall_latency_ms=found.get("overall_latency_ms"),
    )
