"""The plans of a run as the page shows them: what each costs, its segments, and its drawing."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from tasnet.common import TasnetError, error_line
from tasnet.suite.history import PlanRecord, StoredRun
from tasnet.suite.run import Store, read_kept


@dataclass(frozen=True)
class ShownPlan:
    """A network's plan. `drawing` is an SVG as the address of an image; `gone` says why there is none to be drawn."""

    record: PlanRecord
    table: str = ""
    """its segments and costs as text, and what the host alone would take"""
    drawing: str = ""
    gone: str = ""


def shown_plans(store: Store, runs: Sequence[StoredRun]) -> tuple[ShownPlan, ...]:
    """The plans of the newest of the runs that has any."""
    newest = next((run for run in reversed(runs) if run.plans), None)
    return tuple(_shown(store, record) for record in newest.plans) if newest else ()


def _shown(store: Store, record: PlanRecord) -> ShownPlan:
    if not record.plan:
        return ShownPlan(record, gone=record.trouble)
    # Only now: a report of other runs needs none of it.
    from tasnet.plan import drawing_svg, plan_lines

    try:
        plan = read_kept(store, record.plan)
    except TasnetError as error:
        return ShownPlan(record, gone=error_line(error))
    drawing = base64.b64encode(drawing_svg(plan).encode()).decode()
    return ShownPlan(record, "\n".join(plan_lines(plan)), f"data:image/svg+xml;base64,{drawing}")
