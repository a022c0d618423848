"""What a run did on a device, as the history keeps it, and its figures as rows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, field_validator

from tasnet.suite.cases import Outcome, Stage, Status

DeviceCheck = Literal["parity", "bit_exact"]
"""with PyTorch, in SI-SDR; with the compiler's emulation, bit for bit"""

ENDS: Mapping[Status, str] = {Status.PASSED: "agrees", Status.FAILED: "differs", Status.INFRA: "broke down"}
"""How a run on a device can end. A device that was busy, or timed out, broke down: no evidence."""


class DeviceRecord(BaseModel):
    """One check of one compiled file on a device."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case_id: str
    hef: str
    """the file's name; its content is the outcome's `provenance.inputs`"""
    check: DeviceCheck
    outcome: Outcome
    """at `infer`, its figures with their units in their names"""

    @field_validator("outcome")
    @classmethod
    def _of_a_device(cls, outcome: Outcome) -> Outcome:
        if outcome.stage is not Stage.INFER or outcome.status not in ENDS:
            raise ValueError(f"{outcome.stage.value} {outcome.status.value}: no end of a run on a device")
        return outcome


@dataclass(frozen=True)
class DeviceRow:
    """A case's figures as they are shown, a dash where there is none. `said` as the report's marks have it."""

    case_id: str
    by: str
    arch: str
    said: Literal["observed", "double"]
    si_sdr: str
    fps: str
    latency: str
    chip_latency: str
    temperature: str
    power: str
    bit_exact: str
    end: str
    """`agrees`, or what differs, or why it broke down"""
    good: bool

    @property
    def cells(self) -> tuple[str, ...]:
        """Below HEADS."""
        measured = (self.si_sdr, self.fps, self.latency, self.chip_latency, self.temperature, self.power)
        return (self.case_id, *measured, self.bit_exact, self.end)


HEADS = ("case", "SI-SDR, dB", "frames/s", "ms", "chip, ms", "°C", "W", "bit for bit", "how it ended")


def device_rows(ran: Iterable[DeviceRecord]) -> tuple[DeviceRow, ...]:
    """A row for each case and device, the last of each check counting, in the order in which they first came."""
    found: dict[tuple[str, str, str], dict[DeviceCheck, DeviceRecord]] = {}
    for each in ran:
        by = each.outcome.provenance
        found.setdefault((each.case_id, f"{by.toolchain} {by.version}", by.arch), {})[each.check] = each
    return tuple(_row(*key, checks) for key, checks in found.items())


def summary(rows: Sequence[DeviceRow]) -> str:
    """`3 on a device: 2 agree, 1 broke down`; empty where nothing ran."""
    if not rows:
        return ""
    good = sum(row.good for row in rows)
    doubles = ", by a test double" if any(row.said == "double" for row in rows) else ""
    return f"{len(rows)} on a device{doubles}: {good} agree" + (f", {len(rows) - good} not" if good < len(rows) else "")


def title(rows: Sequence[DeviceRow]) -> str:
    """`on hailo8: observed with hailort 4.23.0`."""
    by = sorted({f"on {row.arch}: {_known(row)} {row.by}" for row in rows})
    return "; ".join(by)


def _known(row: DeviceRow) -> str:
    return "observed with" if row.said == "observed" else "by a test double, nothing was observed:"


def _row(case_id: str, by: str, arch: str, checks: Mapping[DeviceCheck, DeviceRecord]) -> DeviceRow:
    figures = {name: value for each in checks.values() for name, value in each.outcome.figures.items()}

    def shown(name: str, digits: int = 1) -> str:
        value = figures.get(name)
        if value is None:
            return "-"
        return value if isinstance(value, str) else f"{value:,.{digits}f}"

    return DeviceRow(
        case_id=case_id,
        by=by,
        arch=arch,
        said="double" if any(each.outcome.provenance.double for each in checks.values()) else "observed",
        si_sdr=shown("worst_si_sdr_db"),
        fps=shown("fps"),
        latency=shown("latency_median_ms", 2),
        chip_latency=shown("chip_latency_ms", 2),
        temperature=shown("temperature_celsius"),
        power=shown("power_watts", 2),
        bit_exact=_bit_exact(figures),
        end="; ".join(dict.fromkeys(_ends(checks.values()))),
        good=all(each.outcome.status is Status.PASSED for each in checks.values()),
    )


def _bit_exact(figures: Mapping[str, int | float | str]) -> str:
    values, differing = figures.get("bit_exact_values"), figures.get("bit_exact_differing")
    if values is None or differing is None:
        return "-"
    return f"all {values}" if not differing else f"{differing} of {values} differ"


def _ends(ran: Iterable[DeviceRecord]) -> Iterator[str]:
    """The ends that aren't good, with their reasons; `agrees` where all are."""
    bad = [each.outcome for each in ran if each.outcome.status is not Status.PASSED]
    for outcome in bad:
        why = outcome.failures[0].message if outcome.failures else outcome.reason
        yield f"{ENDS[outcome.status]}: {why}"
    if not bad:
        yield ENDS[Status.PASSED]
