"""The gate's result, as one frozen object and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from tasnet.suite.gate.checkout import Revision
from tasnet.suite.gate.difference import GraphChangeKind, GraphDifference
from tasnet.suite.gate.regression import Reason, Regression
from tasnet.suite.history import CaseRecord, PlanChange


@dataclass(frozen=True)
class ChangedGraph:
    """One graph that changed, and the cases that export it.

    `difference` is None where a side has no HAR to compare; `before` and `after` are the first case's records, None
    where only names changed: such a graph isn't run again.
    """

    cases: tuple[str, ...]
    difference: GraphDifference | None
    before: CaseRecord | None = None
    after: CaseRecord | None = None


@dataclass(frozen=True)
class RegressionGroup:
    """A regression and the cases that have it; its `detail` is of the first case."""

    regression: Regression
    cases: tuple[str, ...]


@dataclass(frozen=True)
class GraphParity:
    """A changed graph's parity: SNR in dB at every stage against the float64 reference, and against the base's graph.

    `to_base` is None if the base's graph has other inputs or outputs. `breaches` are figures beyond their limits,
    `known` those that the base's graph had too, `unlimited` the stages without a limit.
    """

    case: str
    cause: tuple[str, ...]
    snr_db: dict[str, float]
    to_base: float | None
    breaches: tuple[str, ...]
    unlimited: tuple[str, ...]
    known: tuple[str, ...] = ()


@dataclass(frozen=True)
class GateResult:
    """What the gate found. `known` is `predicted` or `observed`, for every verdict in it."""

    base: Revision
    here: str
    profile: str
    arch: str
    toolchain: str
    known: str
    size_share: float
    unchanged: int
    changed: tuple[ChangedGraph, ...] = ()
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    found: tuple[RegressionGroup, ...] = ()
    parity: tuple[GraphParity, ...] = ()
    plans: tuple[PlanChange, ...] = ()
    """of the plans that cost more, or less, than at the base"""
    same_sources: bool = False
    """no file that decides a graph differs, so nothing was exported"""
    notes: tuple[str, ...] = ()
    """what a reader must know of the result, a line each"""

    @property
    def passed(self) -> bool:
        """Whether nothing got worse."""
        return not self.found

    @property
    def measured_of(self) -> int:
        """How many changed graphs could have been measured for parity."""
        return sum(
            each.difference is not None and each.difference.kind is not GraphChangeKind.NAMES for each in self.changed
        )


def group_regressions(regressions: Iterable[tuple[str, Regression]]) -> tuple[RegressionGroup, ...]:
    """(case, regression) grouped by reason and `what`, in the order of the reasons, the most cases first."""
    cases: dict[tuple[Reason, str], list[str]] = {}
    first: dict[tuple[Reason, str], Regression] = {}
    for case, regression in regressions:
        key = regression.reason, regression.what
        cases.setdefault(key, []).append(case)
        first.setdefault(key, regression)
    order = list(Reason)
    keys = sorted(cases, key=lambda key: (order.index(key[0]), -len(cases[key]), key[1]))
    return tuple(RegressionGroup(first[key], tuple(dict.fromkeys(cases[key]))) for key in keys)


def result_json(result: GateResult) -> dict[str, Any]:
    """The object that `tasnet gate --json` prints; its keys are stable. The SNR of an exact match is null."""
    return {
        "passed": result.passed,
        "base": asdict(result.base),
        "here": result.here,
        "profile": result.profile,
        "arch": result.arch,
        "toolchain": result.toolchain,
        "known": result.known,
        "size_share": result.size_share,
        "same_sources": result.same_sources,
        "notes": list(result.notes),
        "unchanged": result.unchanged,
        "new": list(result.new),
        "gone": list(result.gone),
        "regressions": [
            {
                "reason": each.regression.reason.value,
                "what": each.regression.what,
                "detail": each.regression.detail,
                "cases": list(each.cases),
            }
            for each in result.found
        ],
        "plans": [asdict(each) for each in result.plans],
        "changed": [_changed_json(each) for each in result.changed],
        "parity": [
            {
                **asdict(each),
                "snr_db": {stage: _finite(snr) for stage, snr in each.snr_db.items()},
                "to_base": None if each.to_base is None else _finite(each.to_base),
            }
            for each in result.parity
        ],
    }


def _changed_json(each: ChangedGraph) -> dict[str, Any]:
    changed: dict[str, Any] = {"cases": list(each.cases), "what": None}
    if each.difference:
        changed |= {
            "what": each.difference.kind.value,
            "cause": list(each.difference.cause),
            "layers": [asdict(change) for change in each.difference.layers],
            "before": asdict(each.difference.before),
            "after": asdict(each.difference.after),
        }
    for name, record in (("verdict_before", each.before), ("verdict_after", each.after)):
        changed[name] = record.verdict.word if record else None
    return changed


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
