"""The record of a network's plan: what it costs by the model, or why there is none. Two of one network are compared."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

NOISE = 1e-6
"""a modelled figure that moved by less than this share hasn't: it is computed, not measured"""


class PlanRecord(BaseModel):
    """A network's plan in a run. Times are modelled for the hardware that is named; figures are 0 without a plan."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: str
    """the id of the whole network's case"""
    name: str
    trouble: str = ""
    """why there is no plan: what binds"""
    plan: str = ""
    """the store's name of the plan.json"""
    hardware: str = ""
    hefs: int = 0
    invocations: int = 0
    macs: int = 0
    """on the chip, recomputation counted"""
    uncut_macs: int = 0
    seconds: float = 0.0
    null_seconds: float = 0.0
    """the host's CPU alone"""
    clip_seconds: float = 0.0
    """of the signal that is planned for"""
    evidence: str = ""
    """what of it nobody has seen compile"""

    @property
    def cells(self) -> tuple[str, ...]:
        """A row of a table under `HEADS`."""
        if self.trouble:
            return (self.name, *[""] * (len(HEADS) - 2), f"no plan: {self.trouble}")
        return (
            self.name,
            str(self.hefs),
            str(self.invocations),
            f"{self.macs / self.uncut_macs:.2f}",
            f"{1e3 * self.seconds:.1f}",
            f"{self.seconds / self.clip_seconds:.3f}",
            f"{1e3 * self.null_seconds:.1f}",
            self.evidence,
        )


HEADS = ("network", "HEFs", "invocations", "MACs", "modelled ms", "of the clip", "host alone, ms", "evidence")
"""of a table of plans; MACs are times the network's own"""


@dataclass(frozen=True)
class PlanChange:
    """What became of a network's plan, in words with the figures."""

    network: str
    """the id of the whole network's case"""
    name: str
    what: str
    worse: bool


def plan_change(before: PlanRecord, after: PlanRecord) -> PlanChange | None:
    """How a plan differs from the one before; None where it costs the same.

    It is worse where any of its seconds, HEFs, invocations or MACs grew, or where there is none any more.
    """
    if before.trouble or after.trouble:
        if before.trouble and after.trouble:
            return None
        words = (
            f"no plan any more: {after.trouble}" if after.trouble else f"a plan, where there was none: {_told(after)}"
        )
        return PlanChange(after.network, after.name, words, bool(after.trouble))
    moved = list(_moved(before, after))
    if not moved:
        return None
    worse = any(grew for _, grew in moved)
    figures = ", ".join(text for text, _ in moved)
    return PlanChange(after.network, after.name, f"{'dearer' if worse else 'cheaper'}: {figures}", worse)


def _moved(before: PlanRecord, after: PlanRecord) -> Iterator[tuple[str, bool]]:
    """Each figure that is another, and whether it grew."""
    for name, unit, scale, digits in (
        ("seconds", "ms modelled", 1e3, ".1f"),
        ("hefs", "HEFs", 1, ".0f"),
        ("invocations", "invocations", 1, ".0f"),
        ("macs", "million MACs", 1e-6, ",.0f"),
    ):
        old, new = getattr(before, name), getattr(after, name)
        if not math.isclose(old, new, rel_tol=NOISE):
            share = f" ({new / old - 1:+.1%})" if old else ""
            yield f"{old * scale:{digits}} -> {new * scale:{digits}} {unit}{share}", new > old


def _told(plan: PlanRecord) -> str:
    return f"{plan.hefs} HEFs, {1e3 * plan.seconds:.1f} ms modelled"
