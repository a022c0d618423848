"""What the store's evidence says to plans: of their segments, and of what their verdicts rest on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tasnet.hailo.predict import Observations
    from tasnet.plan import Plan
    from tasnet.suite.run import RunOptions


def observed_lines(plan: Plan, options: RunOptions) -> Iterator[str]:
    """A line for each time that a compiler spoke of a segment of the plan."""
    from tasnet.suite.observed import evidence_of_plan
    from tasnet.suite.run import Store

    for name, found in evidence_of_plan(Store(options.store_root()), plan).items():
        for each in found:
            yield f"observed  {name}: {each.line.removeprefix(f'{each.case_id}: ')}"


def known_to_plans(options: RunOptions, arch: str) -> Observations:
    """What compilers are known to have said: the public record, and the evidence in the store."""
    from tasnet.suite.ask import known_observations
    from tasnet.suite.run import Store

    return known_observations(Store(options.store_root()), arch)


def judged_otherwise(plan: Plan, options: RunOptions) -> Iterator[str]:
    """A line for each segment that isn't compiled and that the store's evidence would have judged otherwise."""
    from tasnet.plan import verdict_of_segment

    known, stale = known_to_plans(options, plan.arch), False
    for each in plan.on_chip if not known.public else ():
        now = verdict_of_segment(plan, each, known)
        said, says = (each.verdict, each.certainty), (now.kind.value, now.certainty.value)
        if not each.compiled_by and said != says:
            yield f"now       {each.name}: {', '.join(says)}, by the store's evidence; planned as {', '.join(said)}"
            stale = True
    if stale:
        yield f"rests on  {known.line}; plan again to go by it"
