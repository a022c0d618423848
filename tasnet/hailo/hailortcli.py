"""What `hailortcli` prints of a run: the chip's own latency, which Python can't reach, and what it measured beside.

`hailortcli run X.hef --measure-latency` prints lines, `hailortcli run X.hef --csv FILE` a table; both as documented
for HailoRT 4.x. Lines and columns in any order; what isn't there stays None.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field


class CliError(ValueError):
    """A text that is no output of hailortcli. One line."""


@dataclass(frozen=True)
class CliRun:
    """One network's figures. `sensors` has every column about power (W) or temperature (degrees Celsius)."""

    network: str = ""
    status: str = ""
    fps: float | None = None
    hw_latency_ms: float | None = None
    overall_latency_ms: float | None = None
    sensors: Mapping[str, float] = field(default_factory=dict)


_ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_NUMBER = r"(\d{1,12}(?:\.\d{1,12})?)"
_LINES: Mapping[str, re.Pattern[str]] = {
    "fps": re.compile(rf"\bFPS\b[^:\n]{{0,40}}:\s*{_NUMBER}"),
    "hw_latency_ms": re.compile(rf"\bHW Latency:\s*{_NUMBER}\s*ms"),
    "overall_latency_ms": re.compile(rf"\bOverall Latency:\s*{_NUMBER}\s*ms"),
}


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


def parse_csv(text: str) -> tuple[CliRun, ...]:
    """The rows of the table, read by the names of the columns. Raises CliError."""
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), skipinitialspace=True)
    try:
        header = [name.strip() for name in rows.fieldnames or ()]
        if not {"net_name", "fps"} <= set(header):
            raise CliError(f"no column net_name and fps (it has: {', '.join(header)[:120]}); give hailortcli's csv")
        rows.fieldnames = header
        return tuple(_row(row) for row in rows)
    except csv.Error as error:
        raise CliError(f"not a csv: {error}; give hailortcli's csv") from None


def _row(row: Mapping[str, str | None]) -> CliRun:
    sensors = {name: value for name in row if _is_sensor(name) and (value := _number(row[name])) is not None}
    return CliRun(
        network=(row.get("net_name") or "").strip(),
        status=(row.get("status") or "").strip(),
        fps=_number(row.get("fps")),
        hw_latency_ms=_number(row.get("hw_latency")),
        overall_latency_ms=_number(row.get("overall_latency")),
        sensors=sensors,
    )


def _is_sensor(name: str | None) -> bool:
    return name is not None and ("power" in name or "temp" in name)


def _number(text: object) -> float | None:
    found = re.match(rf"\s*{_NUMBER}", text) if isinstance(text, str) else None
    return float(found.group(1)) if found else None
