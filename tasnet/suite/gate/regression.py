"""What counts as a regression and fails the gate: a verdict, a blocker, a size; and its limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasnet.common import printable, settings_table, short_layers
from tasnet.hailo import UNKNOWN_MESSAGE
from tasnet.suite.cases import Verdict, severity
from tasnet.suite.gate.checkout import GateError
from tasnet.suite.gate.difference import GROWN, GraphDifference
from tasnet.suite.history import CaseRecord, PlanChange, PlanRecord, plan_change
from tasnet.suite.ledger import PASSING_KINDS, Blocker

_TABLE = "tool.tasnet.gate"


class GateSettings(BaseModel):
    """The gate's limits, `[tool.tasnet.gate]` of pyproject.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    size_share: float = Field(default=0.05, ge=0, allow_inf_nan=False)
    """share by which a graph may grow: MACs, weights, its widest row, the ONNX file"""
    seconds: float = Field(default=1800.0, gt=0, le=7 * 86400, allow_inf_nan=False)
    """limit for each side's export of its graphs"""
    parity_graphs: int = Field(default=6, ge=0)
    """how many changed graphs are run at every stage, ten seconds each; more are sampled, every kind of change first"""


def gate_settings(pyproject: Path) -> GateSettings:
    """The settings in a pyproject.toml, with the defaults for what it lacks. Raises GateError."""
    if not pyproject.exists():
        return GateSettings()
    try:
        return GateSettings.model_validate(settings_table(pyproject, _TABLE, GateError))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, (_TABLE, *first["loc"])))
        known = ", ".join(GateSettings.model_fields)
        raise GateError(f"{pyproject}: {printable(where)}: {first['msg']}; {known} are known") from None


class Reason(str, Enum):
    """Why the gate fails, in the order in which reasons are listed."""

    EXPORT = "no graph"
    VERDICT = "verdict"
    BLOCKER = "new blocker"
    LEDGER = "not as the ledger says"
    SIZE = "size"
    PLAN = "plan"
    PARITY = "parity"
    TOOL = "not judged"
    """the tool broke down, or its message matches no rule: nothing is known, so the gate fails"""


@dataclass(frozen=True)
class Regression:
    """One case's regression. Cases with equal `reason` and `what` are grouped; `detail` is of this case."""

    reason: Reason
    what: str
    detail: str = ""


def verdict_regressions(before: CaseRecord, after: CaseRecord) -> Iterator[Regression]:
    """A worse verdict; a blocker of a new family; a blocker without an entry of the ledger that had none before."""
    old, new = severity(before.verdict), severity(after.verdict)
    if old is None or new is None:
        unjudged = after if new is None else before
        yield Regression(Reason.TOOL, _why_not_judged(unjudged.verdict), unjudged.happened)
        return
    if new > old:
        families = ", ".join(sorted({blocker.failure.family for blocker in after.blockers}))
        what = f"{before.verdict.word} -> {after.verdict.word}{f': {families}' if families else ''}"
        yield Regression(Reason.VERDICT, what, after.happened)
        return
    known = {(each.failure.stage, each.failure.family) for each in before.blockers}
    bare = {(each.failure.stage, each.failure.family) for each in before.blockers if not each.entries}
    for blocker in after.blockers:
        stage, family = blocker.failure.stage, blocker.failure.family
        detail = f"[{short_layers(blocker.failure.layers)}] {' '.join(blocker.failure.message.split())[:120]}"
        if (stage, family) not in known:
            yield Regression(Reason.BLOCKER, f"a new family: {family} at {stage} ({_entry_words(blocker)})", detail)
        elif not blocker.entries and (stage, family) not in bare:
            yield Regression(Reason.BLOCKER, f"{family} at {stage}, that no entry covers", detail)


def new_case_regressions(after: CaseRecord) -> Iterator[Regression]:
    """A case that the base doesn't have, and that is not as the ledger says."""
    if severity(after.verdict) is None:
        yield Regression(Reason.TOOL, _why_not_judged(after.verdict), after.happened)
    elif after.kind not in PASSING_KINDS:
        yield Regression(Reason.LEDGER, f"a new case: {after.kind.value.replace('_', ' ')}", after.happened)


def _why_not_judged(verdict: Verdict) -> str:
    words = {
        Verdict.BROKE_DOWN: "the tool broke down",
        Verdict.UNCLASSIFIED: f"the tool ended with {UNKNOWN_MESSAGE}",
    }
    return words.get(verdict, verdict.word)


def size_regressions(found: GraphDifference, share: float) -> Iterator[Regression]:
    """Each size of a graph that grew by more than `share`."""
    for name, grown in found.grown.items():
        if grown > share:
            old, new = getattr(found.before, name), getattr(found.after, name)
            what = f"{GROWN[name]} grew by more than {share:.1%}".replace(".0%", "%")
            yield Regression(Reason.SIZE, what, f"{old:,} -> {new:,} ({grown:+.1%})")


def plan_changes(before: Mapping[str, PlanRecord], after: Mapping[str, PlanRecord]) -> Iterator[PlanChange]:
    """What became of each network's plan. A network that the base doesn't plan is worse where none fits it."""
    for network, plan in after.items():
        if network in before:
            change = plan_change(before[network], plan)
            if change:
                yield change
        elif plan.trouble:
            yield PlanChange(network, plan.name, f"a new network, and no plan: {plan.trouble}", True)


def _entry_words(blocker: Blocker) -> str:
    return f"entry {', '.join(blocker.entries)}" if blocker.entries else "no entry covers it"
