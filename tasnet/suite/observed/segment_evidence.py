"""What the compiler said of a plan's segments: kept as evidence of them as cases, and found again for a plan."""

from __future__ import annotations

from collections.abc import Mapping

from tasnet.network import Variant
from tasnet.plan import Plan, Segment, cut_from_segment
from tasnet.suite.cases import Case, Outcome, SegmentCase, Stage
from tasnet.suite.observed.evidence import Evidence, evidence_of_cases, keep_compiled
from tasnet.suite.run import Store


def segment_case(plan: Plan, each: Segment) -> SegmentCase:
    """The case that a plan's segment is: a stretch of the plan's own function, in the suite's form for plans.

    Weights, the sample rate and padding are no part of a case.
    """
    function = plan.function
    blocks = 0 if function.blocks == function.size.total_blocks else function.blocks
    form = Variant(
        "split",
        decoder="polyphase",
        blocks=blocks,
        activation=function.activation,
        norm=function.norm,
        causal="taps" if function.causal else "off",
    )
    return SegmentCase(Case(form, function.size, plan.length, plan.arch), cut_from_segment(plan, each))


def keep_segment_evidence(store: Store, plan: Plan, each: Segment, outcomes: Mapping[Stage, Outcome]) -> bool:
    """Writes what the compiler said of a segment to the store; False where it is there already, or is no evidence.

    No evidence is what is none of a whole network either, masks that end in another activation than a case's, and a
    stream's segment: a case has a clip's length.
    """
    if plan.block is not None:
        return False
    if each.tail and plan.function.mask_activation != "relu":
        return False
    return keep_compiled(store, segment_case(plan, each), outcomes)


def evidence_of_plan(store: Store, plan: Plan) -> Mapping[str, tuple[Evidence, ...]]:
    """What compilers said of the plan's segments, or of such with other weights, by the segment's name.

    Nothing of a stream's.
    """
    if plan.block is not None:
        return {}
    cases = {each.name: segment_case(plan, each) for each in plan.on_chip}
    known = evidence_of_cases(store, cases.values())
    return {name: tuple(one for one in known if one.case_id == case.id) for name, case in cases.items()}
